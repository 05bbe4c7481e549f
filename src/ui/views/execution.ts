/**
 * The page of an execution.
 *
 * @module
 */

import type { Context, Execution, ExecutionEvent, FlowGraph, Json } from "../../../mod.ts";
import { NotFoundError } from "../../../mod.ts";
import { executionMarks } from "../execution_marks.ts";
import { layOut } from "../graph/layout.ts";
import { drawFlow } from "../graph/svg.ts";
import { clock, duration, plural } from "../format.ts";
import { type Html, markup, type Part } from "../html.ts";
import { checkKnown, pathName } from "../params.ts";
import { executionLink, flowLink, link, type Visit } from "../site.ts";
import { type Visit as NodeVisit, visitsOf } from "../visits.ts";
import { jsonPanel } from "./json_view.ts";
import { pageResponse } from "./page.ts";
import { badge, empty, facts, panel, tableHead, when } from "./parts.ts";
import { stage } from "./stage.ts";
import { timeline } from "./timeline.ts";
import { verdict } from "./verdict.ts";

const MAX_HISTORY = 1_000;
const SHOWN_EVENTS = 50;
/** The width up to which a graph is made to fit its panel. */
const MAX_FITTED = 1_000;

/** `GET /executions/{id}`. */
export async function executionPage(visit: Visit): Promise<Response> {
  checkKnown(visit.query, []);
  const { server } = visit.site;
  const id = pathName(visit.params.id!, "id");
  const execution = await server.get(id);
  const [context, history, graph] = await Promise.all([
    server.results(id),
    server.history(id, { limit: MAX_HISTORY }),
    graphOf(visit, execution),
  ]);
  const visits = visitsOf(history, graph);
  const node = graph?.nodes.find(({ id }) => id === execution.currentNode);
  const content = markup`${head(visit, execution)}
    ${verdict(visit, execution, node)}
    <div class="columns graph-left">
    ${
    panel("Path", graph === undefined ? lostGraph(execution) : path(visit, execution, graph, visits), {
      tools: graph && stage.tools("path"),
    })
  }
    <div class="columns">
    ${
    panel(
      "Timeline",
      visits.length === 0
        ? empty("No history", "It was removed after the time that events are kept")
        : markup`<div class="body">${timeline(visits, visit.now.getTime())}</div>`,
    )
  }
    ${branchesPanel(visit, execution)}
${dataPanel(visit, execution, context)}
    </div>
    </div>
    ${
    panel("Events", eventsTable(execution, history), {
      tools: markup`<a href="${link(visit, `/api/executions/${id}/history`)}">JSON</a>`,
    })
  }`;
  return pageResponse(visit, { title: id, section: "/executions", content, live: { execution: id } });
}

function head(visit: Visit, execution: Execution): Html {
  const { id, flow, status, startedAt, updatedAt, generation, definition } = execution;
  const isOver = status === "completed" || status === "failed" || status === "cancelled";
  const end = isOver ? updatedAt : visit.now;
  return markup`<div class="head">
<p class="crumbs"><a href="${link(visit, "/executions")}">Executions</a> / <a href="${
    link(visit, "/executions", { flow })
  }">${flow}</a></p>
<h1 class="mono-title">${id}</h1>${badge(status)}<button type="button" class="quiet" data-copy="${id}">Copy id</button>
<span class="grow"></span>${actions(visit, execution)}</div>
${
    facts([
      ["flow", markup`<a href="${flowLink(visit, flow)}">${flow}</a>`],
      ["started", markup`${clock(startedAt)} (${when(startedAt, visit)})`],
      [isOver ? "took" : "running for", duration(Math.max(0, end.getTime() - startedAt.getTime()))],
      ["changed", when(updatedAt, visit)],
      ["generation", String(generation)],
      [
        "definition",
        markup`<a class="mono" href="${flowLink(visit, flow, { definition })}" title="${definition}">${
          definition.slice(0, 8)
        }</a>`,
      ],
    ])
  }`;
}

function actions(visit: Visit, { id, status }: Execution): Part {
  if (!visit.site.options.allowActions) return undefined;
  const action = (name: string, text: string, tone = "") =>
    markup`<a class="button ${tone}" href="${executionLink(visit, id)}/${name}">${text}</a>`;
  switch (status) {
    case "failed":
      return action("resume", "Resume", "primary");
    case "running":
    case "waiting":
      return markup`${action("signal", "Signal", status === "waiting" ? "primary" : "")}${
        action("cancel", "Cancel", "danger")
      }`;
    default:
      return undefined;
  }
}

/** The graph of the definition it runs by; the newest where that one is gone. */
async function graphOf({ site }: Visit, { flow, definition }: Execution): Promise<FlowGraph | undefined> {
  for (const options of [{ definition }, {}]) {
    try {
      return await site.server.flowGraph(flow, options);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
  return undefined;
}

function path(visit: Visit, execution: Execution, graph: FlowGraph, visits: readonly NodeVisit[]): Html {
  const marks = executionMarks(execution, graph, visits, visit.now.getTime());
  const shape = layOut(graph, { direction: "down" });
  return stage.view("path", drawFlow(graph, shape, marks), { isWide: shape.width > MAX_FITTED, follow: true });
}

/** The branches of the fan-out entered last: those that failed first, then those that are not done. */
function branchesPanel(visit: Visit, { branches = {} }: Execution): Html | undefined {
  const order = { failed: 0, pending: 1, completed: 2 };
  const all = Object.values(branches).sort((left, right) => order[left.status] - order[right.status]);
  if (all.length === 0) return undefined;
  const rows = all.map(({ node, status, attempt = 0, error, parked, until }) =>
    markup`<tr><td><b>${node}</b></td><td>${
      badge(status === "pending" ? parked ? "waiting" : "running" : status)
    }</td><td class="num" data-label="attempt">${attempt + 1}</td><td class="nowrap" data-label="due">${
      until !== undefined && status === "pending" && when(until, visit)
    }</td><td class="${status === "failed" ? "error" : "soft"} wide">${error}</td></tr>`
  );
  const head = tableHead(["Branch", "Status", "#Attempt", "Due", "Error"]);
  return panel(
    "Branches",
    markup`<div class="scroll" tabindex="0" role="region" aria-label="Branches"><table class="rows">${head}<tbody>${rows}</tbody></table></div>`,
  );
}

function lostGraph({ flow }: Execution): Html {
  return empty("The graph is not known", markup`No engine that is running, or has run, registered flow <b>${flow}</b>`);
}

function dataPanel(visit: Visit, { id }: Execution, context: Context): Html {
  const { redact, isRedacting } = visit.site.options;
  const hide = (value: Json, ...path: string[]) => redact(value, path);
  const raw = link(visit, `/api/executions/${id}/results`);
  const { input, payload, results, signals, lastNode } = context;
  const body = markup`<div class="data">
${jsonPanel("Input", hide(input, "input"), { id: "data-input", isOpen: true })}
${jsonPanel("Payload now", hide(payload, "payload"), { id: "data-payload" })}
${
    Object.entries(results).map(([node, value]) =>
      jsonPanel(`Output of ${node}`, hide(value, "results", node), { id: `node-${node}`, isOpen: node === lastNode })
    )
  }
${
    Object.entries(signals).map(([name, value]) =>
      jsonPanel(`Signal ${name}`, hide(value, "signals", name), { id: `signal-${name}` })
    )
  }
</div>`;
  const tools = markup`${
    isRedacting && markup`<span class="soft small">some fields are redacted</span>`
  }<a href="${raw}">JSON</a>`;
  return panel("Data", body, { tools });
}

function eventsTable({ startedAt }: Execution, history: readonly ExecutionEvent[]): Html {
  if (history.length === 0) return empty("No events", "They were removed after the time that events are kept");
  const shown = history.slice(-SHOWN_EVENTS).reverse();
  const first = startedAt.getTime();
  const rows = shown.map(({ status, node, attempt, error, time, revision }) =>
    markup`<tr id="event-${revision}-${node}">
        <td class="num soft">${revision}</td>
        <td class="nowrap">${clock(time)}</td>
        <td class="num nowrap">+${duration(time.getTime() - first)}</td>
        <td>${badge(status)}</td>
        <td>${node}</td>
        <td class="num">${attempt === undefined ? "" : attempt + 1}</td>
        <td class="${error === undefined ? "none" : `${status === "failed" ? "error" : "soft"} reason wide`}">${
      error !== undefined &&
      markup`<span class="clip" title="${error}">${error}</span>`
    }</td>
      </tr>`
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Events"><table>${
    tableHead([
      "#Revision",
      "Time",
      "#Since start",
      "Status",
      "Node",
      "#Attempt",
      "Error",
    ])
  }<tbody>${rows}</tbody></table></div>${
    history.length > shown.length &&
    markup`<p class="foot">the latest ${plural(shown.length, "event")} of ${history.length}</p>`
  }`;
}

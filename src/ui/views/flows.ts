/**
 * The flows, and the page of one.
 *
 * @module
 */

import type { ExecutionEvent, ExecutionStatus, FlowGraph, FlowVersion, GraphNode } from "../../../mod.ts";
import { definitionText } from "../definition_text.ts";
import { layOut } from "../graph/layout.ts";
import type { NodeMark } from "../graph/marks.ts";
import { describeNode, drawFlow } from "../graph/svg.ts";
import { clock, count, duration, plural } from "../format.ts";
import { type Html, markup, type Part } from "../html.ts";
import { checkKnown, pathName, STATUSES } from "../params.ts";
import { notFound } from "../problem.ts";
import { flowLink, link, type Visit } from "../site.ts";
import { table } from "./executions.ts";
import { pageResponse } from "./page.ts";
import { empty, numberCell, panel, tableHead } from "./parts.ts";
import { stage } from "./stage.ts";

const MAX_CARDS = 60;
const MAX_THUMB_NODES = 80;
const MAX_LIVE = 1_000;
const MAX_SAMPLED = 60;
const PARALLEL = 16;
/** The width of a graph that others may stand beside. */
const MAX_BESIDE = 900;
/** The width up to which a graph is made to fit the page. */
const MAX_FITTED = 2_000;

type Counts = Record<ExecutionStatus, number>;

/** `GET /flows`. */
export async function flowsPage(visit: Visit): Promise<Response> {
  checkKnown(visit.query, []);
  const { server, counter } = visit.site;
  const counts = await counter.get();
  const names = Object.keys(counts).sort();
  const graphs = await Promise.all(
    names.slice(0, MAX_CARDS).map((name) => server.flowGraph(name).catch(() => undefined)),
  );
  const content = markup`<div class="head"><h1>Flows</h1><span class="soft">${count(names.length)}</span></div> ${
    names.length === 0
      ? markup`<section class="panel">${
        empty("No flows yet", markup`A flow shows here as soon as an engine that has loaded it runs`)
      }</section>`
      : markup`<ul class="cards">${names.map((name, index) => card(visit, name, counts[name]!, graphs[index]))}</ul>`
  }`;
  return pageResponse(visit, { title: "Flows", section: "/flows", content, live: {} });
}

/** `GET /flows/{name}`. */
export async function flowPage(visit: Visit): Promise<Response> {
  const { query, params, site: { server, counter } } = visit;
  checkKnown(query, ["definition"]);
  const name = pathName(params.name!, "name");
  const versions = await server.flowVersions(name);
  const asked = query.get("definition");
  const version = asked ? versions.find(({ hash }) => hash === pathName(asked, "definition")) : versions[0];
  if (version === undefined) throw notFound(`there is no definition ${asked} of flow ${name}`);
  const [graph, counts, sample, latest] = await Promise.all([
    server.flowGraph(name, asked ? { definition: version.hash } : {}),
    counter.get(),
    liveExecutions(visit, name),
    server.recent({ flow: name, limit: 10 }),
  ]);
  const live = [...sample.running, ...sample.waiting];
  const inUse = await versionsInUse(visit, live);
  const shape = layOut(graph, { direction: "down" });
  const isWide = shape.width > MAX_BESIDE;
  const drawing = drawFlow(graph, shape, { nodes: nodeCounts(visit, graph, live), taken: new Set() });
  const svg = link(visit, `/api/flows/${name}.svg`, { definition: asked ?? undefined });
  const tools = markup`<a class="small" href="${svg}">SVG</a>${stage.tools("flow")}`;
  const panels = [
    latestPanel(visit, name, latest),
    panel("Versions", versionsTable(visit, name, versions, { shown: version.hash, inUse })),
    panel("Nodes", nodesTable(graph)),
    definitionPanel(version),
  ];
  const content = markup`${flowHead(visit, name, counts[name])}
<div class="columns${isWide ? "" : " graph-left"}">
${
    panel("Graph", [
      sampleNote(sample, counts[name]),
      stage.view("flow", drawing, { isWide: shape.width > MAX_FITTED }),
    ], { tools })
  }
<div class="columns${isWide ? " even" : ""}">${panels}</div>
</div>`;
  return pageResponse(visit, { title: name, section: "/flows", content, live: { flow: name } });
}

function flowHead(visit: Visit, name: string, counts: Counts | undefined): Html {
  const start = visit.site.options.allowActions &&
    markup`<a class="button primary" href="${link(visit, "/start", { flow: name })}">Start one</a>`;
  return markup`<div class="head">
<p class="crumbs"><a href="${link(visit, "/flows")}">Flows</a></p>
<h1>${name}</h1>${countBadges(visit, name, counts)}<span class="grow"></span>${start}
</div>`;
}

function latestPanel(visit: Visit, flow: string, latest: readonly ExecutionEvent[]): Html {
  const content = latest.length === 0
    ? empty("No executions yet", "Nothing has been started")
    : table(visit, latest, { isOneFlow: true });
  return panel("Latest executions", content, {
    tools: markup`<a href="${link(visit, "/executions", { flow })}">All</a>`,
  });
}

function definitionPanel({ definition }: FlowVersion): Html {
  const text = definitionText(definition);
  const content = markup`<pre class="source body" tabindex="0" role="region" aria-label="Definition">${text}</pre>`;
  return panel("Definition", content, {
    tools: markup`<button type="button" class="quiet" data-copy="${text}">Copy</button>`,
  });
}

function card(visit: Visit, name: string, counts: Counts, graph: FlowGraph | undefined): Html {
  const isSmall = graph !== undefined && graph.nodes.length <= MAX_THUMB_NODES;
  const thumb = isSmall
    ? markup`<div class="thumb" aria-hidden="true">${drawFlow(graph, layOut(graph, { direction: "down" }))}</div>`
    : markup`<div class="thumb soft">${graph === undefined ? "no graph" : "a large graph"}</div>`;
  return markup`<li class="panel card">${thumb}<div class="text"><h2><a href="${
    flowLink(
      visit,
      name,
    )
  }">${name}</a></h2><span class="soft small">${graph === undefined ? "" : plural(graph.nodes.length, "node")}</span>${
    countBadges(visit, name, counts)
  }</div></li>`;
}

function countBadges(visit: Visit, flow: string, counts: Counts | undefined): Html {
  const present = STATUSES.filter((status) => (counts?.[status] ?? 0) > 0);
  if (present.length === 0) return markup`<span class="soft small">no executions</span>`;
  return markup`<div class="counts">${
    present.map((status) =>
      markup`<a class="badge ${status}" href="${link(visit, "/executions", { flow, status })}">${
        count(counts![status])
      } ${status}</a>`
    )
  }</div>`;
}

/** Live executions of a flow: the latest of those that run, and of those that wait. */
interface Sample {
  readonly running: readonly ExecutionEvent[];
  readonly waiting: readonly ExecutionEvent[];
}

async function liveExecutions({ site }: Visit, flow: string): Promise<Sample> {
  const latest = (status: ExecutionStatus) => site.server.recent({ flow, status, limit: MAX_LIVE });
  const [running, waiting] = await Promise.all([latest("running"), latest("waiting")]);
  return { running, waiting };
}

function nodeCounts(visit: Visit, graph: FlowGraph, live: readonly ExecutionEvent[]): Map<string, NodeMark> {
  const at = new Map<string, { running: number; waiting: number }>();
  for (const { node, status } of live) {
    const counts = at.get(node) ?? { running: 0, waiting: 0 };
    if (status === "waiting") counts.waiting++;
    else counts.running++;
    at.set(node, counts);
  }
  const marks = new Map<string, NodeMark>();
  for (const { id } of graph.nodes) {
    const counts = at.get(id);
    if (counts === undefined) continue;
    const state = counts.waiting > counts.running ? "waiting" : "running";
    const note = [
      ...counts.running > 0 ? [`${count(counts.running)} running`] : [],
      ...counts.waiting > 0 ? [`${count(counts.waiting)} waiting`] : [],
    ].join(" · ");
    marks.set(id, { state, note, href: link(visit, "/executions", { flow: graph.name, status: state }) });
  }
  return marks;
}

/** Says so where the numbers in the graph are not of everything. */
function sampleNote({ running, waiting }: Sample, counts: Counts | undefined): Html | undefined {
  const parts = ([["run", running, counts?.running], ["wait", waiting, counts?.waiting]] as const)
    .filter(([, sample]) => sample.length >= MAX_LIVE)
    .map(([verb, sample, all = 0]) =>
      `the latest ${count(sample.length)} of ${count(Math.max(all, sample.length))} that ${verb}`
    );
  if (parts.length === 0) return undefined;
  return markup`<p class="note inset">The numbers at the nodes are a sample: ${parts.join(", and ")}.</p>`;
}

/** How many of the latest live executions run by each definition. */
async function versionsInUse({ site }: Visit, live: readonly ExecutionEvent[]): Promise<Map<string, number>> {
  const inUse = new Map<string, number>();
  const sample = live.slice(0, MAX_SAMPLED);
  for (let start = 0; start < sample.length; start += PARALLEL) {
    const batch = sample.slice(start, start + PARALLEL);
    const found = await Promise.all(
      batch.map(({ executionId }) => site.server.get(executionId).catch(() => undefined)),
    );
    for (const execution of found) {
      if (execution !== undefined) inUse.set(execution.definition, (inUse.get(execution.definition) ?? 0) + 1);
    }
  }
  return inUse;
}

function versionsTable(
  visit: Visit,
  name: string,
  versions: readonly FlowVersion[],
  { shown, inUse }: { shown: string; inUse: ReadonlyMap<string, number> },
): Html {
  const rows = versions.map(({ hash, isNewest, registeredAt }) =>
    markup`<tr><td><a class="mono" href="${flowLink(visit, name, { definition: hash })}">${hash.slice(0, 12)}</a> ${
      hash === shown && markup`<span class="soft small">shown</span>`
    }</td><td>${isNewest && markup`<span class="badge completed">newest</span>`}</td>${
      numberCell(inUse.get(hash) ?? 0, "live")
    }<td class="soft nowrap">${registeredAt === undefined ? "not registered" : clock(registeredAt)}</td></tr>`
  );
  return markup`<div class="scroll"><table>${
    tableHead(["Definition", "State", `#Of the latest ${MAX_SAMPLED} live`, "Registered"])
  }<tbody>${rows}</tbody></table></div>`;
}

function nodesTable(graph: FlowGraph): Html {
  const rows = graph.nodes.map((node) =>
    markup`<tr><td><b>${node.id}</b></td><td class="soft">${node.type}</td><td>${
      nodeDetail(node)
    }</td><td class="num">${node.timeout === undefined ? "" : duration(node.timeout)}</td><td class="nowrap">${
      node.retry === undefined ? "" : `${node.retry.maxAttempts} × ${node.retry.backoff}`
    }</td></tr>`
  );
  return markup`<div class="scroll tall" tabindex="0" role="region" aria-label="Nodes"><table>${
    tableHead(["Node", "Type", "What", "#Timeout", "Attempts"])
  }<tbody>${rows}</tbody></table></div>`;
}

function nodeDetail(node: GraphNode): Part {
  if (node.type !== "choice") return describeNode(node);
  return markup`<ul>${
    (node.rules ?? []).map(({ when, to }) =>
      markup`<li>${when === undefined ? "otherwise" : markup`<code>${when}</code>`} → ${to}</li>`
    )
  }</ul>`;
}

/**
 * The list of executions.
 *
 * @module
 */

import type { ExecutionEvent } from "../../../mod.ts";
import { clip } from "../graph/svg.ts";
import { clock, count } from "../format.ts";
import { type Html, markup } from "../html.ts";
import { STATUSES } from "../params.ts";
import { filterOf, findExecutions, type Found } from "../search.ts";
import { flowLink, link, type Visit } from "../site.ts";
import { pageResponse } from "./page.ts";
import { badge, empty, executionRef, tableHead, when } from "./parts.ts";

const PAGE_SIZE = 50;
const TIMES: readonly (readonly [string, string])[] = [
  ["", "any time"],
  ["15m", "last 15 minutes"],
  ["1h", "last hour"],
  ["24h", "last 24 hours"],
  ["7d", "last 7 days"],
];

/** `GET /executions`. */
export async function executionsPage(visit: Visit): Promise<Response> {
  const { server, options } = visit.site;
  const filter = filterOf(visit.query, visit.now, PAGE_SIZE);
  const [found, flows] = await Promise.all([findExecutions(server, filter), server.listFlows()]);
  const start = options.allowActions &&
    markup`<a class="button primary" href="${link(visit, "/start", { flow: filter.flow })}">Start one</a>`;
  const content =
    markup`<div class="head"><h1>Executions</h1><span class="grow"></span>${start}</div><section class="panel"><header>${
      statusTabs(visit)
    }</header> ${filters(visit, flows)} ${
      found.events.length === 0 ? nothing(visit, found) : table(visit, found.events)
    } ${foot(visit, found)} </section>`;
  const live = filter.flow === undefined ? {} : { flow: filter.flow };
  return pageResponse(visit, { title: "Executions", section: "/executions", content, live });
}

/** A table of executions, by their latest changes; without the flow where all are of one. */
export function table(visit: Visit, events: readonly ExecutionEvent[], { isOneFlow = false } = {}): Html {
  const rows = events.map((event) => {
    const { executionId, flow, status, node, attempt = 0, error, time } = event;
    const tone = status === "failed" ? "error" : "soft";
    // Without blanks in between: each would be a node.
    const cells = [
      markup`<td>${badge(status)}</td>`,
      markup`<td class="nowrap">${executionRef(visit, executionId, true)}</td>`,
      !isOneFlow && markup`<td><a href="${flowLink(visit, flow)}">${flow}</a></td>`,
      markup`<td data-label="at">${node}${
        attempt > 0 && markup` <span class="soft small nowrap">attempt ${attempt + 1}</span>`
      }</td>`,
      error === undefined
        ? markup`<td class="none"></td>`
        : markup`<td class="${tone} reason wide"><span class="clip" title="${error}">${clip(error, 160)}</span></td>`,
      markup`<td class="nowrap soft">${when(time, visit)}</td>`,
    ];
    return markup`<tr>${cells}</tr>`;
  });
  const columns = ["Status", "Execution", ...isOneFlow ? [] : ["Flow"], "Node", "Error", "Changed"];
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Executions"><table class="rows">${
    tableHead(columns)
  }<tbody>${rows}</tbody></table></div>`;
}

function statusTabs(visit: Visit): Html {
  const current = visit.query.get("status") ?? "";
  const query = Object.fromEntries(visit.query);
  const entries = ["", ...STATUSES].map((status) => {
    const href = link(visit, "/executions", { ...query, status, before: undefined });
    return markup`<a href="${href}" ${status === current ? markup` aria-current="true"` : ""}>${status || "all"}</a>`;
  });
  return markup`<nav class="tabs" aria-label="Status">${entries}</nav>`;
}

function filters(visit: Visit, flows: readonly string[]): Html {
  const { query } = visit;
  const since = query.get("since") ?? "";
  const times = TIMES.some(([value]) => value === since) ? TIMES : [...TIMES, [since, `since ${since}`] as const];
  const flow = query.get("flow") ?? "";
  const known = flow === "" || flows.includes(flow) ? flows : [...flows, flow];
  const status = query.get("status");
  return markup`<form class="filters" method="get" action="${link(visit, "/executions")}" data-filter role="search">
${status !== null && markup`<input type="hidden" name="status" value="${status}">`}
<label>Id begins with<input name="id" value="${
    query.get("id") ?? ""
  }" maxlength="128" pattern="[A-Za-z0-9_\\-]+" autocomplete="off" spellcheck="false" data-search></label>
<label>Flow<select name="flow"><option value="">all flows</option>${
    known.map((name) => choice(name, name, flow))
  }</select></label>
<label>Changed<select name="since">${times.map(([value, text]) => choice(value, text, since))}</select></label>
<label>Error contains<input name="error" value="${query.get("error") ?? ""}" maxlength="200" autocomplete="off"></label>
<button>Filter</button>
<a class="button quiet" href="${link(visit, "/executions")}">Clear</a>
</form>`;
}

function choice(value: string, text: string, current: string): Html {
  return markup`<option value="${value}" ${value === current ? markup` selected` : ""}>${text}</option>`;
}

function nothing(visit: Visit, { stoppedAt }: Found): Html {
  if (stoppedAt !== undefined) return empty("Nothing found so far", "There is more to look through: go on below");
  if (visit.query.size > 0) {
    return empty(
      "No execution matches",
      markup`Widen the filter, or <a href="${link(visit, "/executions")}">show all executions</a>`,
    );
  }
  return empty("No executions yet", markup`Start one: <code>await server.start("flow", { … })</code>`);
}

function foot(visit: Visit, { events, scanned, next, stoppedAt }: Found): Html {
  const query = Object.fromEntries(visit.query);
  const older = next !== undefined &&
    markup`<a class="button" rel="next" href="${link(visit, "/executions", { ...query, before: next })}">${
      stoppedAt ? "Look further" : "Older"
    }</a>`;
  const newest = query.before !== undefined &&
    markup`<a class="button" rel="first" href="${
      link(visit, "/executions", { ...query, before: undefined })
    }">Newest</a>`;
  const looked = stoppedAt !== undefined &&
    markup`<span>looked at ${count(scanned)}, back to ${clock(stoppedAt)}</span>`;
  return markup`<div class="foot"><span>${
    count(
      events.length,
    )
  } shown</span>${looked}<span class="hidden">Keys: slash for the filter, j and k for rows, n for the next page</span><span class="grow"></span>${newest}${older}</div>`;
}

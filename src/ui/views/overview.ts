/**
 * The overview: how the namespace is doing.
 *
 * @module
 */

import type { Backlog, DeadLetter, ExecutionEvent, ExecutionStatus, Schedule } from "../../../mod.ts";
import { clip } from "../graph/svg.ts";
import { count, plural } from "../format.ts";
import { type Html, markup } from "../html.ts";
import type { Counts } from "../counts.ts";
import { shownLetter } from "../letters.ts";
import type { Bucket, Writer } from "../live.ts";
import { STATUSES } from "../params.ts";
import { flowLink, link, type Visit } from "../site.ts";
import { chart, chartSummary } from "./chart.ts";
import { pageResponse } from "./page.ts";
import { empty, executionRef, numberCell, panel, tableHead, when } from "./parts.ts";

const ACTIVE_MS = 10 * 60_000;
/** How long the first page waits for what ended before anybody looked. */
const SEED_MS = 400;

/** `GET /`. */
export async function overviewPage(visit: Visit): Promise<Response> {
  const { server, live, counter } = visit.site;
  const [counts, backlog, schedules, letters, failures] = await Promise.all([
    counter.get(),
    server.backlog(),
    server.schedules(),
    server.deadLetters({ limit: 4 }),
    server.recent({ status: "failed", limit: 6 }),
    live.startAndWait(SEED_MS),
  ]);
  const all = (path: string, text: string) => markup`<a href="${link(visit, path)}">${text}</a>`;
  const panels = [
    panel("Latest failures", failureList(visit, failures), { tools: all("/executions?status=failed", "All failed") }),
    panel("Dead letters", letterList(visit, letters.map((letter) => shownLetter(letter, visit.site.options))), {
      tools: all("/dead-letters", plural(backlog.deadLetters, "dead letter")),
    }),
    panel("Next schedules", scheduleList(visit, schedules), { tools: all("/schedules", "All schedules") }),
    panel("Engines and clients seen", writerList(visit, live.writers())),
  ];
  const content = markup`<h1 class="hidden">Overview of ${server.namespace}</h1>
${tiles(visit, counts)}
${chartPanel(live.buckets(visit.now))}
${panel("Flows", flowsTable(visit, counts, backlog))}
<div class="columns even">${panels}</div>`;
  return pageResponse(visit, { title: "Overview", section: "/", content, live: {} });
}

function chartPanel(buckets: readonly Bucket[]): Html {
  return panel("Ended, by ten seconds", markup`<div class="body">${chart(buckets)}</div>`, {
    tools: markup`<span class="soft small">${chartSummary(buckets)}</span>`,
  });
}

function tiles(visit: Visit, counts: Counts): Html {
  const total = (status: ExecutionStatus) => Object.values(counts).reduce((sum, flow) => sum + flow[status], 0);
  return markup`<ul class="tiles">${
    STATUSES.map((status) =>
      markup`<li><a class="tile ${status}" href="${link(visit, "/executions", { status })}"><b>${
        count(total(status))
      }</b><span>${status}</span></a></li>`
    )
  }</ul>`;
}

function flowsTable(visit: Visit, counts: Counts, backlog: Backlog): Html {
  const names = Object.keys(counts).sort();
  if (names.length === 0) {
    return empty(
      "No flows yet",
      markup`A flow shows here as soon as an engine that has loaded it runs: <code>deno task start</code>`,
    );
  }
  const columns = [
    "Flow",
    ...STATUSES.map((status) => `#${status}`),
    "#ready",
    "#in flight",
    "Oldest ready",
    "Oldest waiting",
  ];
  const rows = names.map((flow) => {
    const { ready = 0, inFlight = 0, oldestReady, oldestWaiting } = backlog.flows[flow] ?? {};
    return markup`<tr><td><a href="${flowLink(visit, flow)}">${flow}</a></td>${
      STATUSES.map((status) => numberCell(counts[flow]![status], status, link(visit, "/executions", { status, flow })))
    }${numberCell(ready, "ready")}${numberCell(inFlight, "in flight")}
<td class="nowrap">${oldestReady === undefined ? dash() : when(oldestReady, visit)}</td>
<td class="nowrap">${oldestWaiting === undefined ? dash() : when(oldestWaiting, visit)}</td></tr>`;
  });
  const commands = backlog.commands > 0 &&
    markup`<p class="foot">${
      plural(backlog.commands, "command")
    } from outside (starts, signals, completions) wait to be carried out</p>`;
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Flows"><table>${
    tableHead(columns)
  }<tbody>${rows}</tbody></table></div>${commands}`;
}

function failureList(visit: Visit, failures: readonly ExecutionEvent[]): Html {
  if (failures.length === 0) return empty("Nothing has failed", "Executions that fail show here, the latest first");
  return markup`<ul class="body key-list">${
    failures.map((event) =>
      markup`<li>${
        executionRef(visit, event.executionId)
      }<span class="soft">${event.flow} at <b>${event.node}</b></span><span class="grow"></span><span class="soft small">${
        when(event.time, visit)
      }</span><span class="clip small" title="${event.error ?? ""}">${
        clip(event.error ?? "no reason given", 140)
      }</span></li>`
    )
  }</ul>`;
}

function letterList(visit: Visit, letters: readonly DeadLetter[]): Html {
  if (letters.length === 0) return empty("No dead letters", "What could not be done, whatever was tried, is kept here");
  return markup`<ul class="body key-list">${
    letters.map((letter) =>
      markup`<li><b>${letter.source}</b><span class="mono">${letter.key}</span><span class="grow"></span><span class="soft small">${
        when(letter.time, visit)
      }</span><span class="clip small" title="${letter.reason}">${clip(letter.reason, 140)}</span></li>`
    )
  }</ul>`;
}

function scheduleList(visit: Visit, schedules: readonly Schedule[]): Html {
  if (schedules.length === 0) {
    return empty("No schedules", markup`Start a flow by the clock: <code>server.scheduleFlow(name, flow, cron)</code>`);
  }
  const next = schedules.toSorted((left, right) => left.next.getTime() - right.next.getTime()).slice(0, 5);
  return markup`<ul class="body key-list">${
    next.map((schedule) =>
      markup`<li><b>${schedule.name}</b><span class="soft">starts <a href="${
        flowLink(visit, schedule.flow)
      }">${schedule.flow}</a></span><span class="grow"></span><span class="soft small">${
        when(schedule.next, visit)
      }</span></li>`
    )
  }</ul>`;
}

function writerList(visit: Visit, writers: readonly Writer[]): Html {
  const active = writers.filter(({ last }) => visit.now.getTime() - last.getTime() < ACTIVE_MS).slice(0, 6);
  if (active.length === 0) {
    return empty(
      "No engine seen in 10 minutes",
      markup`Engines show here when they change an execution; is one running?`,
    );
  }
  return markup`<ul class="body key-list">${
    active.map(({ id, changes, last }) =>
      markup`<li><b class="mono">${id}</b><span class="soft">${
        plural(changes, "change")
      } seen</span><span class="grow"></span><span class="soft small">${when(last, visit)}</span></li>`
    )
  }</ul>`;
}

function dash(): Html {
  return markup`<span class="soft" aria-label="none">–</span>`;
}

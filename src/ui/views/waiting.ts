/**
 * Everything that waits for somebody: by signal, the oldest first.
 *
 * @module
 */

import type { Execution, ExecutionEvent } from "../../../mod.ts";
import { count, plural } from "../format.ts";
import { type Html, markup } from "../html.ts";
import { checkKnown } from "../params.ts";
import { executionLink, flowLink, link, type Visit } from "../site.ts";
import { pageResponse } from "./page.ts";
import { empty, executionRef, panel, tableHead, when } from "./parts.ts";

const MAX_LISTED = 2_000;
const MAX_READ = 200;
const PARALLEL = 16;

/** `GET /waiting`. */
export async function waitingPage(visit: Visit): Promise<Response> {
  checkKnown(visit.query, []);
  const events = (await visit.site.server.recent({ status: "waiting", limit: MAX_LISTED })).reverse();
  const executions = await readAll(visit, events.slice(0, MAX_READ));
  const groups = groupsOf(executions);
  const more = events.length - Math.min(events.length, MAX_READ);
  const content = markup`<div class="head"><h1>Waiting</h1><span class="soft">${count(events.length)}${
    events.length === MAX_LISTED ? " or more" : ""
  }</span></div>
    ${
    groups.length === 0
      ? markup`<section class="panel">${
        empty("Nothing waits", "Executions that wait for a signal, a completion or their branches show here")
      }</section>`
      : groups.map(([name, members]) => group(visit, name, members))
  }
    ${
    more > 0 &&
    markup`<p class="note">The oldest ${count(MAX_READ)} are shown${
      events.length === MAX_LISTED && markup`of the latest ${count(MAX_LISTED)}`
    }. <a href="${link(visit, "/executions", { status: "waiting" })}">All that wait</a>, the newest first.</p>`
  }`;
  return pageResponse(visit, { title: "Waiting", section: "/waiting", content, live: {} });
}

async function readAll({ site }: Visit, events: readonly ExecutionEvent[]): Promise<Execution[]> {
  const executions: Execution[] = [];
  for (let start = 0; start < events.length; start += PARALLEL) {
    const batch = events.slice(start, start + PARALLEL);
    const found = await Promise.all(
      batch.map(({ executionId }) => site.server.get(executionId).catch(() => undefined)),
    );
    for (const execution of found) if (execution?.status === "waiting") executions.push(execution);
  }
  return executions;
}

/** By what they wait for: signals by name, then completions, then branches. */
function groupsOf(executions: readonly Execution[]): [string, Execution[]][] {
  const groups = new Map<string, Execution[]>();
  for (const execution of executions) {
    const { wait } = execution;
    const name = wait?.kind === "signal" ? `0${wait.signal}` : wait?.kind === "join" ? "2" : "1";
    groups.set(name, [...groups.get(name) ?? [], execution]);
  }
  return [...groups].sort(([left], [right]) => left < right ? -1 : 1);
}

function group(visit: Visit, name: string, members: readonly Execution[]): Html {
  const isSignal = name.startsWith("0");
  const title = isSignal ? markup`Signal “${name.slice(1)}”` : name === "1" ? "Completion of an activity" : "Branches";
  const canSignal = isSignal && visit.site.options.allowActions;
  const rows = members.map(({ id, flow, currentNode, updatedAt, wait }) =>
    markup`<tr><td class="nowrap">${executionRef(visit, id, true)}</td><td><a href="${
      flowLink(visit, flow)
    }">${flow}</a></td><td data-label="at">${currentNode}</td><td class="nowrap" data-label="since">${
      when(updatedAt, visit)
    }</td><td class="nowrap" data-label="until">${
      wait?.until === undefined ? markup`<span class="soft">no limit</span>` : when(wait.until, visit)
    }</td>${canSignal && markup`<td><a href="${executionLink(visit, id)}/signal">Signal</a></td>`}</tr>`
  );
  const columns = ["Execution", "Flow", "Node", "Waiting since", "Until", ...canSignal ? ["Action"] : []];
  const body = markup`<div class="scroll" tabindex="0" role="region" aria-label="${
    isSignal ? name.slice(1) : "Waiting"
  }"><table class="rows">${tableHead(columns)}<tbody>${rows}</tbody></table></div>`;
  return panel(title, body, {
    tools: markup`<span class="soft small">${plural(members.length, "execution")}, the oldest first</span>`,
  });
}

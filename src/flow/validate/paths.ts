/**
 * Checks the ways through a flow: one start, everything reachable, no cycle that never does anything.
 *
 * @module
 */

import { quoted } from "../../names.ts";
import type { Link } from "../links.ts";
import type { NodeDraft } from "../read.ts";
import { cyclesOf } from "../scc.ts";
import type { Context } from "./context.ts";

/** The node that nothing leads to. */
export function startOf(nodes: Iterable<string>, links: readonly Link[]): string | undefined {
  return startsOf(nodes, links)[0];
}

function startsOf(nodes: Iterable<string>, links: readonly Link[]): string[] {
  const entered = new Set(links.map((link) => link.to));
  return [...nodes].filter((id) => !entered.has(id));
}

/** Checks a flow of which each link by itself is right. */
export function checkPaths(context: Context, links: readonly Link[]): void {
  const next = new Map<string, string[]>();
  for (const { from, to } of links) {
    const known = next.get(from);
    if (known === undefined) next.set(from, [to]);
    else known.push(to);
  }
  checkReach(context, links, next);
  checkCycles(context, next);
}

type Next = ReadonlyMap<string, readonly string[]>;

function checkReach({ draft: { def, places }, problems, byId }: Context, links: readonly Link[], next: Next): void {
  const starts = startsOf(byId.keys(), links);
  const [start] = starts;
  if (start === undefined) {
    problems.add(places.of(def, "nodes"), "has no start: every node has another one leading to it");
    return;
  }
  for (const other of starts.slice(1)) {
    problems.add(
      places.of(byId.get(other)!),
      `nothing leads to ${quoted(other)}, and the start is ${quoted(start)}: lead to it, or remove it`,
    );
  }
  const reached = reachable(starts, next);
  for (const [id, node] of byId) {
    if (!reached.has(id)) problems.add(places.of(node), `${quoted(id)} cannot be reached from ${quoted(start)}`);
  }
}

function reachable(starts: readonly string[], next: Next): Set<string> {
  const reached = new Set(starts);
  // A set goes on with what is added to it while it is walked.
  for (const id of reached) for (const to of next.get(id) ?? []) reached.add(to);
  return reached;
}

function checkCycles({ draft: { places }, problems, byId }: Context, next: Next): void {
  for (const cycle of cyclesOf(byId.keys(), (id) => next.get(id) ?? [])) {
    const fan = cycle.find((id) => isOf(byId.get(id), "fanout")) ?? cycle.find((id) => isOf(byId.get(id), "fanin"));
    if (fan === undefined) continue;
    problems.add(places.of(byId.get(fan)!), `${quoted(fan)} is on a cycle (${shown(cycle)}): fans run once`);
  }
  const choices = new Map([...byId].filter(([, node]) => isOf(node, "choice")));
  const between = (id: string) => (next.get(id) ?? []).filter((to) => choices.has(to));
  for (const cycle of cyclesOf(choices.keys(), between)) {
    problems.add(
      places.of(byId.get(cycle[0]!)!),
      `${quoted(cycle[0])} is on a cycle of choices only (${shown(cycle)}), which could turn for ever: ` +
        "put a task or a signal on it",
    );
  }
}

function isOf(node: NodeDraft | undefined, type: NodeDraft["type"]): boolean {
  return node?.type === type;
}

function shown(cycle: readonly string[]): string {
  return cycle.slice(0, 5).join(", ") + (cycle.length > 5 ? ", …" : "");
}

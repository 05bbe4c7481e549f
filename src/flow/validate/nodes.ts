/**
 * Checks each node by itself.
 *
 * @module
 */

import { quoted } from "../../names.ts";
import { spelled } from "../format.ts";
import type { FlowDraft, NodeDraft } from "../read.ts";
import type { Problems } from "../problems.ts";
import { pathOf } from "../source.ts";
import { checkChoice } from "./choice.ts";
import type { Context } from "./context.ts";
import { checkTask } from "./task.ts";

/** The nodes by id; ids that are used twice are reported. */
export function indexNodes({ nodes, places }: FlowDraft, problems: Problems): Map<string, NodeDraft> {
  const byId = new Map<string, NodeDraft>();
  for (const node of nodes) {
    if (node.id === undefined) continue;
    const first = byId.get(node.id);
    if (first === undefined) {
      byId.set(node.id, node);
      continue;
    }
    const where = pathOf(places.of(first));
    problems.add(places.of(node, "id"), `${quoted(node.id)} is the id of ${where} already: ids are unique in a flow`);
  }
  return byId;
}

/** Checks each node for what can be told without the others. */
export function checkNodes(context: Context): void {
  for (const node of context.draft.nodes) checkNode(node, context);
}

function checkNode(node: NodeDraft, context: Context): void {
  switch (node.type) {
    case "task":
      return checkTask(node, context);
    case "choice":
      return checkChoice(node, context);
    case "signal":
      return checkSignal(node, context);
    case "fanout":
      return checkTwice(node.branches, context);
    case "fanin":
      return checkFanin(node, context);
    default:
      return node satisfies never;
  }
}

function checkSignal(signal: NodeDraft<"signal">, { draft: { places }, problems, spelling }: Context): void {
  if (signal.onTimeout === undefined) return;
  const place = places.of(signal, "onTimeout");
  if (!places.has(signal, "timeout")) problems.add(place, "is never taken: give the node a `timeout` too");
  if (signal.onTimeout === signal.id) {
    const field = spelled("onTimeout", spelling);
    problems.add(place, `leads to its own node: leave \`${field}\` and \`timeout\` out to wait without a limit`);
  }
}

function checkFanin(fanin: NodeDraft<"fanin">, context: Context): void {
  const { draft: { places }, problems, spelling } = context;
  checkTwice(fanin.waitFor, context);
  const { waitFor, joinPolicy } = fanin;
  if (waitFor === undefined || joinPolicy === undefined) return;
  const waited = new Set(waitFor).size;
  if (requiredBy(joinPolicy, waited) <= waited || waited === 0) return;
  const field = spelled("waitFor", spelling);
  problems.add(places.of(fanin, "joinPolicy"), `${quoted(joinPolicy)} can never be met: \`${field}\` names ${waited}`);
}

/** How many of the branches waited for have to complete. */
export function requiredBy(joinPolicy: string, waited: number): number {
  if (joinPolicy === "all") return waited;
  return joinPolicy === "any" ? 1 : Number(joinPolicy.slice("quorum:".length));
}

function checkTwice(list: readonly string[] | undefined, { draft: { places }, problems }: Context): void {
  const seen = new Set<string>();
  for (const [index, id] of (list ?? []).entries()) {
    if (seen.has(id)) problems.add(places.of(list!, index), `${quoted(id)} is in the list already: name it once`);
    seen.add(id);
  }
}

/**
 * Checks that fan-outs and fan-ins come in pairs: a fan-out starts tasks of its own and leads to the one fan-in that
 * joins them.
 *
 * @module
 */

import { quoted } from "../../names.ts";
import { NODE_FORMATS } from "../format.ts";
import { groupBy, type Link } from "../links.ts";
import type { NodeDraft } from "../read.ts";
import { suggestion } from "../suggest.ts";
import type { Context } from "./context.ts";
import { branchOwners } from "./edges.ts";

/** Checks all fans of a flow that is whole. */
export function checkFans(context: Context, links: readonly Link[]): void {
  const owners = branchOwners(context);
  const into = groupBy(links.filter((link) => link.by !== "join" && link.by !== "branch"), (link) => link.to);
  const out = new Map(links.filter((link) => link.by === "edge").reverse().map((link) => [link.from, link]));
  for (const node of context.draft.nodes) {
    if (node.type === "fanout") checkFanout(node, { context, owners, edge: out.get(node.id!) });
    if (node.type === "fanin") checkFanin(node, { context, owners, into: into.get(node.id!) ?? [] });
  }
}

interface FanoutOptions {
  readonly context: Context;
  readonly owners: ReadonlyMap<string, string>;
  readonly edge: Link | undefined;
}

function checkFanout(fanout: NodeDraft<"fanout">, { context, owners, edge }: FanoutOptions): void {
  const { draft: { places }, problems, byId } = context;
  for (const [index, branch] of (fanout.branches ?? []).entries()) {
    const place = places.of(fanout.branches!, index);
    const type = byId.get(branch)?.type ?? "task";
    if (type !== "task") problems.add(place, `${quoted(branch)} is ${NODE_FORMATS[type].title}: branches are tasks`);
    const owner = owners.get(branch);
    if (owner !== fanout.id) problems.add(place, `${quoted(branch)} is a branch of ${quoted(owner)} already`);
  }
  if (edge === undefined) {
    problems.add(places.of(fanout), "leads nowhere: add an edge to the fan-in of its branches");
    return;
  }
  const type = byId.get(edge.to)?.type;
  if (type === undefined || type === "fanin") return;
  problems.add(
    places.of(edge.owner, edge.key),
    `leads from the fan-out ${quoted(edge.from)} to ${quoted(edge.to)}, ${NODE_FORMATS[type].title}: ` +
      "it has to lead to the fan-in of its branches",
  );
}

interface FaninOptions {
  readonly context: Context;
  readonly owners: ReadonlyMap<string, string>;
  readonly into: readonly Link[];
}

function checkFanin(fanin: NodeDraft<"fanin">, { context, owners, into }: FaninOptions): void {
  const { draft: { places }, problems, byId } = context;
  let fanout: NodeDraft<"fanout"> | undefined;
  for (const link of into) {
    const source = byId.get(link.from);
    const place = places.of(link.owner, link.key);
    if (source?.type === "fanout") {
      if (fanout === undefined) fanout = source;
      else problems.add(place, `${quoted(fanin.id)} is the fan-in of ${quoted(fanout.id)} already`);
    } else if (!owners.has(link.from)) {
      // An edge out of a branch is reported as that.
      problems.add(place, `leads to the fan-in ${quoted(fanin.id)} from ${quoted(link.from)}: only its fan-out may`);
    }
  }
  if (fanout === undefined) {
    problems.add(places.of(fanin), "is not led to by a fan-out: add an edge from the fan-out of the branches it joins");
    return;
  }
  const own = new Set(fanout.branches);
  for (const [index, branch] of fanin.waitFor!.entries()) {
    if (own.has(branch)) continue;
    problems.add(
      places.of(fanin.waitFor!, index),
      () => `${quoted(branch)} is not a branch of ${quoted(fanout.id)}${suggestion(branch, own)}`,
    );
  }
}

/**
 * Checks the edges, and the other references that lead to a node: who may lead where.
 *
 * @module
 */

import { quoted } from "../../names.ts";
import { spelled } from "../format.ts";
import type { Link } from "../links.ts";
import { pathOf } from "../source.ts";
import type { Context } from "./context.ts";

/** The fan-out of each branch; the first one where several claim it. */
export function branchOwners({ draft: { nodes } }: Context): Map<string, string> {
  const owners = new Map<string, string>();
  for (const node of nodes) {
    if (node.type !== "fanout" || node.id === undefined) continue;
    for (const branch of node.branches ?? []) if (!owners.has(branch)) owners.set(branch, node.id);
  }
  return owners;
}

/** Checks what leads from each node, and that nothing but its fan-out leads to a branch. */
export function checkEdges(context: Context, links: readonly Link[]): void {
  const owners = branchOwners(context);
  const first = new Map<string, Link>();
  for (const link of links) {
    if (link.by === "branch" || link.by === "join") continue;
    const place = context.draft.places.of(link.owner, link.key);
    const fault = sourceFault(link, context, { owners, first }) ?? targetFault(link, owners);
    if (fault !== undefined) context.problems.add(place, fault);
    if (link.by === "edge" && !first.has(link.from)) first.set(link.from, link);
  }
}

interface Known {
  readonly owners: ReadonlyMap<string, string>;
  readonly first: ReadonlyMap<string, Link>;
}

function sourceFault({ from, to, by }: Link, context: Context, { owners, first }: Known): string | undefined {
  // A timeout that leads to its own node is reported with the node.
  if (from === to) return by === "timeout" ? undefined : `leads from ${quoted(from)} to itself`;
  if (by !== "edge") return undefined;
  if (context.byId.get(from)?.type === "choice") {
    return `leads out of the choice ${quoted(from)}, which leads where its rules do: remove the edge`;
  }
  const owner = owners.get(from);
  if (owner !== undefined) {
    const field = spelled("waitFor", context.spelling);
    return `leads out of ${quoted(from)}, a branch of ${quoted(owner)}: branches end at the fan-in that names them ` +
      `in \`${field}\`; remove the edge`;
  }
  const earlier = first.get(from);
  if (earlier === undefined) return undefined;
  const where = pathOf(context.draft.places.of(earlier.owner));
  return `is a second edge out of ${quoted(from)} (the first is ${where}): use a choice or a fan-out`;
}

function targetFault({ to }: Link, owners: ReadonlyMap<string, string>): string | undefined {
  const owner = owners.get(to);
  return owner === undefined
    ? undefined
    : `leads to ${quoted(to)}, a branch of ${quoted(owner)}: only its fan-out starts it`;
}

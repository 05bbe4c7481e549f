/**
 * All the ways that lead from one node to another, as one list.
 *
 * @module
 */

import type { Draft } from "./read.ts";
import type { ChoiceDef, EdgeDef, FlowDef, NodeDef } from "./types.ts";

/** One way from a node to another. */
export interface Link {
  /** The node it leads from. */
  readonly from: string;
  /** The node it leads to. */
  readonly to: string;
  /** What makes it; `join` is the way from a branch to the fan-in that waits for it. */
  readonly by: "edge" | "rule" | "timeout" | "branch" | "join";
  /** The object or list in the definition that holds the reference. */
  readonly owner: object;
  /** The field or index of the reference in its owner. */
  readonly key: string | number;
}

/** The links of a definition that is whole, in the order of its nodes. */
export function linksOf(def: Draft<FlowDef>): Link[] {
  const { nodes, edges = [] } = def as FlowDef;
  const edgesFrom = groupBy(edges, (edge) => edge.from);
  const joins = groupBy(nodes.flatMap(joinsOf), (link) => link.from);
  return nodes.flatMap((node) => [
    ...ownLinks(node),
    ...(edgesFrom.get(node.id) ?? []).map(edgeLink),
    ...joins.get(node.id) ?? [],
    ...timeoutLinks(node),
  ]);
}

/** Items by their keys, in order: `Map.groupBy`, which Node 20 does not have. */
export function groupBy<Key, Item>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function ownLinks(node: NodeDef): Link[] {
  if (node.type === "choice") return ruleLinks(node);
  if (node.type !== "fanout") return [];
  const { id, branches } = node;
  return branches.map((to, key) => ({ from: id, to, by: "branch", owner: branches, key }));
}

function ruleLinks({ id, rules }: ChoiceDef): Link[] {
  return rules.map((rule) => ({ from: id, to: rule.to, by: "rule", owner: rule, key: "to" }));
}

function edgeLink(edge: EdgeDef): Link {
  return { from: edge.from, to: edge.to, by: "edge", owner: edge, key: "to" };
}

function joinsOf(node: NodeDef): Link[] {
  if (node.type !== "fanin") return [];
  const { id, waitFor } = node;
  return waitFor.map((from, key) => ({ from, to: id, by: "join", owner: waitFor, key }));
}

function timeoutLinks(node: NodeDef): Link[] {
  if (node.type !== "signal" || node.onTimeout === undefined) return [];
  return [{ from: node.id, to: node.onTimeout, by: "timeout", owner: node, key: "onTimeout" }];
}

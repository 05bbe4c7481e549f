/**
 * What pictures of a flow say: of its nodes, and of the ways between them.
 *
 * @module
 */

import type { FlowGraph, GraphNode } from "../../../mod.ts";

const MAX_LABEL = 60;

/** What a node is, in a few words. */
export function nodeLabel(node: GraphNode): string {
  switch (node.type) {
    case "task":
      return shortened(node.invoker === "nats-task" ? node.target ?? "" : [node.invoker, node.target].join(" ").trim());
    case "fanout":
      return "fan-out";
    case "fanin":
      return `fan-in, ${node.joinPolicy}`;
    case "choice":
      return "choice";
    case "signal":
      return `signal ${node.signalName}${node.timeout === undefined ? "" : `, ${hours(node.timeout)}`}`;
    default:
      return node.type satisfies never;
  }
}

/** Why a way is taken, where there is more to say than that the node was done. */
export function edgeLabel(graph: FlowGraph, edge: { from: string; to: string }): string | undefined {
  const node = graph.nodes.find(({ id }) => id === edge.from)!;
  if (node.type === "signal" && node.onTimeout === edge.to) return "timeout";
  const rules = (node.rules ?? []).filter(({ to }) => to === edge.to);
  if (rules.length === 0) return undefined;
  return rules.map(({ when }) => when === undefined ? "else" : shortened(when)).join(" | ");
}

/** The node that an execution begins at. */
export function startOf(graph: FlowGraph): GraphNode {
  const entered = new Set(graph.edges.map(({ to }) => to));
  return graph.nodes.find(({ id }) => !entered.has(id)) ?? graph.nodes[0]!;
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL - 1)}…` : line;
}

function hours(ms: number): string {
  for (const [unit, size] of [["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

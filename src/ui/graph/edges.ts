/**
 * What the edges of a flow mean.
 *
 * @module
 */

import type { FlowGraph } from "../../../mod.ts";

/** What an edge means. */
export interface EdgeKind {
  /** The index of the node it starts at. */
  readonly source: number;
  /** A plain edge, a rule of a choice, its default, a branch of a fan-out, or a timeout. */
  readonly kind: "next" | "rule" | "default" | "branch" | "timeout";
  /** What has to hold for it to be taken. */
  readonly label?: string;
}

/** The meaning of an edge. */
export function edgeKind(graph: FlowGraph, { from, to }: { from: string; to: string }): EdgeKind {
  const source = graph.nodes.findIndex(({ id }) => id === from);
  const node = graph.nodes[source];
  switch (node?.type) {
    case "choice": {
      const rules = (node.rules ?? []).filter((rule) => rule.to === to);
      const when = rules.filter((rule) => rule.when !== undefined).map((rule) => rule.when!);
      if (when.length === 0) return { source, kind: "default", label: "otherwise" };
      return {
        source,
        kind: "rule",
        label: rules.length > when.length ? [...when, "otherwise"].join(" · ") : when.join(" · "),
      };
    }
    case "fanout":
      return { source, kind: "branch" };
    case "signal":
      return node.onTimeout === to ? { source, kind: "timeout", label: "timeout" } : { source, kind: "next" };
    default:
      return { source, kind: "next" };
  }
}

/** The edges to draw: that from a fan-out to its fan-in is what its branches are. */
export function drawnEdges({ nodes, edges }: FlowGraph): { from: string; to: string }[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return edges.filter(({ from, to }) => {
    const [start, end] = [byId.get(from), byId.get(to)];
    if (start === undefined || end === undefined) return false;
    return !(start.type === "fanout" && end.type === "fanin" &&
      end.waitFor?.some((name) => start.branches?.includes(name)));
  });
}

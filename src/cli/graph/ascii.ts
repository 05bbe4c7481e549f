/**
 * A flow as a tree of lines.
 *
 * @module
 */

import type { FlowGraph } from "../../../mod.ts";
import { edgeLabel, nodeLabel, startOf } from "./labels.ts";

interface Visit {
  readonly id: string;
  /** Why the way here is taken. */
  readonly why: string | undefined;
  /** What stands before the line, and before the lines below it. */
  readonly prefix: string;
  readonly below: string;
}

/** A flow as a tree: a node that was shown before is only named. */
export function asciiGraph(graph: FlowGraph): string {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const lines = [graph.name];
  const seen = new Set<string>();
  const stack: Visit[] = [{ id: startOf(graph).id, why: undefined, prefix: "", below: "" }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { id, why, prefix, below } = visit;
    const label = why === undefined ? "" : `[${why}] `;
    if (seen.has(id)) {
      lines.push(`${prefix}${label}${id} ↑`);
      continue;
    }
    seen.add(id);
    lines.push(`${prefix}${label}${id} (${nodeLabel(nodes.get(id)!)})`);
    const next = shownWays(graph, id);
    const only = next.length === 1;
    const visits = next.map(({ to, why }, index): Visit => {
      const isLast = index === next.length - 1;
      if (only) return { id: to, why, prefix: `${below}↓ `, below };
      const [branch, line] = isLast ? ["└─ ", "   "] : ["├─ ", "│  "];
      return { id: to, why, prefix: below + branch, below: below + line };
    });
    stack.push(...visits.reverse());
  }
  return lines.join("\n");
}

/** The ways out of a node. Branches end at their join, which is shown after them and not after each. */
function shownWays(graph: FlowGraph, id: string) {
  const ways = graph.edges.filter(({ from }) => from === id);
  const isJoin = (to: string) => graph.nodes.some((node) => node.id === to && node.waitFor?.includes(id));
  return ways.filter(({ to }) => !isJoin(to)).map((way) => ({ to: way.to, why: edgeLabel(graph, way) }));
}

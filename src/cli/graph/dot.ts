/**
 * A flow in Graphviz' language.
 *
 * @module
 */

import type { FlowGraph, GraphNode } from "../../../mod.ts";
import { edgeLabel, nodeLabel } from "./labels.ts";

const SHAPES: Readonly<Record<GraphNode["type"], string>> = {
  task: "box",
  fanout: "trapezium",
  fanin: "invtrapezium",
  choice: "diamond",
  signal: "oval",
};

/** A flow in Graphviz' language. */
export function dotGraph(graph: FlowGraph): string {
  const nodes = graph.nodes.map((node) =>
    `  ${quoted(node.id)} [shape=${SHAPES[node.type]}, label=${quoted(`${node.id}\n${nodeLabel(node)}`)}];`
  );
  const edges = graph.edges.map((edge) => {
    const label = edgeLabel(graph, edge);
    return `  ${quoted(edge.from)} -> ${quoted(edge.to)}${label === undefined ? "" : ` [label=${quoted(label)}]`};`;
  });
  return [`digraph ${quoted(graph.name)} {`, ...nodes, ...edges, "}"].join("\n");
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/**
 * A flow as a Mermaid flowchart.
 *
 * @module
 */

import type { FlowGraph, GraphNode } from "../../../mod.ts";
import { edgeLabel, nodeLabel } from "./labels.ts";

/** A flow as a Mermaid flowchart. */
export function mermaidGraph(graph: FlowGraph): string {
  // Ids of a flow may be words that Mermaid keeps for itself: `end`, `subgraph`.
  const ids = new Map(graph.nodes.map(({ id }, index) => [id, `n${index}`]));
  const nodes = graph.nodes.map((node) => `  ${ids.get(node.id)}${shape(node)}`);
  const edges = graph.edges.map((edge) => {
    const label = edgeLabel(graph, edge);
    return `  ${ids.get(edge.from)} -->${label === undefined ? "" : `|"${escaped(label)}"|`} ${ids.get(edge.to)}`;
  });
  return ["flowchart TD", ...nodes, ...edges].join("\n");
}

function shape(node: GraphNode): string {
  const text = `"${escaped(node.id)}<br/><small>${escaped(nodeLabel(node))}</small>"`;
  switch (node.type) {
    case "task":
      return `[${text}]`;
    case "fanout":
      return `[/${text}\\]`;
    case "fanin":
      return `[\\${text}/]`;
    case "choice":
      return `{${text}}`;
    case "signal":
      return `([${text}])`;
    default:
      return node.type satisfies never;
  }
}

/** Mermaid's own escapes: a number between `#` and `;`. */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:()_=+*/'?!-]/gu, (char) => `#${char.codePointAt(0)};`);
}

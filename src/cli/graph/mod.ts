/**
 * Pictures of flows as text: for terminals, Mermaid and Graphviz.
 *
 * @module
 */

import type { FlowGraph } from "../../../mod.ts";
import { layOut } from "../../ui/graph/layout.ts";
import { drawFlow } from "../../ui/graph/svg.ts";
import { svgDocument } from "../../ui/svg_document.ts";
import { asciiGraph } from "./ascii.ts";
import { dotGraph } from "./dot.ts";
import { mermaidGraph } from "./mermaid.ts";

/** The formats there are. */
export const FORMATS = ["ascii", "mermaid", "dot", "svg"] as const;

/** A format. */
export type GraphFormat = (typeof FORMATS)[number];

/** A flow as a picture in text. */
export function graphText(graph: FlowGraph, format: GraphFormat): string {
  switch (format) {
    case "ascii":
      return asciiGraph(graph);
    case "mermaid":
      return mermaidGraph(graph);
    case "dot":
      return dotGraph(graph);
    case "svg":
      return svgDocument(drawFlow(graph, layOut(graph, { direction: "down" })), "");
    default:
      return format satisfies never;
  }
}

/**
 * A flow's graph as SVG. Colours come from the style sheet, by class.
 *
 * @module
 */

import type { FlowGraph, GraphNode } from "../../../mod.ts";
import { type Html, markup, trusted } from "../html.ts";
import { LABEL_LENGTH, type Layout, NODE_HEIGHT, NODE_WIDTH, type PlacedEdge, type PlacedNode } from "./layout.ts";
import type { Marks, NodeMark } from "./marks.ts";

const MAX_NAME = 18;
const MAX_NOTE = 22;
const NO_MARKS: Marks = { nodes: new Map(), taken: new Set() };

/** Draws a graph. */
export function drawFlow(graph: FlowGraph, layout: Layout, marks: Marks = NO_MARKS): Html {
  const { width, height } = layout;
  const isMarked = marks.nodes.size > 0;
  const order = (edge: PlacedEdge) => Number(isTaken(edge, marks));
  const edges = layout.edges.toSorted((left, right) => order(left) - order(right));
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="graph${
    isMarked ? " marked" : ""
  }" viewBox="0 0 ${width} ${height}"
      width="${width}" height="${height}" role="group" aria-label="Graph of flow ${graph.name}: ${graph.nodes.length} nodes">
      <defs>${marker("arrow")}${marker("arrow-taken")}</defs>
      <g class="edges" aria-hidden="true">${edges.map((edge) => drawEdge(edge, marks))}</g>
      <g class="nodes">${layout.nodes.map((placed) => drawNode(placed, marks.nodes.get(placed.node.id)))}</g>
      <g class="labels" aria-hidden="true">${layout.edges.map(drawLabel)}</g>
    </svg>`;
}

/** What a node is, in a few words. */
export function describeNode(node: GraphNode): string {
  switch (node.type) {
    case "task": {
      const target = node.target === undefined ? "" : ` · ${node.target}`;
      return node.invoker === "nats-task" && target !== "" ? node.target! : `${node.invoker}${target}`;
    }
    case "fanout":
      return `fan-out of ${node.branches?.length ?? 0}`;
    case "fanin":
      return joinText(node.joinPolicy ?? "all", node.waitFor?.length ?? 0);
    case "choice":
      return `choice of ${node.rules?.length ?? 0}`;
    case "signal":
      return `signal ${node.signalName}`;
  }
}

/** A text of bounded length. */
export function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function joinText(policy: string, branches: number): string {
  if (policy === "all") return `join: all ${branches}`;
  if (policy === "any") return `join: any of ${branches}`;
  return `join: ${policy.replace("quorum:", "")} of ${branches}`;
}

function isTaken({ from, to }: PlacedEdge, marks: Marks): boolean {
  return marks.taken.has(`${from} ${to}`);
}

function marker(id: string): Html {
  return markup`<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0.5,0.5 L7,4 L0.5,7.5 Z" /></marker>`;
}

function drawEdge(edge: PlacedEdge, marks: Marks): Html {
  const taken = isTaken(edge, marks);
  return markup`<path class="edge ${edge.kind}${taken ? " taken" : ""}" d="${edge.path}" marker-end="url(#${
    taken ? "arrow-taken" : "arrow"
  })" />`;
}

function drawLabel({ label, labelAt }: PlacedEdge): Html | undefined {
  if (label === undefined) return undefined;
  return markup`<text class="label" x="${labelAt.x}" y="${labelAt.y}"><title>${label}</title>${
    clip(label, LABEL_LENGTH)
  }</text>`;
}

function drawNode({ node, x, y }: PlacedNode, mark: NodeMark | undefined): Html {
  const what = describeNode(node);
  const note = mark?.note ?? what;
  const spoken = `${node.id}: ${node.type}, ${what}${mark === undefined ? "" : `, ${mark.note ?? mark.state}`}`;
  const body = markup`<title>${spoken}</title><rect width="${NODE_WIDTH}" height="${NODE_HEIGHT}" rx="${
    node.type === "task" ? 8 : 23
  }" /><g class="icon" transform="translate(13 15)">${trusted(ICONS[node.type])}</g><text class="name" x="38" y="20">${
    clip(node.id, MAX_NAME)
  }</text><text class="note" x="38" y="35">${clip(note, MAX_NOTE)}</text>`;
  const classes = `node ${node.type}${mark === undefined ? "" : ` is-${mark.state}`}`;
  const place = `translate(${x} ${y})`;
  if (mark?.href === undefined) {
    return markup`<g class="${classes}" transform="${place}" role="img" aria-label="${spoken}">${body}</g>`;
  }
  return markup`<a href="${mark.href}" class="${classes}" transform="${place}">${body}</a>`;
}

/** 16 by 16: a box, two ways out of one, two ways into one, a diamond, a bell. */
const ICONS: Readonly<Record<GraphNode["type"], string>> = {
  task: `<rect x="2" y="2" width="12" height="12" rx="3"/><path d="M6 5.5 10.5 8 6 10.5Z"/>`,
  fanout: `<path d="M1 8h5M6 8c3 0 3-5 8-5M6 8h8M6 8c3 0 3 5 8 5"/>`,
  fanin: `<path d="M15 8h-5M10 8c-3 0-3-5-8-5M10 8H2M10 8c-3 0-3 5-8 5"/>`,
  choice: `<path d="M8 1.5 14.5 8 8 14.5 1.5 8Z"/>`,
  signal: `<path d="M3.5 11.5c1-1 1-2 1-4a3.5 3.5 0 0 1 7 0c0 2 0 3 1 4ZM6.5 14h3"/>`,
};

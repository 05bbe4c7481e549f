/**
 * The layout of a flow's graph: a place for every node, a line for every edge.
 *
 * @module
 */

import type { FlowGraph, GraphNode } from "../../../mod.ts";
import { drawnEdges, type EdgeKind, edgeKind } from "./edges.ts";
import { type Item, type Layers, layersOf } from "./layers.ts";
import { placeAcross } from "./place.ts";

/** A point of the picture. */
export interface Point {
  /** From the left. */
  readonly x: number;
  /** From the top. */
  readonly y: number;
}

/** A node with its place: the top left corner. */
export interface PlacedNode extends Point {
  /** The node. */
  readonly node: GraphNode;
}

/** An edge with its line. */
export interface PlacedEdge extends EdgeKind {
  /** Where it starts. */
  readonly from: string;
  /** Where it ends. */
  readonly to: string;
  /** Its line: the data of an SVG path. */
  readonly path: string;
  /** Where its label stands. */
  readonly labelAt: Point;
}

/** A graph with its places. */
export interface Layout {
  /** The width of the picture. */
  readonly width: number;
  /** The height of the picture. */
  readonly height: number;
  /** The nodes. */
  readonly nodes: readonly PlacedNode[];
  /** The edges. */
  readonly edges: readonly PlacedEdge[];
}

/** How a graph is laid out. */
export interface LayoutOptions {
  /** Where it leads. */
  readonly direction: "down" | "right";
}

/** The width of a node. */
export const NODE_WIDTH = 184;
/** The height of a node. */
export const NODE_HEIGHT = 46;

const MARGIN = 14;
const BEND = 12;
const MOST_BESIDE = { down: 6, right: 12 } as const;
const LANE = 20;
const LABEL_STEP = 14;
const LETTER = 6;
/** How much of a label is drawn, in characters. */
export const LABEL_LENGTH = 26;

/** Lays a graph out. */
export function layOut(graph: FlowGraph, { direction }: LayoutOptions): Layout {
  const index = new Map(graph.nodes.map((node, index) => [node.id, index]));
  const edges = drawnEdges(graph);
  const kinds = edges.map((edge) => edgeKind(graph, edge));
  const links = edges.map(({ from, to }) => ({ from: index.get(from)!, to: index.get(to)! }));
  const layers = layersOf(graph.nodes.length, links, MOST_BESIDE[direction]);
  const frame = new Frame(layers, kinds, direction === "down");
  const placed = edges.map((edge, at): PlacedEdge => {
    const ends = [layers.items[index.get(edge.from)!]!, layers.items[index.get(edge.to)!]!] as const;
    return { ...edge, ...kinds[at]!, ...frame.line(at, ends, kinds[at]!.label) };
  });
  return {
    ...frame.size(),
    nodes: graph.nodes.map((node, at) => ({ node, ...frame.corner(layers.items[at]!) })),
    edges: placed,
  };
}

/**
 * Turns ranks and places across them into points: `along` is the direction the flow leads in, `across` the other.
 */
class Frame {
  readonly #layers: Layers;
  readonly #isDown: boolean;
  readonly #across: Map<Item, number>;
  readonly #tops: number[] = [];
  readonly #depth: number;
  readonly #breadth: number;
  readonly #lanes: { at: number; from: number; to: number }[] = [];
  readonly #labels: { x: number; y: number; half: number }[] = [];
  #alongEnd: number;
  #acrossEnd = 0;

  constructor(layers: Layers, kinds: readonly EdgeKind[], isDown: boolean) {
    this.#layers = layers;
    this.#isDown = isDown;
    this.#depth = isDown ? NODE_HEIGHT : NODE_WIDTH;
    this.#breadth = isDown ? NODE_WIDTH : NODE_HEIGHT;
    const gap = (left: Item, right: Item) =>
      left.node === undefined || right.node === undefined ? BEND : isDown ? 26 : 22;
    this.#across = placeAcross(layers.ranks, layers.bends, { size: (item) => this.#sizeOf(item), gap });
    for (const [item, at] of this.#across) this.#acrossEnd = Math.max(this.#acrossEnd, at + this.#sizeOf(item) / 2);
    let along = 0;
    layers.ranks.forEach((rank) => {
      this.#tops.push(along);
      along += this.#depth + this.#gapBelow(rank, kinds);
    });
    this.#alongEnd = (this.#tops.at(-1) ?? 0) + this.#depth;
  }

  /** The size of the picture; after all lines are drawn. */
  size(): { width: number; height: number } {
    const along = this.#alongEnd + 2 * MARGIN;
    const across = this.#acrossEnd + 2 * MARGIN;
    return this.#isDown
      ? { width: round(across), height: round(along) }
      : { width: round(along), height: round(across) };
  }

  /** The top left corner of a node. */
  corner(item: Item): Point {
    return this.#point(this.#tops[item.rank]!, this.#across.get(item)! - this.#breadth / 2);
  }

  /** The line of an edge, and where its label stands. */
  line(edge: number, [start, end]: readonly [Item, Item], label?: string): { path: string; labelAt: Point } {
    return this.#layers.back.has(edge) ? this.#backLine(start, end) : this.#forwardLine(edge, [start, end], label);
  }

  #forwardLine(
    edge: number,
    [start, end]: readonly [Item, Item],
    label: string | undefined,
  ): { path: string; labelAt: Point } {
    let from = { along: this.#tops[start.rank]! + this.#depth, across: this.#across.get(start)! };
    const path = [`M${this.#text(from.along, from.across)}`];
    let labelAt: Point | undefined;
    for (const item of [...this.#layers.bends[edge]!, end]) {
      const to = { along: this.#tops[item.rank]!, across: this.#across.get(item)! };
      const half = (from.along + to.along) / 2;
      path.push(`C${this.#text(half, from.across)} ${this.#text(half, to.across)} ${this.#text(to.along, to.across)}`);
      labelAt ??= this.#labelPoint(to.along, to.across, label);
      from = { along: to.along + this.#depth, across: to.across };
      if (item !== end) path.push(`L${this.#text(from.along, from.across)}`);
    }
    return { path: path.join(""), labelAt: labelAt! };
  }

  /** Out of the side, along a lane of its own beside everything, and back into the side. */
  #backLine(start: Item, end: Item): { path: string; labelAt: Point } {
    const from = this.#sideOf(start);
    const to = this.#sideOf(end);
    const lane = this.#lane(end.rank, start.rank);
    const corners = [
      from.side,
      ...from.detour,
      { along: from.detour.at(-1)?.along ?? from.side.along, across: lane },
      { along: to.detour.at(-1)?.along ?? to.side.along, across: lane },
      ...to.detour.toReversed(),
      to.side,
    ];
    this.#acrossEnd = Math.max(this.#acrossEnd, lane + 6);
    const middle = (corners[from.detour.length + 1]!.along + corners[from.detour.length + 2]!.along) / 2;
    return { path: this.#rounded(corners), labelAt: this.#point(middle, lane) };
  }

  /** Where a back edge touches a node: its side, or, where others stand beside it, around them through the gap. */
  #sideOf(item: Item): { side: Place; detour: Place[] } {
    const along = this.#tops[item.rank]! + this.#depth / 2;
    const across = this.#across.get(item)! + this.#breadth / 2;
    const isOutermost = this.#layers.ranks[item.rank]!.at(-1) === item;
    if (isOutermost) return { side: { along, across }, detour: [] };
    const below = this.#tops[item.rank]! + this.#depth + 12;
    this.#alongEnd = Math.max(this.#alongEnd, below);
    const inside = across - this.#breadth / 4;
    return { side: { along: below - 12, across: inside }, detour: [{ along: below, across: inside }] };
  }

  #lane(fromRank: number, toRank: number): number {
    let base = 0;
    for (let rank = fromRank; rank <= toRank; rank++) {
      for (const item of this.#layers.ranks[rank] ?? []) {
        base = Math.max(base, this.#across.get(item)! + this.#sizeOf(item) / 2);
      }
    }
    for (let at = base + LANE;; at += LANE) {
      const isTaken = this.#lanes.some((lane) =>
        Math.abs(lane.at - at) < LANE && lane.from <= toRank && fromRank <= lane.to
      );
      if (isTaken) continue;
      this.#lanes.push({ at, from: fromRank, to: toRank });
      return at;
    }
  }

  #rounded(corners: readonly Place[]): string {
    const path = [`M${this.#text(corners[0]!.along, corners[0]!.across)}`];
    for (let index = 1; index < corners.length - 1; index++) {
      const corner = corners[index]!;
      const before = towards(corner, corners[index - 1]!);
      const after = towards(corner, corners[index + 1]!);
      path.push(`L${this.#text(before.along, before.across)}`);
      path.push(`Q${this.#text(corner.along, corner.across)} ${this.#text(after.along, after.across)}`);
    }
    const last = corners.at(-1)!;
    path.push(`L${this.#text(last.along, last.across)}`);
    return path.join("");
  }

  /** Labels that would stand on one another stand above one another. */
  #labelPoint(along: number, across: number, label: string | undefined): Point {
    const { x, y } = this.#isDown ? this.#point(along - 10, across) : this.#point(along - 44, across - 6);
    if (label === undefined) return { x, y };
    const half = Math.min(label.length, LABEL_LENGTH) * LETTER / 2;
    let free = y;
    const isTaken = () =>
      this.#labels.some((other) => Math.abs(other.y - free) < LABEL_STEP && Math.abs(other.x - x) < other.half + half);
    while (isTaken() && y - free < 2 * LABEL_STEP) free -= LABEL_STEP;
    this.#labels.push({ x, y: free, half });
    return { x, y: free };
  }

  #gapBelow(rank: readonly Item[], kinds: readonly EdgeKind[]): number {
    const isLabelled = rank.some(({ node, below }) =>
      node !== undefined && below.length > 0 && this.#labelled(node, kinds)
    );
    if (this.#isDown) return isLabelled ? 58 : 38;
    return isLabelled ? 116 : 56;
  }

  #labelled(node: number, kinds: readonly EdgeKind[]): boolean {
    return kinds.some((kind) => kind.label !== undefined && kind.source === node);
  }

  #sizeOf(item: Item): number {
    return item.node === undefined ? BEND : this.#breadth;
  }

  #point(along: number, across: number): Point {
    const [x, y] = this.#isDown ? [across, along] : [along, across];
    return { x: round(x + MARGIN), y: round(y + MARGIN) };
  }

  #text(along: number, across: number): string {
    const { x, y } = this.#point(along, across);
    return `${x},${y}`;
  }
}

interface Place {
  readonly along: number;
  readonly across: number;
}

const RADIUS = 8;

/** A point on the way from a corner, where its rounding ends. */
function towards(corner: Place, other: Place): Place {
  const along = other.along - corner.along;
  const across = other.across - corner.across;
  const length = Math.hypot(along, across) || 1;
  const part = Math.min(RADIUS, length / 2) / length;
  return { along: corner.along + along * part, across: corner.across + across * part };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

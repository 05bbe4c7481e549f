/**
 * Layers of a graph: which node stands in which rank, and in which order.
 *
 * Edges that close a cycle are set aside. Of what is left, each node's rank is the length of the longest path to it; an
 * edge over several ranks gets a bend in each rank it passes, so that it is given room there. The order in a rank is
 * that of the mean position of the neighbours, over several sweeps, the one with the fewest crossings winning.
 *
 * @module
 */

/** An edge from one node to another, by their indexes. */
export interface Link {
  /** Where it starts. */
  readonly from: number;
  /** Where it ends. */
  readonly to: number;
}

/** A node of the graph, or a bend of an edge. */
export interface Item {
  /** The node's index; absent for a bend. */
  readonly node?: number;
  /** The edge that bends here; absent for a node. */
  readonly edge?: number;
  /** The rank. */
  readonly rank: number;
  /** Items of the rank above that lead here. */
  readonly above: Item[];
  /** Items of the rank below that this leads to. */
  readonly below: Item[];
  /** A bend that many edges share: those out of one node run along one side, those into one along the other. */
  readonly trunk?: "out" | "in";
  /** The node that the edges of a shared bend have in common. */
  readonly hub?: Item;
  /** The place in its rank. */
  order: number;
}

/** A graph in layers. */
export interface Layers {
  /** The items of each rank, in order. */
  readonly ranks: Item[][];
  /** The item of each node. */
  readonly items: readonly Item[];
  /** The bends of each edge, from its start to its end. */
  readonly bends: readonly (readonly Item[])[];
  /** The edges that close a cycle; they have no bends. */
  readonly back: ReadonlySet<number>;
}

const SWEEPS = 12;

/** Puts a graph of `size` nodes into layers. A rank of more than `most` nodes becomes several. */
export function layersOf(size: number, links: readonly Link[], most: number): Layers {
  const back = backLinks(size, links);
  const rankOf = wrapped(longestPaths(size, links, back), most);
  const items = rankOf.map((rank, node): Item => ({ node, rank, above: [], below: [], order: 0 }));
  const ranks: Item[][] = Array.from({ length: Math.max(0, ...rankOf) + 1 }, () => []);
  for (const item of items) ranks[item.rank]!.push(item);
  const trunks = new Map<string, Item>();
  const bends = links.map((link, edge) => {
    if (back.has(edge)) return [];
    const trunk = trunkOf(link, links, most);
    const end = items[link.to]!;
    const passed: Item[] = [];
    let last = items[link.from]!;
    for (let rank = last.rank + 1; rank < end.rank; rank++) {
      const shared = trunk === undefined ? undefined : trunks.get(`${trunk.key} ${rank}`);
      const bend = shared ?? {
        edge,
        rank,
        above: [],
        below: [],
        order: 0,
        ...(trunk === undefined ? {} : { trunk: trunk.side, hub: items[trunk.side === "out" ? link.from : link.to]! }),
      };
      if (shared === undefined) ranks[rank]!.push(bend);
      if (trunk !== undefined) trunks.set(`${trunk.key} ${rank}`, bend);
      passed.push(bend);
      join(last, bend);
      last = bend;
    }
    join(last, end);
    return passed;
  });
  return { ranks: ordered(ranks), items, bends, back };
}

interface Trunk {
  readonly key: string;
  readonly side: "out" | "in";
}

/** The edges of a node that has too many for one rank run together, as far as they go side by side. */
function trunkOf({ from, to }: Link, links: readonly Link[], most: number): Trunk | undefined {
  if (links.filter((link) => link.from === from).length > most) return { key: `out ${from}`, side: "out" };
  if (links.filter((link) => link.to === to).length > most) return { key: `in ${to}`, side: "in" };
  return undefined;
}

function join(upper: Item, lower: Item): void {
  if (upper.below.includes(lower)) return;
  upper.below.push(lower);
  lower.above.push(upper);
}

/** The edges that lead back to a node on the way to where they start. */
function backLinks(size: number, links: readonly Link[]): Set<number> {
  const leaving: number[][] = Array.from({ length: size }, () => []);
  links.forEach((link, index) => leaving[link.from]!.push(index));
  const back = new Set<number>();
  const state = new Uint8Array(size); // 1: on the way, 2: done
  const entered = new Set(links.map((link) => link.to));
  const starts = [...Array(size).keys()].sort((left, right) => Number(entered.has(left)) - Number(entered.has(right)));
  for (const start of starts) {
    if (state[start] !== 0) continue;
    const way = [{ node: start, next: 0 }];
    state[start] = 1;
    while (way.length > 0) {
      const top = way.at(-1)!;
      const edge = leaving[top.node]![top.next++];
      if (edge === undefined) {
        state[top.node] = 2;
        way.pop();
        continue;
      }
      const { to } = links[edge]!;
      if (state[to] === 1) back.add(edge);
      else if (state[to] === 0) {
        state[to] = 1;
        way.push({ node: to, next: 0 });
      }
    }
  }
  return back;
}

function longestPaths(size: number, links: readonly Link[], back: ReadonlySet<number>): number[] {
  const forward = links.filter((_, index) => !back.has(index));
  const missing = new Array<number>(size).fill(0);
  const leaving: number[][] = Array.from({ length: size }, () => []);
  for (const { from, to } of forward) {
    missing[to]!++;
    leaving[from]!.push(to);
  }
  const rank = new Array<number>(size).fill(0);
  const ready = [...rank.keys()].filter((node) => missing[node] === 0);
  for (let node = ready.shift(); node !== undefined; node = ready.shift()) {
    for (const to of leaving[node]!) {
      rank[to] = Math.max(rank[to]!, rank[node]! + 1);
      if (--missing[to]! === 0) ready.push(to);
    }
  }
  return rank;
}

/** The ranks where those that are too full are wrapped, evenly, as a line of text is. */
function wrapped(rankOf: readonly number[], most: number): number[] {
  const members = new Map<number, number[]>(rankOf.map((rank) => [rank, []]));
  rankOf.forEach((rank, node) => members.get(rank)!.push(node));
  const result = [...rankOf];
  let added = 0;
  for (const rank of [...members.keys()].sort((left, right) => left - right)) {
    const nodes = members.get(rank)!;
    const rows = Math.ceil(nodes.length / most);
    const width = Math.ceil(nodes.length / rows);
    nodes.forEach((node, index) => result[node] = rank + added + Math.floor(index / width));
    added += rows - 1;
  }
  return result;
}

function ordered(ranks: Item[][]): Item[][] {
  ranks.forEach(number);
  let best = ranks.map((rank) => [...rank]);
  let fewest = crossings(ranks);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const isDown = sweep % 2 === 0;
    const indexes = [...ranks.keys()];
    for (const index of isDown ? indexes : indexes.reverse()) {
      const rank = ranks[index]!;
      const mean = new Map(rank.map((item) => [item, meanOrder(isDown ? item.above : item.below, item.order)]));
      rank.sort((left, right) => mean.get(left)! - mean.get(right)!);
      number(rank);
    }
    const count = crossings(ranks);
    if (count < fewest) {
      fewest = count;
      best = ranks.map((rank) => [...rank]);
    }
  }
  const sided = best.map((rank) => rank.toSorted((left, right) => sideOf(left) - sideOf(right)));
  sided.forEach(number);
  return sided;
}

function sideOf({ trunk }: Item): number {
  return trunk === "out" ? -1 : trunk === "in" ? 1 : 0;
}

function number(rank: readonly Item[]): void {
  rank.forEach((item, index) => item.order = index);
}

function meanOrder(neighbours: readonly Item[], otherwise: number): number {
  if (neighbours.length === 0) return otherwise;
  return neighbours.reduce((sum, { order }) => sum + order, 0) / neighbours.length;
}

/** How often edges cross: pairs whose ends are in the other order than their starts. */
function crossings(ranks: readonly (readonly Item[])[]): number {
  let count = 0;
  for (const rank of ranks) {
    const seen: number[] = [];
    for (const item of rank) {
      const ends = item.below.map(({ order }) => order).sort((left, right) => left - right);
      for (const end of ends) count += seen.filter((other) => other > end).length;
      seen.push(...ends);
    }
  }
  return count;
}

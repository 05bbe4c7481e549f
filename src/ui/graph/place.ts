/**
 * Where the items of each rank stand across it: as close to the middle of their neighbours as their order and their
 * sizes allow.
 *
 * @module
 */

import type { Item } from "./layers.ts";

/** How much room items need. */
export interface Spacing {
  /** The size of an item across its rank. */
  size(item: Item): number;
  /** The room between two items that stand side by side. */
  gap(left: Item, right: Item): number;
}

const ROUNDS = 24;

/** The middle of every item, `chains` being the bends of each edge; the smallest edge is at 0. */
export function placeAcross(
  ranks: readonly (readonly Item[])[],
  chains: readonly (readonly Item[])[],
  spacing: Spacing,
): Map<Item, number> {
  const middle = new Map<Item, number>();
  for (const rank of ranks) spread(rank, rank.map(() => 0), rank.map(() => 1), spacing, middle);
  for (let round = 0; round < ROUNDS; round++) {
    const isLast = round >= ROUNDS - 4;
    const isDown = isLast || round % 2 === 0;
    for (const rank of isDown ? ranks : [...ranks].reverse()) {
      const wanted = rank.map((item) => {
        const near = isLast ? hold(item) : isDown ? item.above : item.below;
        return near.length === 0 ? middle.get(item)! : pull(item, near, middle);
      });
      // A bend that moves makes a kink; a node only shifts.
      spread(rank, wanted, rank.map((item) => item.node === undefined ? 4 : 1), spacing, middle);
    }
  }
  for (const chain of chains) if (chain.length > 1) straighten(chain, ranks, spacing, middle);
  const least = Math.min(...[...middle].map(([item, at]) => at - spacing.size(item) / 2));
  for (const [item, at] of middle) middle.set(item, at - least);
  return middle;
}

/** What an item is held by in the end: a chain hangs straight from its first item, others keep to the middle. */
function hold(item: Item): readonly Item[] {
  const [only] = item.above;
  return item.above.length === 1 && only!.below.length === 1 ? item.above : [...item.above, ...item.below];
}

/** Where the neighbours draw an item: the more they have only each other, the more. */
function pull(item: Item, near: readonly Item[], middle: ReadonlyMap<Item, number>): number {
  let sum = 0;
  let weights = 0;
  for (const other of near) {
    const weight = stiffness(item, other);
    // What hangs on a shared bend stands below its node, wherever the bend is.
    sum += weight * middle.get(item.node === undefined ? other : other.hub ?? other)!;
    weights += weight;
  }
  return sum / weights;
}

function stiffness(item: Item, other: Item): number {
  const [upper, lower] = item.rank < other.rank ? [item, other] : [other, item];
  const isOnly = upper.below.length === 1 && lower.above.length === 1;
  if (item.node === undefined && other.node === undefined) return 8;
  return isOnly ? 4 : 1;
}

/** Makes the bends of a long edge stand in one line, where there is room for it. */
function straighten(
  chain: readonly Item[],
  ranks: readonly (readonly Item[])[],
  spacing: Spacing,
  middle: Map<Item, number>,
): void {
  const wanted = chain.map((bend) => middle.get(bend)!).sort((left, right) => left - right);
  const candidates = [wanted[wanted.length >> 1]!, wanted.at(-1)!, wanted[0]!];
  const fits = candidates.find((at) => chain.every((bend) => isFree(bend, at, ranks[bend.rank]!, spacing, middle)));
  if (fits !== undefined) { for (const bend of chain) middle.set(bend, fits); }
}

function isFree(
  item: Item,
  at: number,
  rank: readonly Item[],
  { size, gap }: Spacing,
  middle: ReadonlyMap<Item, number>,
): boolean {
  const [before, after] = [rank[item.order - 1], rank[item.order + 1]];
  const room = (other: Item, distance: number) => distance >= size(other) / 2 + gap(other, item) + size(item) / 2 - 0.5;
  return (before === undefined || room(before, at - middle.get(before)!)) &&
    (after === undefined || room(after, middle.get(after)! - at));
}

/**
 * The places nearest to the wanted ones, by least squares, that keep the order and the room between items: what
 * overlaps is pooled and moved as one.
 */
function spread(
  rank: readonly Item[],
  wanted: readonly number[],
  weights: readonly number[],
  { size, gap }: Spacing,
  middle: Map<Item, number>,
): void {
  const offsets: number[] = [];
  let offset = 0;
  rank.forEach((item, index) => {
    const before = rank[index - 1];
    if (before !== undefined) offset += size(before) / 2 + gap(before, item) + size(item) / 2;
    offsets.push(offset);
  });
  const pools: { at: number; weight: number; count: number }[] = [];
  rank.forEach((_, index) => {
    let pool = { at: wanted[index]! - offsets[index]!, weight: weights[index]!, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.at > pool.at; last = pools.at(-1)) {
      pools.pop();
      const weight = last.weight + pool.weight;
      pool = {
        at: (last.at * last.weight + pool.at * pool.weight) / weight,
        weight,
        count: last.count + pool.count,
      };
    }
    pools.push(pool);
  });
  let index = 0;
  for (const { at, count } of pools) {
    for (let taken = 0; taken < count; taken++, index++) middle.set(rank[index]!, at + offsets[index]!);
  }
}

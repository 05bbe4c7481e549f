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

/** The middle of every item; the smallest edge is at 0. */
export function placeAcross(ranks: readonly (readonly Item[])[], spacing: Spacing): Map<Item, number> {
  const middle = new Map<Item, number>();
  for (const rank of ranks) spread(rank, rank.map(() => 0), rank.map(() => 1), spacing, middle);
  for (let round = 0; round < ROUNDS; round++) {
    const isDown = round % 2 === 0;
    const isLast = round >= ROUNDS - 4;
    for (const rank of isDown ? ranks : [...ranks].reverse()) {
      const wanted = rank.map((item) => {
        const near = isLast ? [...item.above, ...item.below] : isDown ? item.above : item.below;
        return near.length === 0
          ? middle.get(item)!
          : near.reduce((sum, other) => sum + middle.get(other)!, 0) / near.length;
      });
      // A bend that moves makes a kink; a node only shifts.
      spread(rank, wanted, rank.map((item) => item.node === undefined ? 4 : 1), spacing, middle);
    }
  }
  const least = Math.min(...[...middle].map(([item, at]) => at - spacing.size(item) / 2));
  for (const [item, at] of middle) middle.set(item, at - least);
  return middle;
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

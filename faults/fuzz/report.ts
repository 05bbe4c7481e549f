/** What a fuzz run came to. @module */

import type { Chunk } from "./target.ts";

/** What a child process says of a chunk, as one line of JSON. */
export interface ChunkLine {
  /** The target. */
  readonly target: string;
  /** The seed of the chunk. */
  readonly seed: number;
  /** What it came to. */
  readonly chunk: Chunk;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** What is in use of the heap after it, collected, in bytes. */
  readonly heap: number;
}

/** What the cases of a target came to. */
export interface TargetReport {
  readonly target: string;
  readonly cases: number;
  /** The share of the inputs that were taken, of 1. */
  readonly taken: number;
  /** Cases per second, making the inputs included. */
  readonly perSecond: number;
  /** The longest case, in milliseconds. */
  readonly worstMs: number;
  /** Its input. */
  readonly worstInput: string;
  /** By how much the heap in use grew from the end of the first chunk to that of the last, in bytes. */
  readonly heapGrowth: number;
}

/** Sums the chunks of a target up. */
export function reportOf(target: string, lines: readonly ChunkLine[]): TargetReport {
  const sum = (of: (line: ChunkLine) => number) => lines.reduce((total, line) => total + of(line), 0);
  const worst = lines.map(({ chunk }) => chunk.worst).reduce((one, other) => other.ms > one.ms ? other : one);
  const cases = sum(({ chunk }) => chunk.cases);
  return {
    target,
    cases,
    taken: sum(({ chunk }) => chunk.taken) / cases,
    perSecond: cases / sum(({ ms }) => ms) * 1_000,
    worstMs: worst.ms,
    worstInput: worst.input,
    heapGrowth: lines.at(-1)!.heap - lines[0]!.heap,
  };
}

/** A report in one line. */
export function lineOf(report: TargetReport): string {
  const { target, cases, taken, perSecond, worstMs, heapGrowth } = report;
  return [
    target.padEnd(20),
    `${cases} cases`.padStart(14),
    `${Math.round(taken * 100)} % taken`.padStart(12),
    `${Math.round(perSecond)}/s`.padStart(10),
    `worst ${worstMs.toFixed(1)} ms`.padStart(17),
    `heap ${heapGrowth >= 0 ? "+" : ""}${(heapGrowth / 2 ** 20).toFixed(1)} MiB`.padStart(17),
  ].join("");
}

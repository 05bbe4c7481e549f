/**
 * What is fuzzed, and how a number of cases of it is run.
 *
 * An input is either taken or refused in the target's own way. Whatever else happens is a bug: another error, a hang, a
 * crash, a case that takes far too long.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import fc from "fast-check";

/** Something that reads what comes from outside. */
export interface Target<T = unknown> {
  /** Its name: `--only` takes it. */
  readonly name: string;
  /** How many of all cases it gets, beside the others. */
  readonly share: number;
  /** What it is tried with. */
  readonly inputs: fc.Arbitrary<T>;
  /** Tries one. Whether it was taken; `false` where it was refused as it should be. Throws where there is a bug. */
  attempt(input: T): boolean;
}

/** What a number of cases came to. */
export interface Chunk {
  /** The cases that were run. */
  readonly cases: number;
  /** How many inputs were taken. */
  readonly taken: number;
  /** The longest case, in milliseconds, and its input. */
  readonly worst: { readonly ms: number; readonly input: string };
  /** The bug, with the smallest input that shows it; the rest was not run. */
  readonly bug?: { readonly input: string; readonly error: string };
}

/** How a chunk is run. */
export interface ChunkOptions {
  /** Decides the inputs. */
  readonly seed: number;
  /** How many. */
  readonly cases: number;
  /** Is told of each input before it is tried. */
  readonly trace?: (input: string) => void;
}

/** A case may take so much time of the processor: far more than the bounds of every reader allow. */
export const SLOW_MS = 2_000;

/** How much of an input is told of. */
const SHOWN = 4_000;

/** Runs cases of a target, until there is a bug. */
export function runChunk<T>(target: Target<T>, { seed, cases, trace }: ChunkOptions): Chunk {
  let taken = 0;
  let worst = { ms: 0, input: "" };
  const property = fc.property(target.inputs, (input) => {
    trace?.(shown(input));
    const begin = performance.now();
    if (target.attempt(input)) taken++;
    const ms = performance.now() - begin;
    if (ms > worst.ms) worst = { ms, input: shown(input) };
    if (ms > SLOW_MS) checkSlow(target, input);
  });
  const result = fc.check(property, { seed, numRuns: cases });
  checkPrototypes();
  if (!result.failed) return { cases, taken, worst };
  const input = shown(result.counterexample?.[0]);
  return { cases: result.numRuns, taken, worst, bug: { input, error: errorOf(result.errorInstance) } };
}

/** Somebody else may have had the processor: it is slow when it takes so much of its time, again and again. */
function checkSlow<T>(target: Target<T>, input: T): void {
  let least = Infinity;
  for (let again = 0; again < 3; again++) {
    const before = cpuUsage();
    target.attempt(input);
    const { user, system } = cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  if (least > SLOW_MS) throw new Error(`a case takes ${Math.round(least)} ms`);
}

/** Nothing that is read may change what all objects have in common. */
function checkPrototypes(): void {
  for (const prototype of [Object.prototype, Array.prototype, Function.prototype]) {
    for (const key in prototype) throw new Error(`a prototype has got the property ${key}`);
  }
}

/** An input as text. */
function shown(input: unknown): string {
  let text: string;
  try {
    text = typeof input === "string" ? JSON.stringify(input) : fc.stringify(input);
  } catch (error) {
    text = `an input that cannot be shown: ${error}`;
  }
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;
}

function errorOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** Targets with bugs: what the fuzzing itself is tested with. @module */

import fc from "fast-check";
import type { Target } from "./target.ts";

const numbers = fc.nat(1_000);

/** Each has its bug for numbers from 900 on. */
export const BROKEN_TARGETS: readonly Target[] = [
  broken("broken: throws", () => {
    throw new TypeError("not its own error");
  }),
  broken("broken: hangs", () => {
    for (;;) { /* for ever */ }
  }),
  broken("broken: crashes", () => Deno.exit(3)),
  broken("broken: fills memory", () => {
    for (const kept: unknown[] = [];;) kept.push(Array(100_000).fill(kept.length));
  }),
];

function broken(name: string, fail: () => void): Target<number> {
  return {
    name,
    share: 0,
    inputs: numbers,
    attempt(input) {
      if (input >= 900) fail();
      return true;
    },
  };
}

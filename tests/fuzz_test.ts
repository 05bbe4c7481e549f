/** The short form of `deno task faults --fuzz`: the same targets, fewer cases, one seed. @module */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BROKEN_TARGETS } from "../faults/fuzz/broken_targets.ts";
import { fuzzIngress } from "../faults/fuzz/ingress.ts";
import { FuzzBug, fuzzTarget } from "../faults/fuzz/mod.ts";
import { runChunk } from "../faults/fuzz/target.ts";
import { TARGETS } from "../faults/fuzz/targets.ts";

const SEED = 20_260_101;

for (const target of TARGETS) {
  Deno.test(`${target.name}: hostile inputs are taken or refused, and do no harm`, () => {
    const cases = target.share < 1 ? 30 : 200;
    const { bug, taken } = runChunk(target, { seed: SEED, cases });
    assertEquals(bug, undefined);
    assert(taken > 0, "not one of the inputs was a good one");
  });
}

Deno.test("hostile messages in the inbox are dead letters, and good ones are carried out", async () => {
  const { taken, deadLetters, started } = await fuzzIngress({ seed: SEED, messages: 300 });
  assert(taken > 200 && deadLetters > 100 && started > 0, JSON.stringify({ taken, deadLetters, started }));
});

Deno.test("fuzzing tells the smallest input that makes a target throw what it should not", () => {
  const target = BROKEN_TARGETS.find(({ name }) => name.endsWith("throws"))!;
  const { bug } = runChunk(target, { seed: SEED, cases: 500 });
  assertEquals(bug?.input, "900");
  assert(bug?.error.includes("not its own error"));
});

Deno.test("fuzzing tells the input of a target that hangs, and of one that crashes", async () => {
  await Promise.all(["hangs", "crashes"].map(async (what) => {
    const run = () => fuzzTarget(`broken: ${what}`, [1, 2], { cases: 200, silenceMs: 1_000 });
    const { input } = await assertRejects(run, FuzzBug, "it hangs or crashes");
    assert(Number(input) >= 900, input);
  }));
});

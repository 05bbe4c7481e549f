/** Passes of the faults of a cluster, until the time is up. @module */

import { Random } from "../random.ts";
import { type PassReport, playPass } from "./pass.ts";

/** Plays passes, at least one, and prints what they have gone through. */
export async function runPasses(first: number, limitMs: number): Promise<void> {
  const seeds = new Random(first);
  const total: PassReport = {};
  const startedAt = performance.now();
  let passes = 0;
  for (let seed = first; passes === 0 || performance.now() - startedAt < limitMs; seed = seeds.below(0x7fff_ffff)) {
    console.log(`seed ${seed}`);
    const report = await playPass({ seed, log: console.log });
    passes++;
    for (const [name, count] of Object.entries(report)) total[name] = (total[name] ?? 0) + count;
  }
  console.log(`${JSON.stringify({ passes, ...total }, null, 2)}\ninvariants broken: 0`);
}

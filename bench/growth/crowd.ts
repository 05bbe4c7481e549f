/** What it matters that many executions have ended, or wait, in the namespace. @module */

import type { FlowDef } from "../../mod.ts";
import { type Finding, judged, limited, median, medianBy, report } from "../finding.ts";
import { chain, noop, parked } from "../flows.ts";
import type { Ground } from "../ground.ts";
import { memoryMiB } from "../process.ts";
import type { Space } from "../space.ts";

const DRIVEN = 2_000;
const TASKS = 10;
const REPEATS = 3;
const CHUNK = 50_000;
const READS = 200;
const LISTINGS = 10;

const FLOWS: FlowDef[] = [
  chain("ended", 1, { invoker: "noop" }),
  parked("waiting"),
  chain("ten", TASKS, { invoker: "noop" }),
];

/** Fills a namespace, and compares it with an empty one. */
export async function crowd(ground: Ground): Promise<Finding[]> {
  const [ended, waiting] = ground.isFull ? [1_000_000, 100_000] : [20_000, 2_000];
  const crowdName = `${ended.toLocaleString("en")} ended and ${waiting.toLocaleString("en")} waiting`;
  await using space = await ground.engine({ flows: FLOWS, invokers: { noop } });
  const before = await memoryMiB(ground.nats.pid, "now");
  const ids = await fill(space, ended, waiting);
  await ground.yardstick.raw(); // lets the server settle
  const after = await memoryMiB(ground.nats.pid, "now");
  const findings = [
    await throughput(ground, space, crowdName),
    limited(`get, among ${crowdName}`, await time(READS, (i) => space.server.get(pick(ids, i))), "ms", 2),
    limited(`counts, among ${crowdName}`, await time(LISTINGS, () => space.server.counts()), "ms", 100),
    limited(`first page of recent, among ${crowdName}`, await time(LISTINGS, () => space.server.recent()), "ms", 50),
    limited(
      `first page of the waiting ones, among ${crowdName}`,
      await time(LISTINGS, () => space.server.recent({ status: "waiting" })),
      "ms",
      50,
    ),
  ];
  if (before !== undefined && after !== undefined) {
    const growth = (after - before) / (ended + waiting) * 100_000;
    findings.push(report(`server memory per 100,000 executions, ${crowdName}`, growth, "MiB"));
  }
  return findings;
}

/** Fills a namespace chunk by chunk. Returns some of the ids. */
async function fill(space: Space, ended: number, waiting: number): Promise<string[]> {
  const ids: string[] = [];
  for (let left = ended; left > 0; left -= CHUNK) {
    const count = Math.min(left, CHUNK);
    const [started] = await Promise.all([space.start("ended", count), space.complete(count)]);
    ids.push(...started.slice(0, READS));
  }
  ids.push(...(await space.start("waiting", waiting)).slice(0, READS));
  return ids;
}

/** The full namespace and a new one in turn, each pair compared. */
async function throughput(ground: Ground, full: Space, crowdName: string): Promise<Finding> {
  await using empty = await ground.engine({ flows: FLOWS, invokers: { noop } });
  await empty.drive("ten", DRIVEN / 4);
  await full.drive("ten", DRIVEN / 4);
  const samples: { value: number; ratio: number }[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const [first, second] = repeat % 2 === 0 ? [empty, full] : [full, empty];
    const times = new Map([[first, await first.drive("ten", DRIVEN)]]);
    times.set(second, await second.drive("ten", DRIVEN));
    const value = DRIVEN * TASKS / times.get(full)!;
    samples.push({ value, ratio: times.get(empty)! / times.get(full)! });
  }
  return judged(
    `10-task flow among ${crowdName}, against none`,
    medianBy(samples, ({ ratio }) => ratio),
    { unit: "steps/s", measure: "at least", goal: 0.8 },
  );
}

/** The median time of a call, in milliseconds. */
async function time(samples: number, call: (sample: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const began = performance.now();
    await call(sample);
    times.push(performance.now() - began);
  }
  return median(times);
}

/** One of the ids, spread over all of them. */
function pick(ids: readonly string[], sample: number): string {
  return ids[(sample * 7_919) % ids.length]!;
}

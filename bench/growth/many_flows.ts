/** Many flows loaded in one engine. @module */

import { type Finding, limited, report } from "../finding.ts";
import { chain, noop } from "../flows.ts";
import type { Ground } from "../ground.ts";

const FLOWS = 1_000;
const EACH = 2;
const TASKS = 10;
const PATIENCE_MS = 60_000;

/** Loads 1,000 flows, and runs executions of every one. */
export async function manyFlows(ground: Ground): Promise<Finding[]> {
  const flows = Array.from({ length: FLOWS }, (_, index) => chain(`flow-${index}`, TASKS, { invoker: "noop" }));
  const began = performance.now();
  await using space = await ground.engine({ flows, invokers: { noop } });
  await Promise.all([space.complete(1), space.server.start("flow-0")]);
  const setUp = (performance.now() - began) / 1_000;
  const run = () => runAll(() => space.complete(FLOWS * EACH), (index) => space.server.start(`flow-${index % FLOWS}`));
  await run();
  const sample = await ground.ofRaw(1, async () => FLOWS * EACH * TASKS / await run());
  return [
    report("1,000 flows: loaded, set up and running", setUp, "s"),
    report("1,000 flows: 10-task executions of all of them", sample.value, "steps/s", sample.ratio),
    limited("1,000 flows: executions that did not complete", FLOWS * EACH * 2 + 1 - space.completed, "executions", 0),
  ];
}

async function runAll(complete: () => Promise<void>, start: (index: number) => Promise<string>): Promise<number> {
  const began = performance.now();
  const done = complete();
  let next = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (next < FLOWS * EACH) await start(next++);
  }));
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PATIENCE_MS);
  await Promise.race([done, late]);
  clearTimeout(timer);
  return (performance.now() - began) / 1_000;
}

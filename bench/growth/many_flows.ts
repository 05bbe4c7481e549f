/** Many flows loaded in one engine. @module */

import { type Finding, judged, medianBy, report } from "../finding.ts";
import { chain, noop } from "../flows.ts";
import type { Ground } from "../ground.ts";

const FLOWS = 1_000;
const TASKS = 10;
const EXECUTIONS = 1_000;
const REPEATS = 3;

/** Loads 1,000 flows, runs every one of them once, and compares work in one of them with an engine that has no other. */
export async function manyFlows(ground: Ground): Promise<Finding[]> {
  const flows = Array.from({ length: FLOWS }, (_, index) => chain(`flow-${index}`, TASKS, { invoker: "noop" }));
  const last = flows.at(-1)!;
  const began = performance.now();
  await using loaded = await ground.engine({ flows, invokers: { noop } });
  await loaded.drive(last.name, 1);
  const setUp = (performance.now() - began) / 1_000;
  const all = loaded.complete(FLOWS);
  const startedAt = performance.now();
  for (const { name } of flows) await loaded.server.start(name);
  await all;
  const once = (performance.now() - startedAt) / 1_000;

  await using alone = await ground.engine({ flows: [last], invokers: { noop } });
  await alone.drive(last.name, EXECUTIONS);
  await loaded.drive(last.name, EXECUTIONS);
  const samples: { value: number; ratio: number }[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const [one, many] = [await alone.drive(last.name, EXECUTIONS), await loaded.drive(last.name, EXECUTIONS)];
    samples.push({ value: EXECUTIONS * TASKS / many, ratio: one / many });
  }
  return [
    report("1,000 flows: created, set up and the first execution run", setUp, "s"),
    report("1,000 flows: one 10-task execution of each", once, "s"),
    judged(
      "10-task flow with 1,000 flows loaded, against one",
      medianBy(samples, ({ ratio }) => ratio),
      { unit: "steps/s", measure: "at least", goal: 0.8 },
    ),
  ];
}

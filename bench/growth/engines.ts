/** Two engine processes against one. @module */

import { type Finding, judged, medianBy } from "../finding.ts";
import { chain, noop } from "../flows.ts";
import type { Ground } from "../ground.ts";
import { startEngine } from "../engine_process.ts";

const EXECUTIONS = 3_000;
const TASKS = 10;
const REPEATS = 7;

/** The same load, started by this process, in turn for one engine process and for two that share a namespace. */
export async function engines(ground: Ground): Promise<Finding[]> {
  const flows = [chain("ten", TASKS, { invoker: "noop" })];
  const options = { flows, invokers: { noop } };
  const url = ground.nats.url;
  await using alone = await ground.space(options);
  await using shared = await ground.space(options);
  await using _alone = await startEngine({ url, namespace: alone.namespace, flows });
  await using _first = await startEngine({ url, namespace: shared.namespace, flows });
  await using _second = await startEngine({ url, namespace: shared.namespace, flows });
  await alone.drive("ten", EXECUTIONS);
  await shared.drive("ten", EXECUTIONS);
  const samples: { value: number; ratio: number }[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const [one, two] = [await alone.drive("ten", EXECUTIONS), await shared.drive("ten", EXECUTIONS)];
    samples.push({ value: EXECUTIONS * TASKS / two, ratio: one / two });
  }
  return [
    judged("10-task flow, two engine processes against one", medianBy(samples, ({ ratio }) => ratio), {
      unit: "steps/s",
      measure: "at least",
      goal: 1,
    }),
  ];
}

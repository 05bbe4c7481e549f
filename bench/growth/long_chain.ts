/** Whether a step costs more the longer the execution is. @module */

import type { InvokerFunction } from "../../mod.ts";
import { type Finding, judged, medianBy, report } from "../finding.ts";
import { chain, PAYLOAD } from "../flows.ts";
import type { Ground } from "../ground.ts";

const LENGTH = 200;
const EXECUTIONS = 150;
const REPEATS = 3;

/** Steps 3 to 18, around the 10th; and the last 50, in which everything that happens now and then has happened. */
const EARLY = { from: 2, to: 18 };
const LATE = { from: 149, to: 199 };

/** A 200-node chain whose every task returns 100 bytes: the executions go side by side, so steps come in waves. */
export async function longChain(ground: Ground): Promise<Finding[]> {
  const waves = new Array<number>(LENGTH).fill(0);
  const invoker: InvokerFunction = ({ nodeId }) => {
    waves[Number(nodeId.slice(1))]! += performance.now() / EXECUTIONS;
    return { status: "ok", payload: PAYLOAD };
  };
  const flow = chain("long", LENGTH, { invoker: "timed" });
  await using space = await ground.engine({ flows: [flow], invokers: { timed: invoker } });
  await space.drive(flow.name, EXECUTIONS); // warms up
  const samples: { early: number; late: number }[] = [];
  const sample = await ground.ofRaw(REPEATS, async () => {
    waves.fill(0);
    await space.stop();
    await space.start(flow.name, EXECUTIONS);
    const done = space.complete(EXECUTIONS);
    const began = performance.now();
    space.run();
    await done;
    samples.push({ early: stepTime(waves, EARLY), late: stepTime(waves, LATE) });
    return EXECUTIONS * LENGTH / ((performance.now() - began) / 1_000);
  });
  const { early, late } = medianBy(samples, (times) => times.late / times.early);
  return [
    report("200-task flow, every task returns 100 bytes", sample.value, "steps/s", sample.ratio),
    judged("cost of steps 150 to 200, against steps 3 to 18", { value: late, ratio: late / early }, {
      unit: "µs",
      measure: "at most",
      goal: 1.2,
    }),
  ];
}

/** The time of one step of one execution, in microseconds, between two waves. */
function stepTime(waves: readonly number[], { from, to }: { from: number; to: number }): number {
  return (waves[to]! - waves[from]!) / (to - from) / EXECUTIONS * 1_000;
}

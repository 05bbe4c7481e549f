/** How long one execution takes that has the engine to itself. @module */

import { type Finding, judged, median } from "./finding.ts";
import { chain, noop } from "./flows.ts";
import type { Ground } from "./ground.ts";

const CASES = [
  { name: "latency alone, 1-task flow, p50", flow: chain("one", 1, { invoker: "noop" }), samples: 300, goal: 2.5 },
  { name: "latency alone, 10-task flow, p50", flow: chain("ten", 10, { invoker: "noop" }), samples: 100, goal: 15 },
];

/**
 * From the call of `start` until the completion is seen, one execution after the other. The lone publish that it is
 * compared with is measured between them: a machine that has just had a rest answers at another pace than one that is
 * kept busy.
 */
export async function latency(ground: Ground): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, flow, samples, goal } of CASES) {
    await using space = await ground.engine({ flows: [flow], invokers: { noop } });
    await space.drive(flow.name, 500); // warms up
    const times: number[] = [];
    const rtt = await ground.yardstick.rttBetween(samples, async () => {
      times.push(await space.drive(flow.name, 1) * 1_000);
    });
    const value = median(times);
    findings.push(judged(name, { value, ratio: value / rtt }, { unit: "ms", measure: "of rtt", goal }));
  }
  return findings;
}

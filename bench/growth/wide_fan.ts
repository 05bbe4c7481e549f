/** One fan-out of 1,000 branches. @module */

import { type Finding, limited, median } from "../finding.ts";
import { fan, noop } from "../flows.ts";
import type { Ground } from "../ground.ts";

const BRANCHES = 1_000;
const REPEATS = 5;

/** From the start until the join is done. */
export async function wideFan(ground: Ground): Promise<Finding[]> {
  const flow = fan("wide", BRANCHES, "noop");
  await using space = await ground.engine({ flows: [flow], invokers: { noop } });
  await space.drive(flow.name, 1); // warms up
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) times.push(await space.drive(flow.name, 1));
  return [limited("fan-out of 1,000 branches, start to joined", median(times), "s", 1)];
}

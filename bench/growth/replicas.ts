/** Three copies of everything, on three servers that share this machine. @module */

import { connect } from "@nats-io/transport-deno";
import { startNatsCluster } from "../../tools/nats.ts";
import { type Finding, medianBy, report } from "../finding.ts";
import { chain, noop } from "../flows.ts";
import type { Ground } from "../ground.ts";
import { Space } from "../space.ts";
import { Yardstick } from "../yardstick.ts";

const EXECUTIONS = 1_000;
const TASKS = 10;
const REPEATS = 3;

/** Raw publishes and a 10-task flow on a cluster. */
export async function replicas(ground: Ground): Promise<Finding[]> {
  await using cluster = await startNatsCluster();
  const url = cluster.urls[0]!;
  const nc = await connect({ servers: url });
  try {
    const yardstick = await Yardstick.create(nc, ground.yardstick.bytes, 3);
    const flow = chain("ten", TASKS, { invoker: "noop" });
    await using space = await Space.create(url, { flows: [flow], invokers: { noop }, replicas: 3 });
    space.run();
    await space.drive(flow.name, EXECUTIONS);
    const samples: { value: number; ratio: number; raw: number }[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const before = await yardstick.raw();
      const value = EXECUTIONS * TASKS / await space.drive(flow.name, EXECUTIONS);
      const raw = (before + await yardstick.raw()) / 2;
      samples.push({ value, ratio: value / raw, raw });
    }
    const { value, ratio, raw } = medianBy(samples, (sample) => sample.ratio);
    return [
      report("three servers, three copies: raw publishes", raw, "publishes/s"),
      report("three servers, three copies: 10-task flow", value, "steps/s", ratio),
    ];
  } finally {
    await nc.close();
  }
}

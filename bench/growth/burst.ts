/** Many starts at once, before the engine can do anything about them. @module */

import { type Finding, limited, report } from "../finding.ts";
import { chain } from "../flows.ts";
import type { Ground } from "../ground.ts";
import { startEngine } from "../engine_process.ts";
import { memoryMiB } from "../process.ts";

/** Starts a burst while no engine runs; then an engine, in a process of its own, drains it. */
export async function burst(ground: Ground): Promise<Finding[]> {
  const starts = ground.isFull ? 100_000 : 10_000;
  const flows = [chain("one", 1, { invoker: "noop" })];
  await using space = await ground.space({ flows, invokers: { noop: () => ({ status: "ok" }) } });
  await space.start("one", starts);
  const done = space.complete(starts);
  await using engine = await startEngine({ url: ground.nats.url, namespace: space.namespace, flows });
  const began = performance.now();
  await done;
  const seconds = (performance.now() - began) / 1_000;
  const name = `burst of ${starts.toLocaleString("en")} starts`;
  const peak = await memoryMiB(engine.pid, "peak");
  return [
    ...peak === undefined ? [] : [limited(`${name}: engine memory at its peak`, peak, "MiB", 250)],
    report(`${name}: drained by an engine that has just started`, starts / seconds, "executions/s"),
  ];
}

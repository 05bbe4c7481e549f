/** What a step costs: messages, and processor time. @module */

import { type Finding, limited, median, report } from "./finding.ts";
import { chain, noop } from "./flows.ts";
import type { Ground } from "./ground.ts";
import { cpuSeconds } from "./process.ts";

const EXECUTIONS = 2_000;
const TASKS = 10;
const REPEATS = 3;

/** Stored messages and processor time of a 10-task flow, starts included. */
export async function cost(ground: Ground): Promise<Finding[]> {
  const flow = chain("ten", TASKS, { invoker: "noop" });
  await using space = await ground.engine({ flows: [flow], invokers: { noop } });
  await space.drive(flow.name, EXECUTIONS);
  const steps = EXECUTIONS * TASKS;
  const stored: number[] = [];
  const processor: { engine: number; server: number }[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const before = { messages: await space.storedMessages(), cpu: await used(ground) };
    await space.drive(flow.name, EXECUTIONS);
    const after = await used(ground);
    stored.push((await space.storedMessages() - before.messages) / steps);
    if (before.cpu === undefined || after === undefined) continue;
    const thousands = steps / 1_000;
    processor.push({
      engine: (after.engine - before.cpu.engine) / thousands,
      server: (after.server - before.cpu.server) / thousands,
    });
  }
  const messages = limited("stored messages per step, 10-task flow", median(stored), "messages", 1.1);
  if (processor.length === 0) return [messages];
  return [
    messages,
    report("CPU per 1,000 steps, engine and server", median(processor.map((p) => p.engine + p.server)), "s"),
    report("CPU per 1,000 steps, engine", median(processor.map((p) => p.engine)), "s"),
    report("CPU per 1,000 steps, server", median(processor.map((p) => p.server)), "s"),
  ];
}

/** Processor time used so far by this process, which is the engine's and starts the executions, and by the server. */
async function used(ground: Ground): Promise<{ engine: number; server: number } | undefined> {
  const [engine, server] = [await cpuSeconds(Deno.pid), await cpuSeconds(ground.nats.pid)];
  return engine === undefined || server === undefined ? undefined : { engine, server };
}

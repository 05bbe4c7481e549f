/** How much goes through: executions, steps and branches per second. @module */

import type { FlowDef, ServerOptions } from "../mod.ts";
import { type Finding, judged, report } from "./finding.ts";
import { chain, fan, noop, parked, PAYLOAD } from "./flows.ts";
import type { Ground } from "./ground.ts";
import type { Space } from "./space.ts";

const REPEATS = 3;

/** A flow whose executions are driven through. */
interface Drive {
  readonly name: string;
  readonly unit: "executions/s" | "steps/s" | "branches/s";
  readonly flow: FlowDef;
  /** Executions of one measurement. */
  readonly executions: number;
  /** How many steps, or branches, an execution counts for. */
  readonly parts: number;
  /** The share of raw publishes to reach; reported only where absent. */
  readonly goal?: number;
  readonly options?: ServerOptions;
  readonly prepare?: (space: Space) => Promise<void>;
}

const task = { invoker: "noop" };
const outputs = () => ({ status: "ok" as const, payload: PAYLOAD });

const DRIVES: Record<string, Drive> = {
  "1-task": {
    name: "1-task flow",
    unit: "executions/s",
    flow: chain("one", 1, task),
    executions: 10_000,
    parts: 1,
    goal: 0.27,
  },
  "10-task": {
    name: "10-task flow",
    unit: "steps/s",
    flow: chain("ten", 10, task),
    executions: 3_000,
    parts: 10,
    goal: 0.5,
  },
  "50-task": {
    name: "50-task flow",
    unit: "steps/s",
    flow: chain("fifty", 50, task),
    executions: 600,
    parts: 50,
    goal: 0.5,
  },
  "outputs": {
    name: "10-task flow, every task returns 100 bytes",
    unit: "steps/s",
    flow: chain("ten", 10, { invoker: "outputs" }),
    executions: 3_000,
    parts: 10,
  },
  "fan-out": {
    name: "fan-out of 10 branches",
    unit: "branches/s",
    flow: fan("fan", 10, "noop"),
    executions: 3_000,
    parts: 10,
    goal: 0.7,
  },
  "nats-task": {
    name: "10 nats-task nodes, worker in the same process",
    unit: "steps/s",
    flow: chain("work", 10, { invoker: "nats-task", target: "tasks.noop" }),
    executions: 1_000,
    parts: 10,
    goal: 0.2,
    prepare: (space) => space.server.handle("tasks.noop", () => ({ status: "ok" })),
  },
  "result-cache": {
    name: "10-task flow with the result cache",
    unit: "steps/s",
    flow: chain("ten", 10, task),
    executions: 1_000,
    parts: 10,
    goal: 0.25,
    options: { resultCache: true },
  },
};

/** The names of what {@linkcode throughput} measures. */
export const THROUGHPUTS: readonly string[] = Object.keys(DRIVES);

/** Drives executions through, starts included: first start to last completion. */
export async function throughput(ground: Ground, name: string): Promise<Finding[]> {
  const drive = DRIVES[name]!;
  const { flow, executions, parts, goal, unit } = drive;
  await using space = await ground.engine({ flows: [flow], invokers: { noop, outputs }, ...drive.options });
  await drive.prepare?.(space);
  await space.drive(flow.name, executions / 2); // warms up
  const sample = await ground.ofRaw(REPEATS, async () => executions * parts / await space.drive(flow.name, executions));
  if (goal === undefined) return [report(drive.name, sample.value, unit, sample.ratio)];
  return [judged(drive.name, sample, { unit, measure: "of raw", goal })];
}

const PARKED = 1_000;

/** Wakes parked executions: first signal sent to last completion. */
export async function signals(ground: Ground): Promise<Finding[]> {
  await using space = await ground.engine({ flows: [parked("parked")] });
  const wake = async () => {
    const ids = await space.start("parked", PARKED);
    const began = performance.now();
    await Promise.all([space.complete(PARKED), ...ids.map((id) => space.server.signal(id, "go"))]);
    return PARKED / ((performance.now() - began) / 1_000);
  };
  await wake();
  const sample = await ground.ofRaw(REPEATS, wake);
  return [judged("1,000 parked on a signal: signals to completed", sample, {
    unit: "executions/s",
    measure: "of raw",
    goal: 0.12,
  })];
}

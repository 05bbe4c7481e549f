/**
 * One pass of the faults of a cluster: `deno task faults --cluster`. A cluster under load goes through every scenario,
 * then all that was started is checked; then come those that need a namespace or a server of their own.
 *
 * @module
 */

import { inSpace, newNamespace, Space } from "../../tests/support/mod.ts";
import { restartIdle } from "./idle.ts";
import { killEach, stepDown } from "./leaders.ts";
import { loseMajority } from "./majority.ts";
import { cutOff, loseConnection } from "./partitions.ts";
import { race, type RaceReport } from "./race.ts";
import { deleteConsumer, loseReplies } from "./replies.ts";
import { Random } from "../random.ts";
import { Stage } from "./stage.ts";

/** How a pass is played. */
export interface PassOptions {
  readonly seed: number;
  /** Tells what happens. */
  readonly log?: (line: string) => void;
}

/** What a pass has gone through: how many executions, faults and so on, by their names. */
export type PassReport = Record<string, number>;

/** Everything that is done to a cluster under load, in no order. */
const SCENARIOS: readonly ((stage: Stage) => Promise<void>)[] = [
  (stage) => killEach(stage),
  (stage) => stepDown(stage, 20),
  (stage) => cutOff(stage, { who: "leader", way: "cut", forMs: 12_000 }),
  (stage) => cutOff(stage, { who: "follower", way: "cut", forMs: 8_000 }),
  (stage) => cutOff(stage, { who: "leader", way: "stalled", forMs: 12_000 }),
  (stage) => cutOff(stage, { who: "follower", way: "stalled", forMs: 8_000 }),
  (stage) => loseConnection(stage, 0, { way: "stalled", forMs: 4_000 }),
  (stage) => loseConnection(stage, 1, { way: "cut", forMs: 4_000 }),
  (stage) => loseMajority(stage, "two killed"),
  (stage) => loseMajority(stage, "all killed"),
  (stage) => loseMajority(stage, "all cut"),
  (stage) => loseMajority(stage, "all stalled"),
  (stage) => loseReplies(stage, 40),
  deleteConsumers,
];

/** Plays a pass. @throws Where an invariant is broken; the message names the seed. */
export async function playPass(options: PassOptions): Promise<PassReport> {
  const report: PassReport = {};
  try {
    await onCluster(options, report);
    await inSpace(async (space) => addRaces(report, await race(space, { batches: 10 })), {});
    add(report, "executions", await restartIdle(10_000));
    add(report, "server restarted with nothing in hand");
    return report;
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${(error as Error).message}`, { cause: error });
  }
}

async function onCluster({ seed, log }: PassOptions, report: PassReport): Promise<void> {
  await using stage = await Stage.open({ seed, ...(log === undefined ? {} : { log }) });
  for (const scenario of shuffled(SCENARIOS, new Random(seed))) await scenario(stage);
  const { executions, invocations, transitions } = await stage.finish();
  for (const [name, count] of Object.entries({ executions, invocations, transitions, ...stage.faults })) {
    add(report, name, count);
  }
  const nc = await stage.cluster.connect();
  const space = new Space("", nc, newNamespace());
  addRaces(report, await race(space, { batches: 5, replicas: 3 }));
  await space.end();
}

async function deleteConsumers(stage: Stage): Promise<void> {
  for (const isTold of [true, false]) {
    for (const which of ["flow", "inbox"] as const) await deleteConsumer(stage, which, isTold);
  }
}

function addRaces(report: PassReport, { races, signalled, timedOut, both }: RaceReport): void {
  add(report, "executions", races);
  add(report, "races of a signal with its limit", races);
  add(report, "of them signalled", signalled);
  add(report, "of them timed out", timedOut);
  add(report, "of them both", both);
}

function add(report: PassReport, name: string, count = 1): void {
  report[name] = (report[name] ?? 0) + count;
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  return values.map(() => left.splice(random.below(left.length), 1)[0]!);
}

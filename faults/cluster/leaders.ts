/** Servers that are killed in turn, and leaders that step down. @module */

import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { SYSTEM_LOGIN } from "./proxied_cluster.ts";
import type { Stage } from "./stage.ts";

/** Kills servers one after the other, each while the others go on, and starts it again. */
export async function killEach(stage: Stage, places: readonly number[] = [0, 1, 2]): Promise<void> {
  const { cluster, load } = stage;
  for (const place of places) {
    await load.progress(2);
    stage.inject("server killed", cluster.nodes[place]!.name);
    await cluster.nodes[place]!.kill();
    await load.progress(6);
    await cluster.nodes[place]!.restart();
    await cluster.ready();
  }
  await load.progress(2);
}

/** Lets leaders step down, again and again: of streams, of consumers, and of the cluster. */
export async function stepDown(stage: Stage, times: number): Promise<void> {
  const { load, random } = stage;
  const { names } = load.space;
  const flows = load.options.flows!.map((flow) => typeof flow === "string" ? flow : flow.name);
  const targets = [
    `STREAM.LEADER.STEPDOWN.${names.executionStream()}`,
    `STREAM.LEADER.STEPDOWN.${names.executionStream()}`,
    `STREAM.LEADER.STEPDOWN.${names.inboxStream}`,
    `STREAM.LEADER.STEPDOWN.KV_${names.resultBucket}`,
    `STREAM.LEADER.STEPDOWN.${names.dataStream}`,
    ...flows.map((flow) => `CONSUMER.LEADER.STEPDOWN.${names.executionStream()}.${names.flowConsumer(flow)}`),
    `CONSUMER.LEADER.STEPDOWN.${names.inboxStream}.inbox`,
    "META.LEADER.STEPDOWN",
  ];
  const system = await stage.cluster.connect({ login: SYSTEM_LOGIN });
  try {
    for (let count = 0; count < times; count++) {
      const target = random.pick(targets);
      await ask(target.startsWith("META") ? system : load.space.nc, target, stage);
      await load.progress(1 + random.below(2));
    }
  } finally {
    await system.close();
  }
}

/** Asks a leader to step down. That there is none just now, or that its answer was lost, is no matter. */
async function ask(nc: NatsConnection, target: string, stage: Stage): Promise<void> {
  try {
    const answer = await nc.request(`$JS.API.${target}`, "", { timeout: 5_000 });
    const { success } = answer.json<{ success?: boolean }>();
    if (success === true) stage.inject("leader stepped down", target);
    else stage.tell(`no step-down of ${target}: ${answer.string()}`);
  } catch (error) {
    stage.tell(`no step-down of ${target}: ${error}`);
  }
}

/** Makes another server lead the executions, until it is the one that is wanted. */
export async function moveLeader(stage: Stage, to: readonly number[]): Promise<number> {
  const { nc } = stage.load.space;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  for (;;) {
    const leader = await stage.leader();
    if (to.includes(leader)) return leader;
    await ask(nc, `STREAM.LEADER.STEPDOWN.${stage.stream}`, stage);
    await jsm.streams.info(stage.stream).catch(() => {});
  }
}

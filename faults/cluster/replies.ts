/** Answers that are lost, late or doubled on their way to engines and clients, and consumers deleted under them. @module */

import { jetstreamManager } from "@nats-io/jetstream";
import { ended, until } from "../../tests/support/mod.ts";
import type { Stage } from "./stage.ts";

/** Loses, holds back and doubles answers and acks, until so many executions have come to their end. */
export async function loseReplies(stage: Stage, executions: number): Promise<void> {
  const { replies, load } = stage;
  const before = { ...replies.counts };
  replies.rates = {
    lostPubAck: 0.02,
    latePubAck: 0.02,
    doublePubAck: 0.1,
    doubleDelivery: 0.1,
    lostAck: 0.05,
  };
  stage.tell("answers and acks are lost, late and doubled");
  try {
    await load.progress(executions);
  } finally {
    replies.rates = {};
  }
  for (const [fault, count] of Object.entries(replies.counts)) {
    const more = count - (before[fault] ?? 0);
    if (more > 0) stage.faults[fault] = (stage.faults[fault] ?? 0) + more;
  }
  stage.tell(`faults of replies: ${JSON.stringify(replies.counts)}`);
}

/** How long it took until a deleted consumer was there again, and until new work was done, in milliseconds. */
export interface Noticed {
  readonly restoredMs: number;
  readonly doneMs: number;
}

/** A test may wait longer than what is promised: it tells what it measured. */
const PATIENCE_MS = 30_000;

/**
 * Deletes a consumer under the engines, starts work, and waits until it is done.
 *
 * @param isTold The server tells the engines so; otherwise that is lost, and they have to find out.
 */
export async function deleteConsumer(stage: Stage, which: "flow" | "inbox", isTold: boolean): Promise<Noticed> {
  const { load, replies } = stage;
  const { space, client } = load;
  const { names } = space;
  const jsm = await jetstreamManager(space.nc, { checkAPI: false });
  const [stream, consumer] = which === "flow"
    ? [names.executionStream(), names.flowConsumer(load.probe)]
    : [names.inboxStream, "inbox"];
  await load.progress(1);
  const lost = replies.counts.lostNotice ?? 0;
  if (!isTold) replies.rates = { lostNotice: 1 };
  stage.inject(`${which} consumer deleted${isTold ? "" : ", and nobody told"}`);
  await until(() => jsm.consumers.delete(stream, consumer).catch(() => false), "a consumer to be deleted");
  const since = performance.now();
  const id = `probe-${crypto.randomUUID()}`;
  const restored = until(
    () => jsm.consumers.info(stream, consumer).then(() => performance.now() - since, () => undefined),
    "the consumer to be made again",
    PATIENCE_MS,
  );
  restored.catch(() => {}); // it is waited for below
  // By the inbox, so that the same work shows both consumers.
  await space.nc.request(names.command("start", load.probe, id), "{}", { timeout: 5_000 });
  await until(() => client.get(id).then(() => true, () => false), "new work to be taken", PATIENCE_MS);
  await ended(client, id);
  const doneMs = Math.round(performance.now() - since);
  const restoredMs = Math.round(await restored);
  replies.rates = {};
  const lostNow = (replies.counts.lostNotice ?? 0) - lost;
  stage.tell(
    `${which} consumer there again after ${restoredMs} ms, new work done after ${doneMs} ms, lost: ${lostNow}`,
  );
  return { restoredMs, doneMs };
}

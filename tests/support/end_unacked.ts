/** An engine that dies at the end of an execution. @module */

import { assert } from "@std/assert";
import { jetstream } from "@nats-io/jetstream";
import { natsOf } from "../../src/nats/client.ts";
import { Heads } from "../../src/nats/heads.ts";
import type { Space } from "./space.ts";
import { until } from "./until.ts";

/**
 * Ends an execution as an engine does that dies before it acks what it was delivered, and waits for its removal: it is
 * kept for a second. Nothing else of its flow may wait for an engine.
 */
export async function endUnacked(space: Space, flow: string, id: string): Promise<void> {
  const stream = space.names.executionStream();
  const consumer = await jetstream(space.nc).consumers.get(stream, space.names.flowConsumer(flow));
  assert(await consumer.next() !== null);
  const heads = new Heads(await natsOf(space.nc, space.names), "dead", { completed: 1_000 });
  const head = (await heads.read(id))!;
  const { version } = head.state;
  await heads.write({ ...head.state, phase: "completed", version: version + 4, updatedAt: Date.now() }, head);
  await until(async () => await heads.read(id) === undefined, "it to be removed");
}

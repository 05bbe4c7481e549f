/** What has to be true when the soak is over: from the stream, from the workers, and from every single execution. @module */

import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { Server } from "../../mod.ts";
import { type Space, until } from "../../tests/support/mod.ts";
import { canonical } from "../canonical.ts";
import { checkVersions } from "../invariants.ts";
import { Random } from "../random.ts";
import type { Effects } from "./effects.ts";
import { idOf, kindOf, KINDS } from "./flows.ts";

const PARALLEL = 64;

/** Executions whose history is looked at. */
const SAMPLE = 2_000;

/** Everything, engines are at work on, or could be. */
const LIVE = ["ready", "due", "active", "delayed", "waiting"];

/** How long the last executions may take: the lease of a dead engine, and what it had taken from the inbox. */
const PATIENCE_MS = 240_000;

/** What the checks went through. */
export interface Checked {
  /** Executions whose status and payload were looked at, and effects. */
  readonly executions: number;
  /** Executions whose history was looked at, and how many versions they had. */
  readonly sampled: number;
  readonly versions: number;
}

/** How many executions have ended. */
export async function countEnded(server: Server): Promise<number> {
  const counts = Object.values(await server.counts());
  return counts.reduce((sum, { completed, failed, cancelled }) => sum + completed + failed + cancelled, 0);
}

/** Checks everything. @throws Where something is not as it has to be. */
export async function checkAll(space: Space, server: Server, effects: Effects, executions: number): Promise<Checked> {
  await until(async () => await countEnded(server) === executions, `all ${executions} to end`, PATIENCE_MS);
  await checkStream(space, executions);
  await checkConsumers(space);
  assertEquals(await server.deadLetters(), [], "dead letters");
  await checkIds(server, executions);
  assertEquals(effects.strange, [], "work that nobody should have asked for");
  await inParallel(executions, (n) => checkOne(server, effects, n));
  const random = new Random(executions);
  const sample = Math.min(SAMPLE, executions);
  const chosen = Array.from({ length: sample }, () => idOf(random.below(executions)));
  let versions = 0;
  await inParallel(sample, async (n) => {
    const count = await checkVersions(space.nc, space.names, server, chosen[n]!);
    versions += count;
  });
  return { executions, sampled: sample, versions };
}

/** Nothing is left but ended heads. */
async function checkStream({ nc, names }: Space, executions: number): Promise<void> {
  const jsm = await jetstreamManager(nc);
  const stream = names.executionStream();
  const left = async (filter: string) =>
    Object.keys((await jsm.streams.info(stream, { subjects_filter: filter })).state.subjects ?? {});
  await until(
    async () => (await jsm.streams.info(stream)).state.messages === executions,
    "superseded work to be swept",
    PATIENCE_MS,
  ).catch(async (error) => {
    const found = await Promise.all([...LIVE.map((phase) => names.headsIn(phase)), names.mailOf()].map(left));
    throw new Error(`${error.message}: ${JSON.stringify(found.flat().slice(0, 20))}`);
  });
  for (const phase of LIVE) assertEquals(await left(names.headsIn(phase)), [], `${phase} heads`);
  assertEquals(await left(names.mailOf()), [], "mail");
  for (const other of [names.inboxStream, names.dataStream]) {
    assertEquals((await jsm.streams.info(other)).state.messages, 0, other);
  }
}

async function checkConsumers({ nc, names }: Space): Promise<void> {
  const jsm = await jetstreamManager(nc);
  const consumers = KINDS.map(({ name }) => [names.executionStream(), names.flowConsumer(name)] as const);
  for (const [stream, consumer] of [...consumers, [names.inboxStream, "inbox"] as const]) {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, consumer);
    assertEquals([num_pending, num_ack_pending], [0, 0], `work of ${consumer}`);
  }
}

/** I1: every start that was acknowledged is there, and no other. */
async function checkIds(server: Server, executions: number): Promise<void> {
  const ids = new Set(await server.list());
  const missing = Array.from({ length: executions }, (_, n) => idOf(n)).filter((id) => !ids.has(id));
  assertEquals(missing, [], "executions that are gone");
  assertEquals(ids.size, executions);
}

/** I3, I9: an execution has come to its one outcome, and everything was done for it. */
async function checkOne(server: Server, effects: Effects, n: number): Promise<void> {
  const { status, payload, error } = await server.get(idOf(n));
  assertEquals([status, error], ["completed", undefined], idOf(n));
  assert(canonical(payload) === canonical(kindOf(n).payload(n)), `${idOf(n)} ended with ${JSON.stringify(payload)}`);
  assertEquals(effects.missing(n), [], `what was not done for ${idOf(n)}`);
}

async function inParallel(count: number, step: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    while (next < count) await step(next++);
  }));
}

/**
 * Crash points: an engine that fails at its k-th effect, for every k, on an execution that has every kind of node.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { type FlowDef, type Server, UnavailableError } from "../mod.ts";
import { interpret, type Outcome } from "../src/core/testing/reference.ts";
import type { Script, ScriptedAttempt } from "../src/core/testing/script.ts";
import { buildFlow } from "../src/flow/mod.ts";
import { inSpace, reaches, type Space, until } from "../tests/support/mod.ts";
import { type Failure, FrailConnection } from "./frail_connection.ts";
import {
  checkAttempts,
  checkDeadLetters,
  checkNoMail,
  checkNothingLeft,
  checkVersions,
  comesTo,
  WriteWatch,
} from "./invariants.ts";
import { ScriptedWorld } from "./scripted_world.ts";

const LEASE_MS = 500;
const INBOX_LEASE_MS = 2_000;
const PATIENCE_MS = 60_000;
const ID = "e";
const INPUT = { n: 1, kind: "a" };

const task = (id: string, maxAttempts = 1) => ({
  id,
  type: "task" as const,
  invoker: "f",
  retry: { maxAttempts },
});

/** Every kind of node: a retry, a fan-out with a failing and a pending branch, a choice, signals, an async activity. */
export const EVERY_KIND: FlowDef = {
  name: "every-kind",
  nodes: [
    task("retried", 2),
    { id: "fan", type: "fanout", branches: ["plain", "flaky", "pending"] },
    task("plain"),
    task("flaky", 2),
    task("pending"),
    { id: "join", type: "fanin", waitFor: ["plain", "flaky", "pending"] },
    { id: "pick", type: "choice", rules: [{ when: "payload.n < 2", to: "early" }, { default: true, to: "wrong" }] },
    task("wrong"),
    { id: "early", type: "signal", signalName: "early" },
    task("activity"),
    { id: "late", type: "signal", signalName: "late" },
    task("last"),
  ],
  edges: [
    { from: "retried", to: "fan" },
    { from: "fan", to: "join" },
    { from: "join", to: "pick" },
    { from: "early", to: "activity" },
    { from: "activity", to: "late" },
    { from: "late", to: "last" },
  ],
};

/** What the world outside does to it. */
export const SCRIPT: Script = {
  attempt(node, _visit, attempt): ScriptedAttempt {
    const payload = { n: 1, kind: node };
    if ((node === "retried" || node === "flaky") && attempt === 0) {
      return { runMs: 1, result: { status: "retry", error: "busy" } };
    }
    if (node === "pending" || node === "activity") {
      return { runMs: 1, completion: { afterMs: 20, result: { status: "ok", payload } } };
    }
    return { runMs: 1, result: { status: "ok", payload } };
  },
  signals: [
    { name: "early", at: 0, sequence: 1, payload: { from: "early" } },
    { name: "late", at: 30_000, sequence: 2, payload: { from: "late" } },
  ],
  resumes: [],
};

/** What comes of it, says the reference interpreter. */
export function expectedOutcome(): Outcome {
  return interpret(buildFlow(EVERY_KIND), SCRIPT, INPUT);
}

/** What a run found. */
export interface CrashRun {
  /** Whether the failure took place: the execution may have ended before. */
  readonly hasFailed: boolean;
  /** The subjects of the effects of the engine that failed, in order. */
  readonly effects: readonly string[];
  /** The invocations that there were, beyond one for each attempt. */
  readonly repeated: number;
}

/** Runs the flow on an engine that fails at its effect `at` (from 0), then on a healthy one; checks the invariants. */
export async function runCrash(kind: Failure, at: number, url?: string): Promise<CrashRun> {
  let result: CrashRun | undefined;
  await inSpace(async (space) => {
    result = await crashIn(space, kind, at);
  }, url === undefined ? {} : { url });
  return result!;
}

async function crashIn(space: Space, kind: Failure, at: number): Promise<CrashRun> {
  const client = await space.server({ flows: [EVERY_KIND], invokers: { f: () => ({ status: "ok" }) } });
  await client.init();
  const writes = new WriteWatch(space.nc, space.names);
  const world = new ScriptedWorld(client);
  world.expect(ID, SCRIPT);
  const outcome = expectedOutcome();
  const frail = new FrailConnection(await space.connect());
  const first = await runEngine(space, world, frail);
  const stopping = new AbortController();
  const sending = send(world, client, stopping.signal);
  frail.arm(kind, at);
  await client.start(EVERY_KIND.name, INPUT, { id: ID });
  const isOver = ended(client, stopping.signal);
  await Promise.race([frail.failed, isOver]);
  const { hasFailed } = frail;
  if (hasFailed) await space.engine({ ...options(world), ownerId: "second" }, await space.connect());
  const impatient = shortenInbox(space, stopping.signal);
  try {
    await sending;
    await comesTo(client, ID, outcome, PATIENCE_MS);
    const revision = (await client.get(ID)).revision;
    frail.thaw();
    await checkNothingLeft(space.nc, space.names, client);
    await checkNoMail(space.nc, space.names);
    await checkDeadLetters(client, []);
    frail.die();
    await first.done;
    assertEquals((await client.get(ID)).revision, revision, "something was written after the end");
    await comesTo(client, ID, outcome, PATIENCE_MS);
  } catch (error) {
    throw new Error(`${kind} at effect ${at} (${frail.effects.at(-1)}): ${(error as Error).message}`, { cause: error });
  } finally {
    stopping.abort();
    await world.end();
    await impatient;
    frail.die();
    await first.done;
  }
  checkAttempts(ID, world.attempts.get(ID)!, outcome);
  await checkVersions(space.nc, space.names, client, ID);
  writes.check();
  assertEquals([...world.strangers, ...world.refused], []);
  return { hasFailed, effects: [...frail.effects], repeated: world.invocations - outcome.attempts.length };
}

function options(world: ScriptedWorld) {
  return { flows: [EVERY_KIND], invokers: { f: world.invoke }, leaseTtl: LEASE_MS, maxDeliver: 100 };
}

/** Runs the engine that fails until it takes work. Returns its end. */
async function runEngine(
  space: Space,
  world: ScriptedWorld,
  frail: FrailConnection,
): Promise<{ done: Promise<void> }> {
  const server = await space.server({ ...options(world), ownerId: "first" }, frail.nc);
  const done = server.run().catch((error) => assert(error instanceof UnavailableError, `${error}`));
  const jsm = await jetstreamManager(space.nc);
  const consumer = space.names.flowConsumer(EVERY_KIND.name);
  await until(async () => {
    const info = await jsm.consumers.info(space.names.executionStream(), consumer).catch(() => undefined);
    return info !== undefined && info.num_waiting > 0;
  }, "the first engine to take work");
  return { done };
}

async function send(world: ScriptedWorld, client: Server, stopped: AbortSignal): Promise<void> {
  await until(async () => stopped.aborted || (await client.list()).includes(ID), "the start");
  const [early, late] = SCRIPT.signals;
  await world.signal(ID, early!.name, early!.payload);
  await reaches(client, ID, "waiting", "late");
  await world.signal(ID, late!.name, late!.payload);
}

async function ended(client: Server, stopped: AbortSignal): Promise<void> {
  await until(async () => stopped.aborted || (await client.get(ID)).status === "completed", "the end", 2 * PATIENCE_MS);
}

/** The inbox waits half a minute for an engine that took a command and died: here, no longer than a lease. */
export async function shortenInbox(space: Space, stopped: AbortSignal): Promise<void> {
  const jsm = await jetstreamManager(space.nc);
  while (!stopped.aborted) {
    const { config } = await jsm.consumers.info(space.names.inboxStream, "inbox");
    if (config.ack_wait !== nanos(INBOX_LEASE_MS)) {
      await jsm.consumers.update(space.names.inboxStream, "inbox", { ...config, ack_wait: nanos(INBOX_LEASE_MS) });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Which crash points are tried. */
export interface CrashPlan {
  readonly kinds: readonly Failure[];
  /** The first effect to fail at. @default {0} */
  readonly from?: number;
  /** From one effect to the next to fail at. @default {1} */
  readonly step?: number;
  /** The NATS server; the one that tests share where absent. */
  readonly url?: string;
  /** Runs at once. @default {6} */
  readonly parallel?: number;
  /** Told of each run. */
  readonly onRun?: (kind: Failure, at: number, run: CrashRun) => void;
}

/** Tries every point of the plan, up to the end of the execution. Returns the runs in which there was a failure. */
export async function crashEverywhere(plan: CrashPlan): Promise<number> {
  const { kinds, from = 0, step = 1, parallel = 6, url, onRun } = plan;
  let failures = 0;
  for (const kind of kinds) {
    let next = from;
    let isPast = false;
    const worker = async () => {
      while (!isPast) {
        const at = next;
        next += step;
        const run = await runCrash(kind, at, url);
        onRun?.(kind, at, run);
        if (run.hasFailed) failures++;
        else isPast = true;
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  }
  return failures;
}

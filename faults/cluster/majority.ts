/**
 * A majority that is lost: every call fails with an error that says so, in bounded time, and everything goes on when
 * the majority is back.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import { createServer, NotFoundError, type Server, StateError, UnavailableError } from "../../mod.ts";
import { ended, until, within } from "../../tests/support/mod.ts";
import type { Stage } from "./stage.ts";

/** No call may take longer, in milliseconds: some ask for several things, one after the other, each with its limit. */
const BOUND_MS = 60_000;

/** An execution of the probe's flow that has ended: nothing can change it any more. */
const DONE = "probe-done";

/** How a majority is lost. */
export type Loss = "two killed" | "all killed" | "all cut" | "all stalled";

const KILLED: Readonly<Record<Loss, readonly number[]>> = {
  // The first server has an engine, and stays.
  "two killed": [1, 2],
  "all killed": [0, 1, 2],
  "all cut": [],
  "all stalled": [],
};

/**
 * Loses the majority, tries calls on the server that is left, and gets the majority back.
 *
 * @param only The names of the calls that are tried; all where absent, and whether an engine can be stopped.
 */
export async function loseMajority(stage: Stage, loss: Loss, only?: readonly string[]): Promise<void> {
  const { cluster, load } = stage;
  await load.progress(2);
  await until(() => load.client.start(load.probe, {}, { id: DONE }).then(() => true, () => false), "a start");
  await ended(load.client, DONE);
  const nc = await cluster.connect({ nodes: [0] });
  stage.inject(`majority lost: ${loss}`);
  await Promise.all(KILLED[loss].map((place) => cluster.nodes[place]!.kill()));
  if (KILLED[loss].length === 0) {
    for (const place of [0, 1, 2]) cluster.isolate(place, loss === "all cut" ? "cut" : "stalled");
  }
  try {
    await tryCalls(stage, nc, only);
  } finally {
    await nc.close();
    cluster.heal();
    await Promise.all(KILLED[loss].map((place) => cluster.nodes[place]!.restart()));
  }
  await cluster.ready();
  await load.progress(6);
}

async function tryCalls(stage: Stage, nc: NatsConnection, only?: readonly string[]): Promise<void> {
  const { load } = stage;
  const { namespace } = load.space;
  const server = () => createServer(nc, { ...load.options, namespace, logger: load.space.logger() });
  const bare = () => createServer(nc, { namespace, logger: load.space.logger() });
  // Once by a server that has flows, once by one that has to look them up.
  const all = [calls(await server(), load.probe), calls(await bare(), load.probe)].flatMap(Object.entries<Call>);
  const tried = all.filter(([name]) => only?.includes(name) ?? true);
  const outcomes = await Promise.all(tried.map(([name, call]) => bounded(name, call)));
  const failed = outcomes.filter(({ error }) => error !== undefined);
  for (const { name, error } of failed) {
    if (isTrue(name, error)) continue;
    assert(error instanceof UnavailableError, `${name} failed with ${Deno.inspect(error)}`);
    assert(error.message.length > 10, `${name} failed with ${error.message}`);
  }
  for (const { name, error } of outcomes) {
    assert(error !== undefined || !WRITES.has(name), `${name} worked without a majority`);
  }
  const longest = outcomes.reduce((one, other) => other.ms > one.ms ? other : one);
  stage.tell(
    `${outcomes.length} calls, ${failed.length} failed, longest: ${longest.name} ${Math.round(longest.ms)} ms`,
  );
  if (only === undefined) await stopsInTime(stage, await server());
}

type Call = () => Promise<unknown>;

/** What nobody can do without a majority, whatever is there. Reads, and what begins with one, may be answered. */
const WRITES: ReadonlySet<string> = new Set(["start", "startUnnamed", "signal", "completeActivity", "scheduleFlow"]);

/** Whether a refusal is an answer: by a server that does not know yet that it leads nobody, or by any that has a copy. */
function isTrue(name: string, error: unknown): boolean {
  return name === "redrive" && error instanceof NotFoundError || name === "resume" && error instanceof StateError;
}

/** Every call that the public API has. */
function calls(server: Server, flow: string): Record<string, Call> {
  const id = "e0";
  return {
    init: () => server.init(),
    start: () => server.start(flow, {}, { id: `lost-${crypto.randomUUID()}` }),
    startUnnamed: () => server.start(flow),
    // What failed may have its effect all the same, later: none of this has one.
    signal: () => server.signal(id, "nobody-waits-for-it"),
    cancel: () => server.cancel("nobody"),
    resume: () => server.resume(id),
    completeActivity: () => server.completeActivity(DONE, "only", 0, { status: "ok" }),
    scheduleFlow: () => server.scheduleFlow("never", flow, "0 0 0 1 1 *"),
    unschedule: () => server.unschedule("never"),
    schedules: () => server.schedules(),
    get: () => server.get(id),
    results: () => server.results(id),
    history: () => server.history(id),
    list: () => server.list(),
    recent: () => server.recent(),
    byStatus: () => server.byStatus("waiting"),
    byFlow: () => server.byFlow(flow),
    byStatusEvents: () => server.byStatusEvents("running"),
    byFlowEvents: () => server.byFlowEvents(flow),
    counts: () => server.counts(),
    listFlows: () => server.listFlows(),
    flowGraph: () => server.flowGraph(flow),
    flowVersions: () => server.flowVersions(flow),
    backlog: () => server.backlog(),
    deadLetters: () => server.deadLetters(),
    redrive: () => server.redrive(1),
    reconcile: () => server.reconcile(),
  };
}

async function bounded(
  name: string,
  call: () => Promise<unknown>,
): Promise<{ name: string; error: unknown; ms: number }> {
  const since = performance.now();
  const ended = call().then(() => undefined, (cause: unknown) => cause);
  const error = await within(ended, `${name} to end without a majority`, BOUND_MS);
  return { name, error, ms: performance.now() - since };
}

/** An engine that can do nothing stops when it is told to. */
async function stopsInTime(stage: Stage, server: Server): Promise<void> {
  const stopping = new AbortController();
  const running = server.run({ signal: stopping.signal });
  await stage.last(1_000);
  const since = performance.now();
  stopping.abort();
  const error = await within(running.then(() => undefined, (cause: unknown) => cause), "an engine to stop", BOUND_MS);
  assertEquals(error, undefined, "an engine that is told to stop without a majority");
  await within(server.close(), "a server to close", BOUND_MS);
  stage.tell(`an engine without a majority stopped after ${Math.round(performance.now() - since)} ms`);
}

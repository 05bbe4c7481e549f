/**
 * Limits that are reached when a namespace is set up: an error that names what could not be made, the limit, and how to
 * mend it; and limits that are low but enough, with which everything works.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Server, UnavailableError } from "../../mod.ts";
import { chain, ended, inSpace, Recorder, until } from "../../tests/support/mod.ts";
import { account } from "./account.ts";
import { ChangingServer } from "./changing_server.ts";

/** Limits that are too low, and what the error says of them. */
export const TOO_LOW: readonly (readonly [limits: string, says: RegExp])[] = [
  ["max_streams: 3", /setting up stream \S+-data: maximum number of streams reached: raise max_streams/],
  ["max_consumers: 2", /creating consumer \S+ of \S+-executions: maximum consumers limit reached: raise max_consumers/],
  ["max_file: 1", /registering flow one: resource limits exceeded for account: .*max_file/],
  ["max_bytes_required: true", /setting up stream \S+-executions: .*max bytes set: set max_bytes_required/],
];

/** Sets up with a limit that is too low; then the limit is raised without a restart, and everything works. */
export async function reachedAtSetUp(limits: string, says: RegExp): Promise<void> {
  const room = limits.includes("max_file") ? "" : "max_file: 64M, ";
  await using server = await ChangingServer.start({ changing: account(`${room}${limits}`) });
  await inSpace(async (space) => {
    const f = new Recorder();
    const one = await space.server({ flows: [chain("one", 2)], invokers: { f: f.invoke } });
    const error = await started(one);
    assert(error instanceof UnavailableError && says.test(error.message), `${limits}: ${error}`);
    await server.change(account("max_file: 64M"));
    await until(() => one.init().then(() => true, () => false), "the namespace to be set up");
    space.run(one);
    assertEquals((await ended(one, await one.start("one"))).status, "completed");
  }, { url: server.url });
}

/** Why a server cannot be set up and run. */
async function started(server: Server): Promise<unknown> {
  const stop = new AbortController();
  try {
    await server.init();
    await server.run({ signal: AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]) });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** An account that allows fewer consumers, and fewer deliveries at once, than packtrail asks for, but enough. */
export async function lowButEnough(): Promise<void> {
  const limits = "max_file: 64M, max_streams: 6, max_consumers: 4, max_ack_pending: 2";
  await using server = await ChangingServer.start({ changing: account(limits) });
  await inSpace(async (space) => {
    const { server: one } = await space.engine({ flows: [chain("one", 3)], invokers: { f: new Recorder().invoke } });
    const ids = await Promise.all(Array.from({ length: 20 }, () => one.start("one")));
    for (const id of ids) assertEquals((await ended(one, id)).status, "completed");
  }, { url: server.url });
}

/** A server that takes smaller messages than heads become: what does not fit fails its execution, with a reason. */
export async function smallMessages(): Promise<void> {
  await using server = await ChangingServer.start({ changing: `${account("max_file: 64M")}\nmax_payload: 32KB` });
  await inSpace(async (space) => {
    // Results move out of a head that is too large; the errors of branches do not.
    const branches = Array.from({ length: 30 }, (_, index) => `b${index}`);
    const wide = {
      name: "wide",
      nodes: [
        { id: "fan", type: "fanout" as const, branches },
        ...branches.map((id) => ({ id, type: "task" as const, invoker: "f" })),
        { id: "join", type: "fanin" as const, waitFor: branches, joinPolicy: "any" as const },
      ],
      edges: [{ from: "fan", to: "join" }],
    };
    const f = new Recorder(({ nodeId }) =>
      nodeId.startsWith("b") ? { status: "error", error: "y".repeat(1_900) } : { status: "ok" }
    );
    const options = { flows: [wide, chain("narrow", 3)], invokers: { f: f.invoke }, maxDeliver: 2, leaseTtl: "2s" };
    const { server: one } = await space.engine(options);
    await one.start("wide", {}, { id: "wide" });
    const failed = await ended(one, "wide");
    assert(failed.status === "failed" && /too large: \d+ bytes of JSON, the limit is 32768/.test(failed.error ?? ""));
    const [letter] = await one.deadLetters();
    assertEquals([letter?.key, letter?.source], ["wide", "work"]);
    assertEquals((await ended(one, await one.start("narrow"))).status, "completed");
  }, { url: server.url });
}

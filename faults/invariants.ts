/**
 * The invariants, checked from the stream itself and from what the invokers were asked.
 *
 * - I1 no acknowledged start, signal or completion is lost: the outcome is that of all of them, and the inbox is empty.
 * - I2 versions of an execution rise by exactly one, and each has one writer.
 * - I3 each attempt that the reference makes was made, and no other.
 * - I4 history has no gap and no reversal.
 * - I5 a timer acts once: a second act would be a version, or an attempt, that the reference does not have.
 * - I6 what was started comes to its end.
 * - I7 nothing is dropped without a dead letter; and here, nothing is dropped.
 * - I8 nothing crosses namespaces.
 * - I9 the outcome is the reference interpreter's.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { type Context, type Execution, NotFoundError, type Server, UnavailableError } from "../mod.ts";
import { decodeState } from "../src/core/codec.ts";
import type { Outcome } from "../src/core/testing/reference.ts";
import type { Names } from "../src/names.ts";
import { until } from "../tests/support/mod.ts";
import { canonical } from "./canonical.ts";

/** What of an outcome an execution on a server shows, as text that can be compared. */
export function shown(outcome: Pick<Outcome, "status" | "node" | "payload" | "results" | "signals">): string {
  const { status, node, payload, results, signals } = outcome;
  return canonical({ status, node, payload, results, signals });
}

/** The same of an execution on a server. */
export function shownOf(execution: Execution, context: Context): string {
  const { status, currentNode, payload } = execution;
  const { results, signals } = context;
  return canonical({ status, node: currentNode, payload, results, signals: signals ?? {} });
}

/** I1, I6, I9: waits until an execution shows the outcome. */
export async function comesTo(server: Server, id: string, outcome: Outcome, patienceMs: number): Promise<void> {
  const expected = shown(outcome);
  let last = "nothing";
  try {
    await until(
      async () => (last = await look(server, id) ?? last) === expected,
      `execution ${id} to come to ${outcome.status}`,
      patienceMs,
    );
  } catch (error) {
    assertEquals(last, expected, `${(error as Error).message}`);
  }
}

/** Whether an execution shows the outcome now. */
export async function shows(server: Server, id: string, outcome: Outcome): Promise<boolean> {
  return await look(server, id) === shown(outcome);
}

async function look(server: Server, id: string): Promise<string | undefined> {
  try {
    return shownOf(await server.get(id), await server.results(id));
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** I2, I4: the head's version, and the versions before it, from the stream. */
export async function checkVersions(nc: NatsConnection, names: Names, server: Server, id: string): Promise<number> {
  const jsm = await jetstreamManager(nc);
  const info = await jsm.streams.info(names.executionStream(), { subjects_filter: names.headsOf("*", id) });
  const states = [];
  for (const subject of Object.keys(info.state.subjects ?? {})) {
    const message = await jsm.streams.getMessage(names.executionStream(), { last_by_subj: subject });
    if (message !== null) states.push({ state: decodeState(message.string()), seq: message.seq });
  }
  assert(states.length > 0, `execution ${id} is gone`);
  const { state } = states.reduce((one, other) => other.state.version > one.state.version ? other : one);
  const revisions = (await server.history(id)).map(({ revision }) => revision);
  const distinct = [...new Set(revisions)];
  assertEquals(distinct.length, state.version, `history of ${id}: ${revisions} at version ${state.version}`);
  assertEquals(revisions, revisions.toSorted((one, other) => one - other), `history of ${id} goes back`);
  return state.version;
}

/** I2: sees every write of a namespace as the server announces it. */
export class WriteWatch {
  readonly #writers = new Map<string, Map<number, string>>();
  readonly #latest = new Map<string, number>();
  /** What should not have been. */
  readonly broken: string[] = [];
  /** The writes that were seen. */
  writes = 0;
  readonly #names: Names;

  /** Watches on a connection, until that is closed. `mayMiss` where the server is restarted meanwhile. */
  constructor(nc: NatsConnection, names: Names, mayMiss = false) {
    this.#names = names;
    nc.subscribe(names.events(), {
      callback: (error, msg) => {
        const head = error === null ? names.parseHead(msg.subject) : undefined;
        const note = msg.headers?.get("Packtrail-Head");
        if (head === undefined || head.phase === "due" || !note) return;
        const { v, w } = JSON.parse(note) as { v: number; w: string };
        this.#see(head.id, v, w, mayMiss);
      },
    });
  }

  #see(id: string, version: number, writer: string, mayMiss: boolean): void {
    this.writes++;
    const latest = this.#latest.get(id) ?? 0;
    const isNext = mayMiss ? version > latest : version === latest + 1;
    if (!isNext) this.broken.push(`${this.#names.namespace}: version ${version} of ${id} came after ${latest}`);
    this.#latest.set(id, Math.max(latest, version));
    const writers = this.#writers.get(id) ?? new Map<number, string>();
    const other = writers.get(version);
    if (other !== undefined && other !== writer) this.broken.push(`${id}: ${other} and ${writer} wrote ${version}`);
    this.#writers.set(id, writers.set(version, writer));
  }

  /** @throws Where something was broken. */
  check(): void {
    assertEquals(this.broken, []);
  }
}

/** I3: the attempts that were made are those of the reference. */
export function checkAttempts(id: string, made: ReadonlySet<string>, outcome: Outcome): void {
  assertEquals([...made].sort(), [...outcome.attempts].sort(), `the attempts of ${id}`);
}

/** I1: nothing is left in the inbox or in hand. */
export async function checkNothingLeft(nc: NatsConnection, names: Names, server: Server): Promise<void> {
  const jsm = await jetstreamManager(nc);
  await until(
    async () => (await jsm.streams.info(names.inboxStream)).state.messages === 0,
    "the inbox to be empty",
  );
  for (const flow of await server.listFlows()) {
    await until(async () => {
      const info = await jsm.consumers.info(names.executionStream(), names.flowConsumer(flow));
      return info.num_pending + info.num_ack_pending === 0;
    }, `the work of flow ${flow} to be done`);
  }
}

/** Nothing is left in the mail: what was kept has been consumed, and who consumed it, or comes after, has removed it. */
export async function checkNoMail(nc: NatsConnection, names: Names): Promise<void> {
  const jsm = await jetstreamManager(nc);
  await until(async () => {
    const { state } = await jsm.streams.info(names.executionStream(), { subjects_filter: names.mailOf() });
    return Object.keys(state.subjects ?? {}).length === 0;
  }, "what was consumed of the mail to be removed");
}

/**
 * I7: what was given up on is what had to be: signals that their flow has no use for, each with its reason. Others may
 * be among them only where they came after the end.
 *
 * @param hopeless The subjects of the signals that nobody can wait for.
 */
export async function checkDeadLetters(server: Server, hopeless: readonly string[]): Promise<void> {
  const letters = await server.deadLetters({ limit: 10_000 });
  for (const letter of letters) {
    const isNoUse = letter.source === "signal" &&
      /no node that waits for|is (completed|failed|cancelled)$/.test(letter.reason);
    assert(isNoUse, `this was given up on: ${JSON.stringify(letter)}`);
  }
  const given = new Set(letters.map(({ subject }) => subject));
  assertEquals(hopeless.filter((subject) => !given.has(subject)), [], "dropped without a dead letter");
}

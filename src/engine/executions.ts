/**
 * Executions: events applied to heads. Read, decide, write, and again where another writer was first (R9).
 *
 * Everything that changes an execution goes through {@linkcode Executions.commit}: engines that work on a delivered
 * head, and commands from outside.
 *
 * @module
 */

import { begin, decide, end, plan, stamped } from "../core/decide.ts";
import {
  CHUNK_BYTES,
  droppedRefs,
  inChunks,
  INLINE_RESULT_BYTES,
  INLINE_VALUE_BYTES,
  MAX_CHUNKS,
  overflow,
  withChunk,
} from "../core/compact.ts";
import type { Decision, Environment, Event, Outcome, Plan } from "../core/events.ts";
import { awaitsMail, hasParked, hasWaited } from "../core/mail.ts";
import { hasEnded, type State, type Stored } from "../core/state.ts";
import { allResults, hasRefs, type Load, refsOf } from "../core/values.ts";
import type { Flow } from "../flow/types.ts";
import { jsonEquals } from "../json.ts";
import { ConflictError, PayloadTooLargeError, UnavailableError } from "../errors.ts";
import { type DataStore, ValueGoneError } from "../nats/data.ts";
import type { Head } from "../nats/head.ts";
import type { Heads } from "../nats/heads.ts";
import type { Mail, Mailbox } from "../nats/mail.ts";
import { DuplicateError, type Nats, syncClock } from "../nats/client.ts";
import type { Patience } from "../nats/patience.ts";
import { MAX_TRAIL } from "../core/trail.ts";
import type { FlowRegistry, RegisteredFlow } from "../nats/registry.ts";
import { Refusals } from "./refusals.ts";
import { parseResult } from "./result.ts";

/** What an instance works by. */
export interface Settings {
  /** How long an invocation may take where its node does not say, in milliseconds. */
  readonly defaultTimeoutMs: number;
  /** How long a silent engine keeps what it was working on, in milliseconds. */
  readonly leaseMs: number;
  /** The limit of one payload, in bytes of JSON. */
  readonly maxPayloadBytes: number;
}

/** The parts that executions are made of. */
export interface Parts {
  readonly nats: Nats;
  readonly heads: Heads;
  readonly data: DataStore;
  readonly mailbox: Mailbox;
  readonly registry: FlowRegistry;
  /** Waits out what is an operator's to mend. */
  readonly patience: Patience;
  readonly settings: Settings;
}

/** The registry lacks the definition that an execution started with. */
export class DefinitionMissingError extends Error {
  /** Creates the error. */
  constructor(state: State) {
    super(`the registry has no definition ${state.definition} of flow ${state.flow}`);
    this.name = "DefinitionMissingError";
  }
}

/** What became of an event. */
export type Applied =
  | { readonly type: "next"; readonly head: Head }
  | { readonly type: "unknown" }
  | Exclude<Decision, { type: "next" }>;

/** Applies events to executions. */
export class Executions {
  readonly parts: Parts;

  /** Creates the executions of a namespace. No I/O. */
  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** The definition an execution runs by. @throws {DefinitionMissingError} */
  async flowOf(state: State): Promise<Flow> {
    const found = await this.parts.registry.byHash(state.definition);
    if (found === undefined || found.flow.name !== state.flow) throw new DefinitionMissingError(state);
    return found.flow;
  }

  /** The same, where it is known here already. */
  knownFlow(state: State): Flow | undefined {
    const flow = this.parts.registry.known(state.definition)?.flow;
    return flow?.name === state.flow ? flow : undefined;
  }

  /** What decisions are made with now. A head that the server fired is due, whatever our estimate of its time. */
  environment(load: Load, notBefore = 0): Environment {
    const { settings, nats } = this.parts;
    const now = Math.max(nats.clock.now(), notBefore);
    return { now, load, defaultTimeoutMs: settings.defaultTimeoutMs, leaseMs: settings.leaseMs };
  }

  /** Decides what an event does to a state, with every stored value it looks at. */
  decide(flow: Flow, state: State, event: Event, notBefore?: number): Promise<Decision> {
    return this.parts.data.loading((load) => decide(flow, state, event, this.environment(load, notBefore)));
  }

  /** What a head asks for. */
  plan(flow: Flow, state: State, running: ReadonlySet<string>, notBefore?: number): Plan {
    return plan(flow, state, running, this.environment(this.parts.data, notBefore));
  }

  /** A JSON text as it is kept in a state: inline, or in the data stream. */
  async store(id: string, text: string): Promise<Stored> {
    if (text.length <= INLINE_VALUE_BYTES) return { value: JSON.parse(text) };
    return await this.parts.data.put(id, text);
  }

  /**
   * Writes the state that follows a head. `undefined` where another writer was first (R9).
   *
   * A head that parks looks into the mail once more (R7); what is returned is the head after that.
   *
   * @param flow The definition; not needed where the execution ends.
   */
  async commit(
    flow: Flow | undefined,
    head: Head,
    next: State,
    visited: readonly string[],
  ): Promise<Head | undefined> {
    const now = this.parts.nats.clock.now();
    // In its history, a schedule that has fired is what it was before.
    const before = head.parkedAs === undefined ? head.state : { ...head.state, phase: head.parkedAs };
    const full = stamped(next, before, head.revision, visited, now);
    const state = isCompact(full) ? full : await this.#compacted(full);
    const written = await this.parts.heads.write(state, head).catch(async (error) => {
      // What somebody else has gone on from must not be held against the execution.
      if (error instanceof PayloadTooLargeError && await this.#movedOn(head)) return undefined;
      throw error;
    });
    if (written === undefined) {
      await this.#discardLost(state, state.chunks?.filter((ref) => !head.state.chunks?.includes(ref)) ?? []);
      return undefined;
    }
    if (hasRefs(head.state)) this.parts.data.discard(droppedRefs(head.state, state));
    if (isLeftBehind(head, state)) this.parts.heads.discard(head);
    if (hasEnded(state.phase) && hasWaited(state)) await this.clearMail(written);
    return flow !== undefined && hasParked(state, head.state) ? await this.collectMail(flow, written) : written;
  }

  /**
   * Starts an execution; one that exists with the same flow and payload is left as it is. Returns whether it is new.
   *
   * @param how `new`: the id was made for this start, nothing can exist with it. `again`: this start
   * may have been made before, and counts as made where its execution was removed since.
   * @throws {ConflictError} Where the id is that of an execution of another flow, or with another payload.
   * @throws {UnavailableError} Where it was refused although nothing is there.
   */
  async start(
    registered: RegisteredFlow,
    id: string,
    payload: string,
    how: "new" | "once" | "again",
  ): Promise<boolean> {
    if (how !== "new" && await this.#exists(id, registered.flow.name, payload)) return false;
    await syncClock(this.parts.nats, Infinity);
    const input = await this.store(id, payload);
    const first = await this.parts.data.loading((load) =>
      begin(registered.flow, { id, definition: registered.hash, input }, this.environment(load))
    );
    let wasMade = false;
    const written = await this.parts.heads.writeFirst(first, how).catch((error) => {
      wasMade = error instanceof DuplicateError;
      if (!wasMade) throw error;
      return undefined;
    });
    if (written === undefined) {
      await this.#discardLost(first, "ref" in input ? [input.ref] : []);
      if (wasMade || await this.#exists(id, registered.flow.name, payload)) return false;
      // A server that is cut off from its cluster refuses a write while one of which nothing is known waits there.
      throw new UnavailableError(
        `starting execution ${id}: another write to it is under way, or it was removed just now: try again`,
      );
    }
    if (first.phase === "waiting") await this.collectMail(registered.flow, written);
    return true;
  }

  /** Applies an event to an execution, whatever it takes. */
  async apply(id: string, event: Event): Promise<Applied> {
    await syncClock(this.parts.nats, Infinity);
    const refusals = new Refusals();
    for (;;) {
      const head = await this.parts.heads.read(id);
      if (head === undefined) return { type: "unknown" };
      await refusals.settle(head);
      const applied = await this.applyTo(head, event);
      if (applied !== undefined) return applied;
    }
  }

  /** Ends an execution, also one whose definition is not to be had. */
  async end(id: string, event: Event & { type: "fail" | "cancel" }): Promise<Applied> {
    const refusals = new Refusals();
    for (;;) {
      const head = await this.parts.heads.read(id);
      if (head === undefined) return { type: "unknown" };
      await refusals.settle(head);
      const decision = end(head.state, event);
      if (decision.type !== "next") return decision;
      const written = await this.commit(undefined, head, decision.state, decision.visited);
      if (written !== undefined) return { type: "next", head: written };
    }
  }

  /** Applies an event to a head; `undefined` where the head was not the newest any more. */
  async applyTo(head: Head, event: Event): Promise<Applied | undefined> {
    try {
      const flow = await this.flowOf(head.state);
      const decision = await this.decide(flow, head.state, event);
      if (decision.type !== "next") return decision;
      const written = await this.commit(flow, head, decision.state, decision.visited);
      return written === undefined ? undefined : { type: "next", head: written };
    } catch (error) {
      if (error instanceof ValueGoneError && await this.#movedOn(head)) return undefined;
      throw error;
    }
  }

  /** Whether a value that an execution refers to is gone, and not because it has moved on. */
  async lacksValues(id: string): Promise<boolean> {
    const head = await this.parts.heads.read(id);
    if (head === undefined) return false;
    try {
      await this.parts.data.loaded(refsOf(head.state));
      return false;
    } catch (error) {
      if (error instanceof ValueGoneError) return !await this.#movedOn(head);
      throw error;
    }
  }

  /** Gives a parked head the mail it waits for, if any has come (R7). Returns the head after that. */
  async collectMail(flow: Flow, head: Head, refusals: Refusals = new Refusals()): Promise<Head> {
    await refusals.settle(head);
    const { mailbox, nats } = this.parts;
    const { id } = head.state;
    const latest = await mailbox.find(nats.names.mailOf(id));
    if (latest === undefined) return head;
    let current = head;
    for (const subject of await mailbox.subjectsOf(id)) {
      const mail = subject === latest.subject ? latest : await mailbox.find(subject);
      const event = mail && await this.#mailEvent(current.state, mail);
      const decision = event && await this.decide(flow, current.state, event);
      if (decision?.type !== "next") this.discard(event);
      if (decision === undefined || decision.type === "keep") continue;
      if (decision.type === "next") {
        const written = await this.commit(flow, current, decision.state, decision.visited);
        if (written === undefined) {
          await this.#discardLost(head.state, refsOfEvent(event));
          // Who was first need not have looked: what waits may have been parked long before.
          const newest = await this.parts.heads.read(id, head.state.flow) ?? current;
          return awaitsMail(newest.state) ? await this.collectMail(flow, newest, refusals) : newest;
        }
        current = written;
      }
      mailbox.remove(mail!);
      if (!awaitsMail(current.state)) break;
    }
    return current;
  }

  /**
   * Removes mail that was consumed by an engine which died before it removed it. What fails is harmless: it is not
   * consumed twice (R7), and `reconcile` removes it when the execution has ended.
   */
  async clearMail({ state }: Head): Promise<void> {
    const { mailbox, nats } = this.parts;
    try {
      if (await mailbox.find(nats.names.mailOf(state.id)) === undefined) return;
      const flow = await this.flowOf(state);
      for (const subject of await mailbox.subjectsOf(state.id)) {
        const mail = await mailbox.find(subject);
        const decision = mail && await this.decide(flow, state, this.#bareEvent(state, mail));
        if (decision?.type === "drop" && !decision.lost) mailbox.remove(mail!);
      }
    } catch { /* nobody needs it to be gone */ }
  }

  /** Removes the value that was stored for an event which has come to nothing. */
  discard(event: Event | undefined): void {
    this.parts.data.discard(refsOfEvent(event));
  }

  /**
   * Removes values that were stored for a write which another one was ahead of. That write may have been made all the
   * same, and others have gone on from it, when its answer was lost: then the newest head still refers to them (R9).
   */
  async #discardLost({ id, flow }: State, refs: readonly number[]): Promise<void> {
    if (refs.length === 0) return;
    const head = await this.parts.heads.read(id, flow);
    const used = new Set(head === undefined ? [] : refsOf(head.state));
    this.parts.data.discard(refs.filter((ref) => !used.has(ref)));
  }

  /** The event that a piece of mail is to a parked execution; `undefined` where it waits for something else. */
  async #mailEvent(state: State, mail: Mail): Promise<Event | undefined> {
    const { id, wait } = state;
    const event = this.#bareEvent(state, mail);
    if (event.type === "completion") {
      return { ...event, outcome: await this.outcomeOf(id, JSON.parse(mail.text), event.node) };
    }
    if (wait?.kind !== "signal" || wait.signal !== event.name) return undefined;
    return { ...event, payload: await this.store(id, mail.text) };
  }

  /** The same without what it holds: enough to tell whether it was consumed. */
  #bareEvent({ id }: State, { subject, sequence }: Mail): Event & { type: "signal" | "completion" } {
    const [name, generation, attempt] = subject.slice(this.parts.nats.names.mailOf(id).length - 1).split(".");
    if (generation === undefined) return { type: "signal", name: name!, payload: { value: null }, sequence };
    const numbers = { generation: Number(generation), attempt: Number(attempt) };
    return { type: "completion", node: name!, ...numbers, outcome: { status: "ok" } };
  }

  /** The outcome that a result from outside stands for, its payload stored. */
  async outcomeOf(id: string, result: unknown, node: string): Promise<Outcome> {
    const parsed = parseResult(result, node, this.parts.settings.maxPayloadBytes);
    if (parsed.status !== "ok" || parsed.text === undefined) return parsed;
    return { status: "ok", payload: await this.store(id, parsed.text), bytes: parsed.text.length };
  }

  /** A state small enough for its head: its trail put away, results moved to the data stream, where there is too much. */
  async #compacted(stamped: State): Promise<State> {
    let state = stamped;
    if (state.trail !== undefined && state.trail.length > MAX_TRAIL) {
      await this.parts.heads.putAway(state, state.trail);
      state = { ...state, trail: [] };
    }
    const { data, nats } = this.parts;
    // A chunk fits into a message, whatever the server's limit; what is not ASCII takes up to three bytes.
    const chunkBytes = Math.min(CHUNK_BYTES, (nats.nc.info?.max_payload ?? Infinity) / 4);
    const moved = overflow(state, chunkBytes);
    if (moved === undefined) return state;
    for (const chunk of inChunks(moved, chunkBytes)) state = withChunk(state, chunk, await this.#put(state, chunk));
    if (state.chunks!.length % MAX_CHUNKS !== 0) return state;
    const all = await data.loading((load) => allResults({ ...state, results: {} }, load));
    const chunks = await Promise.all(inChunks(all, chunkBytes).map((chunk) => this.#put(state, chunk)));
    return { ...state, chunks };
  }

  async #put(state: State, chunk: Readonly<Record<string, Stored>>): Promise<number> {
    return (await this.parts.data.put(state.id, JSON.stringify(chunk))).ref;
  }

  async #exists(id: string, flow: string, payload: string): Promise<boolean> {
    const head = await this.parts.heads.read(id);
    if (head === undefined) return false;
    if (head.state.flow !== flow) {
      throw new ConflictError(`execution ${id} exists with flow ${head.state.flow}, not ${flow}: use another id`);
    }
    const existing = await this.parts.data.loading((load) =>
      "ref" in head.state.input ? load.value(head.state.input.ref) : head.state.input.value
    );
    if (!jsonEquals(existing, JSON.parse(payload))) {
      throw new ConflictError(`execution ${id} exists with another payload: use another id`);
    }
    return true;
  }

  async #movedOn(head: Head): Promise<boolean> {
    const now = await this.parts.heads.read(head.state.id, head.state.flow);
    return now?.revision !== head.revision;
  }
}

/**
 * Whether a superseded head must not linger until it is swept: a failed one that was resumed never would be, and work
 * that nobody has begun must not be begun any more.
 */
function isLeftBehind(head: Head, next: State): boolean {
  return head.phase === "failed" && next.phase !== "failed" || head.phase === "ready" && next.phase === "cancelled";
}

function refsOfEvent(event: Event | undefined): number[] {
  const payload = event?.type === "signal"
    ? event.payload
    : event?.type === "completion" && event.outcome.status === "ok"
    ? event.outcome.payload
    : undefined;
  return payload !== undefined && "ref" in payload ? [payload.ref] : [];
}

/** Whether a state is small enough for its head as it is. */
function isCompact({ trail, inlineBytes }: State): boolean {
  return (trail === undefined || trail.length <= MAX_TRAIL) && inlineBytes <= INLINE_RESULT_BYTES;
}

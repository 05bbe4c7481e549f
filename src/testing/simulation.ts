/**
 * An execution in memory: the engine's part around the pure core, on a virtual clock.
 *
 * It does what an engine does with a delivered head (decide, plan, invoke, write), what the server does with a parked
 * one (fire it), and what both do with mail (R7). Everything that is to come stands in one list, in order of time.
 *
 * @module
 */

import { begin, decide, isWanted, plan, stamped } from "../core/decide.ts";
import type { Attempt, Decision, Environment, Event, Outcome } from "../core/events.ts";
import { awaitsMail, hasParked } from "../core/mail.ts";
import { hasEnded, type State } from "../core/state.ts";
import type { Load } from "../core/values.ts";
import { parseResult } from "../engine/result.ts";
import type { FanoutNode, Flow, TaskNode } from "../flow/types.ts";
import type { Json } from "../json.ts";
import { milliseconds, requestOf, type Stubs } from "./stubs.ts";
import type { AttemptRecord, StubResult } from "./types.ts";

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly flow: Flow;
  readonly stubs: Stubs;
  readonly id: string;
  readonly input: Json;
  /** When it starts, in milliseconds since the epoch. */
  readonly startMs: number;
  readonly defaultTimeoutMs: number;
  readonly maxPayloadBytes: number;
  /** Is told when the execution begins to wait for a signal. */
  waitsFor(signal: string): void;
}

type Letter = Event & { readonly type: "signal" | "completion" };

interface Coming {
  readonly at: number;
  happen(): Promise<void>;
}

interface Running {
  readonly attempt: Attempt;
  readonly record: AttemptRecord;
  readonly abortion: AbortController;
}

/** More than any sensible flow does: an execution that does more turns in a circle. */
const MAX_STEPS = 50_000;

/** Values are all inline: none is ever loaded. */
const NOTHING_STORED: Load = {
  value: (ref) => {
    throw new TypeError(`value ${ref} is not stored`);
  },
  chunk: (ref) => {
    throw new TypeError(`results ${ref} are not stored`);
  },
};

/** One execution. */
export class Simulation {
  /** Every node that was entered, in order. */
  readonly path: string[] = [];
  /** Every attempt that was made, in order. */
  readonly attempts: AttemptRecord[] = [];
  readonly #options: SimulationOptions;
  readonly #coming: Coming[] = [];
  readonly #running = new Map<string, Running>();
  readonly #mail = new Map<string, Letter>();
  #head!: State;
  #now: number;
  #wakeAt = Infinity;
  #sequence = 0;
  #steps = 0;

  /** Creates a simulation that has not begun. */
  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#now = options.startMs;
  }

  /** The state. */
  get state(): State {
    return this.#head;
  }

  /** The time, in milliseconds since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** How values are read. */
  get load(): Load {
    return NOTHING_STORED;
  }

  /** Begins the execution. */
  async begin(): Promise<void> {
    const { flow, id, input } = this.#options;
    const first = begin(flow, { id, definition: "test", input: { value: input } }, this.#environment());
    await this.#write(undefined, first, first.path ?? []);
    await this.#drive([]);
  }

  /** Lets something happen at a time. */
  at(time: number, happen: () => Promise<void>): void {
    const after = this.#coming.findIndex((other) => other.at > time);
    this.#coming.splice(after < 0 ? this.#coming.length : after, 0, { at: time, happen });
  }

  /** When something happens next, by itself; `Infinity` where nothing does. */
  nextAt(): number {
    return Math.min(this.#coming[0]?.at ?? Infinity, this.#wakeAt, this.#firesAt());
  }

  /** Lets the next thing happen. */
  async step(): Promise<void> {
    if (++this.#steps > MAX_STEPS) throw new Error(`the execution does not come to an end: ${this.path.slice(-6)}, …`);
    const coming = this.#coming[0]?.at ?? Infinity;
    const fires = this.#firesAt();
    const at = this.nextAt();
    if (at === Infinity) return;
    this.passTo(at);
    if (coming <= at) return await this.#coming.shift()!.happen();
    if (fires <= at) this.#head = { ...this.#head, phase: "active" };
    await this.#drive([{ type: "wake" }]);
  }

  /** Lets time pass. */
  passTo(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  /** A command from outside: decided on and written at once. */
  async apply(event: Event): Promise<Decision> {
    const decision = decide(this.#options.flow, this.#head, event, this.#environment());
    if (decision.type === "next") await this.#commit(decision.state, decision.visited);
    return decision;
  }

  /** A signal comes. */
  signal(name: string, payload: Json): Promise<Decision> {
    return this.#receive({ type: "signal", name, payload: { value: payload }, sequence: ++this.#sequence });
  }

  /** A pending activity completes. */
  complete(attempt: Attempt, result: unknown): Promise<Decision> {
    return this.#receive({ type: "completion", ...attempt, outcome: this.#outcome(attempt.node, result) });
  }

  /** Mail before waiting, then a look at the head (R7). */
  async #receive(letter: Letter): Promise<Decision> {
    const decision = await this.apply(letter);
    if (decision.type !== "keep") return decision;
    const key = letter.type === "signal" ? letter.name : `${letter.node}.${letter.generation}.${letter.attempt}`;
    this.#mail.set(key, letter);
    if (awaitsMail(this.#head)) await this.#collectMail();
    return decision;
  }

  /** When the server fires the head: the time limit of what it waits for. */
  #firesAt(): number {
    const { phase, wait, branches, alarm } = this.#head;
    if (phase !== "waiting" && phase !== "delayed") return Infinity;
    if (wait?.kind !== "join") return wait?.until ?? Infinity;
    // Otherwise it is the safety alarm, or the time limit of a branch that an earlier join has left behind.
    const isLimit = Object.values(branches ?? {}).some(({ status, until }) => status === "pending" && until === alarm);
    return isLimit ? alarm! : Infinity;
  }

  /** One turn of an engine: apply events to the head, write what follows or start what is asked for. */
  async #drive(events: readonly Event[]): Promise<void> {
    const { flow } = this.#options;
    this.#wakeAt = Infinity;
    const head = this.#head;
    if (hasEnded(head.phase) || head.phase === "waiting" || head.phase === "delayed") return;
    let draft = head;
    const visited: string[] = [];
    for (const event of events) {
      const decision = decide(flow, draft, event, this.#environment());
      if (decision.type !== "next") continue;
      draft = decision.state;
      visited.push(...decision.visited);
      if (draft.phase !== "active") break;
    }
    if (draft !== head && draft.phase !== "active") return await this.#commit(draft, visited);
    const asked = plan(flow, draft, new Set(this.#running.keys()), this.#environment());
    if (asked.type === "park") return await this.#commit(asked.state, visited);
    for (const attempt of asked.attempts) await this.#start(draft, attempt);
    if (draft !== head) return await this.#commit(draft, visited);
    this.#wakeAt = asked.wakeAt ?? Infinity;
  }

  async #commit(next: State, visited: readonly string[]): Promise<void> {
    const { trail: _trail, ...state } = stamped(next, this.#head, this.#head.version, visited, this.#now);
    await this.#write(this.#head, state, visited);
    for (const [name, { attempt, record, abortion }] of this.#running) {
      if (isWanted(this.#options.flow, this.#head, attempt)) continue;
      this.#running.delete(name);
      record.status = "aborted";
      abortion.abort(new Error("the result is no longer wanted"));
    }
    await this.#drive([]);
  }

  async #write(previous: State | undefined, next: State, visited: readonly string[]): Promise<void> {
    this.#head = next;
    this.#recordPath(previous, next, visited);
    if (next.phase === "waiting" && next.wait?.kind === "signal") this.#options.waitsFor(next.wait.signal);
    if (hasParked(next, previous)) await this.#collectMail();
  }

  #recordPath(previous: State | undefined, next: State, visited: readonly string[]): void {
    for (const id of visited) {
      const node = this.#options.flow.nodes.get(id);
      this.path.push(id, ...(node?.type === "fanout" ? (node as FanoutNode).branches : []));
    }
    if (previous?.node !== next.node || previous.generation !== next.generation) this.path.push(next.node);
  }

  async #collectMail(): Promise<void> {
    for (const [key, letter] of [...this.#mail]) {
      if (!this.#mail.has(key)) continue;
      const { wait } = this.#head;
      if (letter.type === "signal" && (wait?.kind !== "signal" || wait.signal !== letter.name)) continue;
      const decision = decide(this.#options.flow, this.#head, letter, this.#environment());
      if (decision.type === "keep") continue;
      this.#mail.delete(key);
      if (decision.type === "next") await this.#commit(decision.state, decision.visited);
    }
  }

  /** Starts an attempt: its stub is asked now, and its outcome comes when the virtual time it takes is over. */
  async #start(state: State, attempt: Attempt): Promise<void> {
    const node = this.#options.flow.nodes.get(attempt.node) as TaskNode;
    const timeoutMs = node.timeoutMs ?? this.#options.defaultTimeoutMs;
    const record: AttemptRecord = { ...attempt, startedMs: this.#now - this.#options.startMs, status: "running" };
    const running: Running = { attempt, record, abortion: new AbortController() };
    this.#running.set(attempt.node, running);
    this.attempts.push(record);
    const { signal } = running.abortion;
    const request = requestOf(state, node, attempt, { load: NOTHING_STORED, deadline: this.#now + timeoutMs, signal });
    const result = await this.#options.stubs.answer(node, request);
    const takesMs = milliseconds(`stubs.${node.id}.takes`, result?.takes);
    const isLate = takesMs > timeoutMs;
    const outcome: Outcome = isLate
      ? { status: "retry", error: `timed out after ${timeoutMs} ms` }
      : this.#outcome(node.id, result);
    this.at(this.#now + Math.min(takesMs, timeoutMs), async () => {
      if (this.#running.get(node.id) !== running) return;
      this.#running.delete(node.id);
      if (isLate) running.abortion.abort(new Error(`timed out after ${timeoutMs} ms`));
      this.#settle(record, outcome);
      if (outcome.status === "pending") this.#completeLater(attempt, result);
      await this.#drive([{ type: "outcome", attempt, outcome }]);
    });
  }

  #settle(record: AttemptRecord, outcome: Outcome): void {
    record.endedMs = this.#now - this.#options.startMs;
    record.status = outcome.status;
    if ("error" in outcome) record.error = outcome.error;
  }

  #completeLater(attempt: Attempt, { completes }: StubResult): void {
    if (completes === undefined) return;
    const { after, ...result } = completes;
    const afterMs = milliseconds(`stubs.${attempt.node}.completes.after`, after);
    this.at(this.#now + afterMs, async () => void await this.complete(attempt, result));
  }

  /** What a result stands for, as the engine reads it. */
  #outcome(node: string, result: unknown): Outcome {
    const parsed = parseResult(result, node, this.#options.maxPayloadBytes);
    if (parsed.status !== "ok" || parsed.text === undefined) return parsed;
    return { status: "ok", payload: { value: JSON.parse(parsed.text) } };
  }

  #environment(): Environment {
    const { defaultTimeoutMs } = this.#options;
    return { now: this.#now, load: NOTHING_STORED, defaultTimeoutMs, leaseMs: 30_000 };
  }
}

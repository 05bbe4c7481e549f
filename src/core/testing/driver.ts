/**
 * An engine without NATS: it runs `decide` and `plan` as the real one does, on a virtual clock, with alarms, mail by
 * R7 and values by reference, under a script.
 *
 * It checks on every write what must hold of every head: versions rise by exactly one (R2), schedules have an alarm
 * (R4), generations never fall, the state survives its encoding, and names no node that the flow lacks.
 *
 * @module
 */

import type { Flow } from "../../flow/types.ts";
import type { Json } from "../../json.ts";
import { begin, decide, isWanted, plan, stamped } from "../decide.ts";
import { encodeState } from "../codec.ts";
import type { Attempt, Decision, Environment, Event, Outcome, Plan } from "../events.ts";
import { awaitsMail, hasParked } from "../mail.ts";
import { hasEnded, isSchedule, SAFETY_ALARM_MS, type State } from "../state.ts";
import type { TrailEntry } from "../trail.ts";
import { contextOf, type Load, payloadOf } from "../values.ts";
import type { Outcome as Result } from "./reference.ts";
import { fraction, type Script, type ScriptedResult } from "./script.ts";
import { MemoryStore } from "./store.ts";

/** Something in the future of the execution. */
interface Coming {
  readonly at: number;
  happen(): void;
}

/** A signal or completion on its way. */
type Letter = Event & { readonly type: "signal" | "completion" };

/** Runs one execution. */
export class Driver {
  readonly #flow: Flow;
  readonly #script: Script;
  readonly #store = new MemoryStore();
  readonly #visits = new Map<string, number[]>();
  readonly #attempts = new Set<string>();
  readonly #running = new Map<string, Attempt>();
  readonly #mail = new Map<string, Letter>();
  readonly #coming: Coming[] = [];
  #now = 0;
  #wakeAt: number | undefined;
  #failures = 0;
  #fails: State | undefined;
  #head!: State;
  /** Every head's place in history. */
  readonly trail: TrailEntry[] = [];
  /** What was done, for messages: the time, the phase and the node of each head. */
  readonly log: string[] = [];

  /** Creates a driver that has done nothing. */
  constructor(flow: Flow, script: Script) {
    this.#flow = flow;
    this.#script = script;
  }

  /** Starts the execution and runs it until nothing more happens. */
  run(input: Json): Result {
    for (const { name, at, sequence, payload } of this.#script.signals) {
      this.#in(at, () => {
        const stored = this.#store.stored(payload, fraction(`${name}${at}`) < 0.3);
        this.#receive({ type: "signal", name, payload: stored, sequence });
      });
    }
    const { cancelAt } = this.#script;
    if (cancelAt !== undefined) this.#in(cancelAt, () => this.#apply({ type: "cancel", reason: "enough" }));
    for (let at = 500; at < 60_000; at += 3_701.25) this.#in(at, () => this.#disturb(at));
    const start = { id: "x", definition: "d", input: this.#store.stored(input, false) };
    const first = this.#store.loading((load) => begin(this.#flow, start, this.#environment(load)));
    this.#write(undefined, first);
    this.#drive([]);
    for (let steps = 0; this.#next(); steps++) if (steps > 20_000) throw new Error("it does not come to an end");
    return this.#result();
  }

  /** Lets the next thing happen. Whether there was one. */
  #next(): boolean {
    this.#coming.sort((one, other) => one.at - other.at);
    const coming = this.#coming[0]?.at ?? Infinity;
    const { phase, alarm } = this.#head;
    const fires = isSchedule(phase) && phase !== "active" ? alarm! : Infinity;
    if (this.#wakeAt !== undefined && this.#wakeAt < Math.min(coming, fires)) {
      this.#now = this.#wakeAt;
      this.#drive([{ type: "wake" }]);
    } else if (fires < coming) {
      if (fires - this.#head.updatedAt >= SAFETY_ALARM_MS && this.#isIdle()) return false;
      this.#now = fires;
      this.#head = { ...this.#head, phase: "active" };
      this.#drive([{ type: "wake" }]);
    } else if (coming < Infinity) {
      this.#now = coming;
      this.#coming.shift()!.happen();
    } else return false;
    return true;
  }

  #isIdle(): boolean {
    return this.#coming.length === 0 && this.#running.size === 0;
  }

  /** One turn of a session: apply events to the head, write what follows or start what is asked for. */
  #drive(events: readonly Event[]): void {
    this.#wakeAt = undefined;
    const head = this.#head;
    if (hasEnded(head.phase) || head.phase === "waiting" || head.phase === "delayed") return;
    let draft = head;
    const visited: string[] = [];
    for (const event of events) {
      const decision = this.#decide(draft, event);
      if (decision.type !== "next") continue;
      draft = decision.state;
      visited.push(...decision.visited);
      if (draft.phase !== "active") break;
    }
    if (draft !== head && draft.phase !== "active") return this.#commit(draft, visited);
    const asked = this.#plan(draft);
    if (asked.type === "park") return this.#commit(asked.state, visited);
    for (const attempt of asked.attempts) this.#start(attempt);
    if (draft !== head) return this.#commit(draft, visited);
    if (asked.attempts.length === 0 && this.#running.size === 0 && asked.wakeAt === undefined) {
      throw new Error(`nothing is to be done, and nothing is waited for, at ${encodeState(head)}`);
    }
    this.#wakeAt = asked.wakeAt;
  }

  #decide(state: State, event: Event): Decision {
    return this.#store.loading((load) => decide(this.#flow, state, event, this.#environment(load)));
  }

  #plan(state: State): Plan {
    return this.#store.loading((load) =>
      plan(this.#flow, state, new Set(this.#running.keys()), this.#environment(load))
    );
  }

  #environment(load: Load): Environment {
    return { now: this.#now, load, defaultTimeoutMs: 30_000, leaseMs: 30_000 };
  }

  #commit(next: State, visited: readonly string[]): void {
    this.#write(this.#head, stamped(next, this.#head, this.#head.version, visited, this.#now));
    for (const [name, attempt] of this.#running) {
      if (!isWanted(this.#flow, this.#head, attempt)) this.#running.delete(name);
    }
    this.#drive([]);
  }

  #write(previous: State | undefined, next: State): void {
    check(this.#flow, previous, next, this.#now);
    this.#head = this.#store.compacted(previous, next);
    this.trail.push([this.#head.version, next.phase, next.node, next.attempt, next.updatedAt]);
    this.log.push(`${this.#now.toFixed()} ${next.phase} ${next.node} ${JSON.stringify(next.branches ?? {})}`);
    if (next.phase === "failed" && previous?.phase !== "failed") this.#resumeLater();
    if (hasParked(next, previous)) this.#collectMail();
  }

  #resumeLater(): void {
    const delay = this.#script.resumes[this.#failures++];
    if (delay === undefined) return;
    this.#in(this.#now + delay, () => {
      this.#apply({ type: "resume" });
      if (this.#head.phase === "failed" && this.#head === this.#fails) throw new Error("it was not resumed");
    });
  }

  #start(attempt: Attempt): void {
    const { node, generation } = attempt;
    const visits = this.#visits.get(node) ?? [];
    if (!visits.includes(generation)) visits.push(generation);
    this.#visits.set(node, visits);
    const visit = visits.indexOf(generation) + 1;
    const name = `${node}.${visit}.${attempt.attempt}`;
    if (this.#attempts.has(name)) throw new Error(`attempt ${name} is begun twice`);
    this.#attempts.add(name);
    this.#running.set(node, attempt);
    const { runMs, result, completion } = this.#script.attempt(node, visit, attempt.attempt);
    this.#in(this.#now + runMs, () => {
      if (this.#running.get(node) !== attempt) return;
      this.#running.delete(node);
      const outcome = result === undefined ? { status: "pending" } as const : this.#outcome(name, result);
      this.#drive([{ type: "outcome", attempt, outcome }]);
    });
    if (completion === undefined) return;
    const event = { type: "completion", ...attempt, outcome: this.#outcome(name, completion.result) } as const;
    this.#in(this.#now + completion.afterMs, () => this.#receive(event));
    // The same once more, and one for an attempt that was never made: neither changes anything.
    this.#in(this.#now + completion.afterMs + 7_777.7, () => this.#receive(event));
    this.#in(this.#now + completion.afterMs / 2, () => this.#receive({ ...event, attempt: event.attempt + 70 }));
    this.#in(this.#now + completion.afterMs / 3, () => this.#receive({ ...event, generation: generation + 1_000 }));
  }

  /** An outcome, its payload now inline and now by reference, and by its claimed size sometimes to be moved away. */
  #outcome(name: string, result: ScriptedResult): Outcome {
    if (result.status !== "ok" || result.payload === undefined) return result as Outcome;
    const payload = this.#store.stored(result.payload, fraction(`${name}/ref`) < 0.3);
    return { status: "ok", payload, bytes: Math.floor(fraction(`${name}/bytes`) * 3_000) };
  }

  /** A command from outside: decided on and written at once; a session at work sees it and goes on from there. */
  #apply(event: Event): Decision["type"] {
    this.#fails = this.#head;
    const decision = this.#decide(this.#head, event);
    if (decision.type === "next") this.#commit(decision.state, decision.visited);
    return decision.type;
  }

  /** Mail before waiting, then a look at the head (R7). */
  #receive(letter: Letter): void {
    if (this.#apply(letter) !== "keep") return;
    const key = letter.type === "signal" ? letter.name : `${letter.node}.${letter.generation}.${letter.attempt}`;
    const kept = this.#mail.get(key);
    if (kept?.type === "signal" && letter.type === "signal" && kept.sequence >= letter.sequence) return;
    this.#mail.set(key, letter);
    if (awaitsMail(this.#head)) this.#collectMail();
  }

  #collectMail(): void {
    for (const [key, letter] of [...this.#mail]) {
      if (!this.#mail.has(key)) continue;
      const { wait } = this.#head;
      if (letter.type === "signal" && (wait?.kind !== "signal" || wait.signal !== letter.name)) continue;
      const decision = this.#decide(this.#head, letter);
      if (decision.type === "keep") continue;
      this.#mail.delete(key);
      if (decision.type === "next") this.#commit(decision.state, decision.visited);
    }
  }

  /** What makes no sense, and must change nothing. */
  #disturb(at: number): void {
    const head = this.#head;
    this.#receive({ type: "completion", node: "nowhere", attempt: 0, outcome: { status: "ok" } });
    this.#receive({ type: "completion", node: head.node, attempt: 9, generation: 0, outcome: { status: "ok" } });
    this.#receive({ type: "signal", name: "unheard-of", payload: { value: at }, sequence: 1 });
    this.#apply({
      type: "outcome",
      attempt: { node: head.node, generation: 0, attempt: 0 },
      outcome: { status: "ok" },
    });
    if (head.phase !== "failed") this.#apply({ type: "resume" });
    if (hasEnded(head.phase)) this.#apply({ type: "cancel" });
    if (this.#head !== head) throw new Error("what makes no sense has changed something");
  }

  #in(at: number, happen: () => void): void {
    this.#coming.push({ at, happen });
  }

  #result(): Result {
    const { phase, node, lastNode } = this.#head;
    if (phase === "ready" || phase === "active" || phase === "delayed") throw new Error(`it stopped ${phase}`);
    const [payload, context] = this.#store.loading((load) => {
      const { results, signals, branches } = contextOf(this.#head, load);
      return [payloadOf(this.#head, load), { results: { ...results }, signals: { ...signals }, branches }];
    });
    const last = lastNode === undefined ? {} : { lastNode };
    return { status: phase, node, payload, ...context, ...last, attempts: [...this.#attempts].sort() };
  }
}

/** Checks what must hold of every head. */
function check(flow: Flow, previous: State | undefined, next: State, now: number): void {
  const fail = (what: string) => {
    throw new Error(`${what}: ${encodeState(next)} after ${previous && encodeState(previous)}`);
  };
  if (next.version !== (previous?.version ?? 0) + 1) fail("the version does not rise by one");
  if (next.generation < (previous?.generation ?? 1)) fail("the generation falls");
  if (isSchedule(next.phase) && !Number.isFinite(next.alarm)) fail("a schedule has no alarm");
  if (isSchedule(next.phase) && next.alarm! > now + SAFETY_ALARM_MS + 3_600_000) fail("a schedule sleeps too long");
  if (hasEnded(next.phase) && next.wait !== undefined) fail("what has ended waits");
  if ((next.phase === "waiting" || next.phase === "delayed") && next.wait === undefined) fail("it waits for nothing");
  for (const node of [next.node, ...Object.keys(next.branches ?? {}), ...Object.keys(next.results)]) {
    if (!flow.nodes.has(node)) fail(`the flow has no node ${node}`);
  }
  if ((next.trail?.length ?? 0) !== next.version - 1) fail("the trail has a gap");
}

/**
 * A session: one engine's work on one delivered head, until a later head drives the execution on.
 *
 * - R3: the delivery is acked only after such a head is committed, or seen. An `active` head does not count: it is
 *   progress saved under the delivery, and whoever gets the delivery next goes on from it.
 * - R9: a lost compare-and-set means: read the head again, apply what has happened here to it, decide again.
 *
 * @module
 */

import { isWanted } from "../core/decide.ts";
import type { Attempt, Event } from "../core/events.ts";
import { awaitsCompletion, awaitsMail } from "../core/mail.ts";
import type { State } from "../core/state.ts";
import type { Flow } from "../flow/types.ts";
import type { Delivery } from "../nats/delivery.ts";
import type { Head } from "../nats/head.ts";
import type { Attempts, RunningAttempt } from "./attempts.ts";
import type { Executions } from "./executions.ts";
import { Refusals } from "./refusals.ts";

/** The state that is to be written next. */
interface Draft {
  readonly state: State;
  /** The choices and fan-outs walked through on the way. */
  readonly visited: readonly string[];
  /** How many of the unsaved events are in it. */
  readonly events: number;
}

/** Works on one execution. */
export class Session {
  readonly #executions: Executions;
  readonly #attempts: Attempts;
  readonly #running = new Map<string, RunningAttempt>();
  readonly #refusals = new Refusals();
  #flow!: Flow;
  #head!: Head;
  /** What has happened here since the last head: applied again where another writer was first. */
  #unsaved: Event[] = [];
  #unwatch: (() => void) | undefined;
  #poke: (() => void) | undefined;
  #isPoked = false;
  #isDropped = false;
  #doubted = false;
  /** Why an attempt could not be started, and by which head: a later one may have it started again. */
  #unstarted: { readonly error: unknown; readonly revision: number } | undefined;
  /** Until then nobody else can have started an attempt of this head, by the server's time. */
  #firstUntil = 0;

  /** Creates a session that does nothing yet. */
  constructor(executions: Executions, attempts: Attempts) {
    this.#executions = executions;
    this.#attempts = attempts;
  }

  /**
   * Works on a head until a later one drives the execution on.
   *
   * @param firstUntil Until when nobody else can have worked on this head, by the server's time; 0 where somebody can.
   * @returns Whether the head is superseded; `false` where the session was dropped before.
   */
  async run(flow: Flow, head: Head, firstUntil: number): Promise<boolean> {
    this.#flow = flow;
    this.#head = head;
    this.#firstUntil = firstUntil;
    if (head.phase === "due") this.#unsaved.push({ type: "wake" });
    try {
      // Whoever wrote this head may have died before it looked into the mail for the branches that park in it (R7).
      if (awaitsCompletion(head.state)) {
        const collected = await this.#patiently(() => this.#executions.collectMail(flow, head));
        if (collected === undefined) return false;
        this.#head = collected;
        if (this.#head.revision !== head.revision && drivesItself(this.#head)) return true;
      }
      while (!this.#isDropped) {
        if (await this.#turn()) return true;
      }
      return false;
    } finally {
      this.#abortAll("the execution has moved on");
      this.#unwatch?.();
    }
  }

  /** Another writer may have changed the execution: look at its head before going on. */
  doubt(): void {
    this.#doubted = true;
    this.#wake();
  }

  /** Stop here and now; the delivery is given back. */
  drop(): void {
    this.#isDropped = true;
    this.#abortAll("the engine is stopping");
    this.#wake();
  }

  /** One turn: apply what has happened, write what follows or start what is asked for, wait for what comes. */
  async #turn(): Promise<boolean> {
    if (this.#doubted || this.#unstarted !== undefined) {
      const unstarted = this.#unstarted;
      this.#doubted = false;
      this.#unstarted = undefined;
      if (await this.#reload()) return true;
      if (unstarted?.revision === this.#head.revision) throw unstarted.error;
    }
    const draft = this.#unsaved.length === 0
      ? { state: this.#head.state, visited: [], events: 0 }
      : await this.#patiently(() => this.#applied());
    if (draft === undefined) return false;
    const isChanged = draft.state !== this.#head.state;
    if (isChanged && draft.state.phase !== "active") return await this.#write(draft);
    if (!isChanged) this.#unsaved.splice(0, draft.events);
    const plan = this.#executions.plan(this.#flow, draft.state, new Set(this.#running.keys()), this.#notBefore());
    if (plan.type === "park") return await this.#write({ ...draft, state: plan.state });
    for (const attempt of plan.attempts) this.#start(draft.state, attempt);
    if (isChanged) return await this.#write(draft);
    await this.#something(plan.wakeAt);
    if (plan.wakeAt !== undefined && plan.wakeAt <= this.#executions.parts.nats.clock.now()) {
      this.#unsaved.push({ type: "wake" });
    }
    return false;
  }

  /** The state after everything that has happened here since the last head. */
  async #applied(): Promise<Draft> {
    let { state } = this.#head;
    const visited: string[] = [];
    let events = 0;
    for (const event of this.#unsaved) {
      events++;
      const decision = await this.#executions.decide(this.#flow, state, event, this.#notBefore());
      if (decision.type !== "next") continue;
      state = decision.state;
      visited.push(...decision.visited);
      // Nothing that happened at the step that has just ended can matter to the next one.
      if (state.phase !== "active") break;
    }
    return { state, visited, events };
  }

  /** Writes the next head. Whether the session is over. */
  async #write({ state, visited, events }: Draft): Promise<boolean> {
    const written = await this.#patiently(() => this.#executions.commit(this.#flow, this.#head, state, visited));
    if (this.#isDropped && written === undefined) return false;
    if (written === undefined) return await this.#refused();
    this.#head = written;
    this.#unsaved.splice(0, events);
    this.#abortUnwanted();
    this.#watchOthers();
    // Mail may have saved progress on top of a head that drives itself: its own delivery goes on from there.
    return state.phase !== "active" || drivesItself(written);
  }

  /** Another writer was first, or has a write under way. Whether that drives the execution on without this session. */
  async #refused(): Promise<boolean> {
    await this.#refusals.settle(this.#head);
    return await this.#reload();
  }

  /** Reads the head again. Whether it drives the execution on without this session. */
  async #reload(): Promise<boolean> {
    const { id, flow } = this.#head.state;
    const head = await this.#patiently(() => this.#executions.parts.heads.read(id, flow));
    if (this.#isDropped) return false;
    if (head === undefined || head.state.startedAt !== this.#head.state.startedAt) return true;
    const isSame = head.revision === this.#head.revision;
    if (!isSame && drivesItself(head)) {
      if (!awaitsMail(head.state)) return true;
      return await this.#patiently(() => this.#executions.collectMail(this.#flow, head)) !== undefined;
    }
    if (!isSame) this.#firstUntil = 0;
    this.#head = head;
    this.#abortUnwanted();
    return false;
  }

  /** What has happened here is not lost because the server is away, is full, or does not let us write. */
  #patiently<T>(run: () => Promise<T>): Promise<T | undefined> {
    return this.#executions.parts.patience.until(run, () => this.#isDropped);
  }

  /** Branches that are pending can be completed by others while some run here: notice that. */
  #watchOthers(): void {
    if (this.#unwatch !== undefined || this.#head.phase !== "active") return;
    if (!Object.values(this.#head.state.branches ?? {}).some((branch) => branch.parked)) return;
    this.#unwatch = this.#executions.parts.heads.watch(this.#head.state.id, () => this.doubt());
  }

  #start(state: State, attempt: Attempt): void {
    const isFirst = this.#executions.parts.nats.clock.now() < this.#firstUntil;
    const running = this.#attempts.start(this.#flow, state, attempt, isFirst);
    this.#running.set(attempt.node, running);
    const { revision } = this.#head;
    const ended = (then: () => void) => {
      if (this.#running.get(attempt.node) !== running) return;
      this.#running.delete(attempt.node);
      then();
      this.#wake();
    };
    running.outcome.then(
      (outcome) => ended(() => this.#unsaved.push({ type: "outcome", attempt, outcome })),
      (error) => ended(() => this.#unstarted = { error, revision }),
    );
  }

  #abortUnwanted(): void {
    for (const [name, running] of this.#running) {
      if (isWanted(this.#flow, this.#head.state, running.attempt)) continue;
      this.#running.delete(name);
      running.abort("the result is no longer wanted");
    }
  }

  #abortAll(reason: string): void {
    for (const running of this.#running.values()) running.abort(reason);
    this.#running.clear();
  }

  /** Waits until something happens, or a time comes. */
  async #something(wakeAt: number | undefined): Promise<void> {
    if (!this.#isPoked) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#poke = resolve;
        if (wakeAt === undefined) return;
        timer = setTimeout(resolve, Math.max(0, wakeAt - this.#executions.parts.nats.clock.now()));
      });
      clearTimeout(timer);
    }
    this.#poke = undefined;
    this.#isPoked = false;
  }

  #wake(): void {
    this.#isPoked = true;
    this.#poke?.();
  }

  /** A head that the server fired is due, whatever our estimate of its time. */
  #notBefore(): number | undefined {
    return this.#head.phase === "due" ? this.#head.state.alarm : undefined;
  }
}

/** Whether a head drives its execution on without the delivery it was written under (R3). */
export function drivesItself(head: Head): boolean {
  return head.phase !== "active";
}

/** Whether nobody can have worked on a head before. An `active` one that fired was somebody's work that stalled. */
export function isFirst(delivery: Delivery, head: Head): boolean {
  const isFresh = delivery.deliveries === 1 && head.revision === delivery.sequence && head.parkedAs !== "active";
  return isFresh && !isRedriven(head);
}

/** Whether a head is its predecessor written again, by `reconcile`. */
function isRedriven({ state, parkedAs = state.phase }: Head): boolean {
  const previous = state.trail?.at(-1);
  if (previous === undefined) return false;
  const [, phase, node, attempt] = previous;
  return phase === parkedAs && node === state.node && attempt === state.attempt;
}

/**
 * Engines and commands as the explorer runs them: what `src/engine` does, step by step, where each step is one
 * operation on the world that others may come before or after.
 *
 * @module
 */

import type { Flow } from "../../flow/types.ts";
import { decide, isWanted, plan, stamped } from "../decide.ts";
import type { Attempt, Decision, Environment, Event, Outcome } from "../events.ts";
import { awaitsCompletion, awaitsMail, hasParked } from "../mail.ts";
import type { State } from "../state.ts";
import type { Head, Letter } from "./stream.ts";

/** An operation on the world. */
export type Operation =
  | { readonly op: "take" }
  | { readonly op: "read" }
  | { readonly op: "write"; readonly next: State; readonly previous: Head }
  | { readonly op: "begin"; readonly attempts: readonly Attempt[] }
  | { readonly op: "wait"; readonly running: readonly string[]; readonly wakeAt: number | null; readonly fence: number }
  | { readonly op: "mail" }
  | { readonly op: "keep"; readonly key: string; readonly letter: Letter }
  | { readonly op: "remove"; readonly key: string; readonly sequence: number }
  | { readonly op: "ack"; readonly seq: number };

/** What an operation gave, and the time at which. */
export interface Answer {
  readonly clock: number;
  // deno-lint-ignore no-explicit-any -- each operation has its own kind of answer
  readonly value: any;
}

/** A process: it asks for operations and is given answers. It keeps nothing outside itself. */
export type Process<T = void> = Generator<Operation, T, Answer>;

/** What a command from outside is. */
export interface Command {
  readonly event: Event;
  /** Where it is kept when nobody waits for it. */
  readonly mail?: string;
  /** The sequence it came with. */
  readonly sequence: number;
}

/** One turn of a session. */
interface Turn {
  readonly isChanged: boolean;
  /** How many of the events are in what is written. */
  readonly events: number;
  readonly visited: readonly string[];
  readonly attempts: readonly Attempt[];
  readonly wakeAt?: number;
  readonly write?: State;
}

/** What the invoker does with an attempt. */
export type Invoker = (attempt: Attempt) => Outcome;

/** The processes of one flow. */
export class Processes {
  readonly #flow: Flow;
  readonly #invoker: Invoker;

  /** `invoker` says how every attempt ends. */
  constructor(flow: Flow, invoker: Invoker) {
    this.#flow = flow;
    this.#invoker = invoker;
  }

  /** An engine's work on one delivery (R3). */
  *session(): Process {
    const { value: delivery, clock } = yield { op: "take" };
    const seq: number = delivery.seq;
    let head: Head = delivery.head;
    if (delivery.deliveries > 1 || head.phase === "due") head = (yield { op: "read" }).value;
    if (head.revision !== seq && head.phase !== "active") {
      if (awaitsMail(head.state)) yield* this.#collectMail(head);
    } else yield* this.#work(head, clock);
    yield { op: "ack", seq };
  }

  /** A command, until it has had its effect or was kept (R7). */
  *command(command: Command): Process {
    for (;;) {
      const { value: head, clock } = yield { op: "read" };
      const decision = this.#decide(head.state, command.event, clock);
      if (decision.type === "drop") return;
      if (decision.type === "keep") return yield* this.#keep(command);
      if ((yield* this.#commit(head, decision.state, decision.visited, clock)) !== null) return;
    }
  }

  *#keep({ mail, event, sequence }: Command): Process {
    yield { op: "keep", key: mail!, letter: { sequence, event } };
    const { value: head } = yield { op: "read" };
    if (awaitsMail(head.state)) yield* this.#collectMail(head);
  }

  *#work(first: Head, begunAt: number): Process {
    let head = first;
    let clock = begunAt;
    const running = new Map<string, Attempt>();
    let unsaved: Event[] = head.phase === "due" ? [{ type: "wake" }] : [];
    if (awaitsCompletion(head.state)) head = yield* this.#collectMail(head);
    if (head.revision !== first.revision && head.phase !== "active") return;
    for (;;) {
      const now = head.phase === "due" ? Math.max(clock, head.state.alarm!) : clock;
      const turn = this.#turn(head, unsaved, { running, now });
      if (turn.attempts.length > 0) yield { op: "begin", attempts: turn.attempts };
      for (const attempt of turn.attempts) running.set(attempt.node, attempt);
      if (!turn.isChanged) unsaved = [];
      let next: Head | undefined;
      if (turn.write !== undefined) {
        next = (yield* this.#commit(head, turn.write, turn.visited, now)) ?? undefined;
        if (next !== undefined && (turn.write.phase !== "active" || next.phase !== "active")) return;
        if (next !== undefined) unsaved = unsaved.slice(turn.events);
        else next = yield* this.#reload(head);
      } else {
        const names = [...running.keys()];
        const waited = yield { op: "wait", running: names, wakeAt: turn.wakeAt ?? null, fence: head.fence };
        clock = waited.clock;
        if (waited.value.doubted) next = yield* this.#adopted(head, waited.value.doubted);
        else [unsaved, next] = [[...unsaved, this.#came(running, waited.value.outcome)], head];
      }
      if (next === undefined) return;
      head = next;
      for (const [name, attempt] of running) if (!isWanted(this.#flow, head.state, attempt)) running.delete(name);
    }
  }

  /** The head that another writer made; none where it drives the execution on without this session. */
  *#reload(old: Head): Process<Head | undefined> {
    return yield* this.#adopted(old, (yield { op: "read" }).value);
  }

  *#adopted(old: Head, head: Head): Process<Head | undefined> {
    if (head.revision === old.revision || head.phase === "active") return head;
    if (awaitsMail(head.state)) yield* this.#collectMail(head);
    return undefined;
  }

  /** What follows from what has happened: a state to write, attempts to begin. */
  #turn(head: Head, unsaved: readonly Event[], at: { running: ReadonlyMap<string, Attempt>; now: number }): Turn {
    const draft = this.#applied(head, unsaved, at.now);
    const isChanged = draft.state !== head.state;
    const { visited, events } = draft;
    const turn = { isChanged, visited, events, attempts: [] };
    if (isChanged && draft.state.phase !== "active") return { ...turn, write: draft.state };
    const asked = plan(this.#flow, draft.state, new Set(at.running.keys()), environment(at.now));
    if (asked.type === "park") return { ...turn, write: asked.state };
    const { attempts, wakeAt } = asked;
    return {
      ...turn,
      attempts,
      ...(isChanged ? { write: draft.state } : {}),
      ...(wakeAt === undefined ? {} : { wakeAt }),
    };
  }

  #came(running: Map<string, Attempt>, name: string | undefined): Event {
    if (name === undefined) return { type: "wake" };
    const attempt = running.get(name)!;
    running.delete(name);
    return { type: "outcome", attempt, outcome: this.#invoker(attempt) };
  }

  #applied(head: Head, unsaved: readonly Event[], now: number): { state: State; visited: string[]; events: number } {
    let { state } = head;
    const visited: string[] = [];
    let events = 0;
    for (const event of unsaved) {
      events++;
      const decision = this.#decide(state, event, now);
      if (decision.type !== "next") continue;
      state = decision.state;
      visited.push(...decision.visited);
      if (state.phase !== "active") break;
    }
    return { state, visited, events };
  }

  *#commit(head: Head, next: State, visited: readonly string[], now: number): Process<Head | null> {
    const state = stamped(next, head.state, head.revision, visited, now);
    const { value: written } = yield { op: "write", next: state, previous: head };
    if (written === null) return null;
    return hasParked(state, head.state) ? yield* this.#collectMail(written) : written;
  }

  *#collectMail(head: Head): Process<Head> {
    const { value: mail, clock } = yield { op: "mail" };
    let current = head;
    for (const [key, { event, sequence }] of Object.entries(mail as Record<string, Letter>)) {
      const { wait } = current.state;
      if (event.type === "signal" && (wait?.kind !== "signal" || wait.signal !== event.name)) continue;
      const decision = this.#decide(current.state, event, clock);
      if (decision.type === "keep") continue;
      if (decision.type === "next") {
        const written: Head | null = yield* this.#commit(current, decision.state, decision.visited, clock);
        if (written === null) {
          const newest: Head = (yield { op: "read" }).value;
          return awaitsMail(newest.state) ? yield* this.#collectMail(newest) : newest;
        }
        current = written;
      }
      yield { op: "remove", key, sequence };
      if (!awaitsMail(current.state)) break;
    }
    return current;
  }

  #decide(state: State, event: Event, now: number): Decision {
    return decide(this.#flow, state, event, environment(now));
  }
}

function environment(now: number): Environment {
  const missing = () => {
    throw new Error("the model keeps every value inline");
  };
  return { now, load: { value: missing, chunk: missing }, defaultTimeoutMs: 30_000, leaseMs: 30_000 };
}

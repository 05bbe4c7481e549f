/**
 * Events: what the server republishes of every head, as users see it.
 *
 * @module
 */

import type { MsgHdrs, Subscription } from "@nats-io/nats-core";
import { isTrailEntry } from "../core/codec.ts";
import { type ExecutionStatus, isPhase, type State, statusOf } from "../core/state.ts";
import { type TrailEntry, trailEntry } from "../core/trail.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";
import { type Head, type HeadNote, parseNote } from "./head.ts";
import { readForwards } from "./read.ts";

/** A change of an execution. */
export interface ExecutionEvent {
  /** The execution's id. */
  executionId: string;
  /** The flow's name. */
  flow: string;
  /** The status it has since. */
  status: ExecutionStatus;
  /** The node it is at since, or went through. */
  node: string;
  /** Why it failed, or the attempt before did. */
  error?: string;
  /** The attempt, from 0. */
  attempt?: number;
  /** The sequence of the head's message: a later change has a higher one. */
  revision: number;
  /** When it happened: the server's time. */
  time: Date;
  /** The `ownerId` of the instance that made the change. Not in `history`. */
  writer?: string;
  /** How many events were missed before this one, because the reader was too slow. Only in `watchEvents`. */
  missed?: number;
}

/** How many events a watch holds for a reader that is slow. */
export const MAX_WAITING = 10_000;

/** The events of an execution, oldest first: those put away, those its head carries, and the head's own. */
export async function historyOf(nats: Nats, id: string, head: Head | undefined): Promise<ExecutionEvent[]> {
  const byRevision = new Map<number, ExecutionEvent[]>();
  const add = (flow: string, startedAt: number, trail: unknown) => {
    for (const entry of entriesOf(trail)) byRevision.set(entry[0], entryEvents(id, flow, startedAt, entry));
  };
  try {
    for await (const message of readForwards(nats, nats.names.eventStream, nats.names.history("*", id))) {
      const { startedAt, trail } = message.json<{ startedAt: number; trail: unknown }>();
      add(message.subject.split(".").at(-2)!, startedAt, trail);
    }
  } catch (error) {
    if (!isNotFound(error) && !isNoResponders(error)) throw packtrailError(error, `reading the history of ${id}`);
  }
  if (head !== undefined) {
    const { flow, startedAt, trail } = head.state;
    const phase = head.parkedAs ?? head.state.phase;
    add(flow, startedAt, [...trail ?? [], trailEntry({ ...head.state, phase }, head.revision)]);
  }
  return [...byRevision.keys()].sort((left, right) => left - right).flatMap((revision) => byRevision.get(revision)!);
}

/**
 * The events of a namespace from now on, until the signal is aborted. It never holds the connection up: a reader that
 * is too slow misses the oldest events, and the next one it gets says how many.
 */
export function watchEvents(nats: Nats, signal: AbortSignal | undefined): AsyncIterableIterator<ExecutionEvent> {
  return new EventWatch(nats, signal);
}

/** Holds the events that have come and were not read yet. */
class EventWatch implements AsyncIterableIterator<ExecutionEvent> {
  readonly #subscription: Subscription;
  readonly #stopListening: () => void;
  /** A ring: the oldest at `#first`. */
  readonly #waiting: ExecutionEvent[] = [];
  #first = 0;
  #missed = 0;
  #isOver = false;
  #failure: Error | undefined;
  readonly #readers: (() => void)[] = [];

  constructor(nats: Nats, signal: AbortSignal | undefined) {
    this.#subscription = nats.nc.subscribe(nats.names.events(), {
      callback: (error, msg) => {
        if (error !== null) this.#fail(packtrailError(error, "watching events"));
        else for (const event of eventsOf(nats, msg.subject, msg.headers)) this.#add(event);
      },
    });
    const abort = () => this.#end(true);
    this.#stopListening = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    void this.#subscription.closed.then(() => this.#end(false));
  }

  async next(): Promise<IteratorResult<ExecutionEvent, undefined>> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined) return { done: false, value: event };
      const failure = this.#failure;
      if (failure !== undefined) {
        this.#failure = undefined;
        this.#end(true);
        throw failure;
      }
      if (this.#isOver) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
  }

  return(): Promise<IteratorResult<ExecutionEvent, undefined>> {
    this.#end(true);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(event: ExecutionEvent): void {
    if (this.#isOver) return;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(event);
    else {
      this.#missed++;
      this.#waiting[this.#first] = event;
      this.#first = (this.#first + 1) % MAX_WAITING;
    }
    this.#readers.shift()?.();
  }

  #take(): ExecutionEvent | undefined {
    if (this.#first > 0) {
      // The ring was full: put in order once, and read on as if it had not been.
      this.#waiting.push(...this.#waiting.splice(0, this.#first));
      this.#first = 0;
    }
    const event = this.#waiting.shift();
    if (event === undefined || this.#missed === 0) return event;
    const missed = this.#missed;
    this.#missed = 0;
    return { ...event, missed };
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#wakeAll();
  }

  /** `isDone`: nobody wants what has come and was not read. */
  #end(isDone: boolean): void {
    if (isDone) this.#waiting.length = this.#first = 0;
    if (!this.#isOver) {
      this.#isOver = true;
      this.#stopListening();
      if (!this.#subscription.isClosed()) this.#subscription.unsubscribe();
    }
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#readers.splice(0)) wake();
  }
}

/** The events that a republished head stands for: the nodes walked through, then its own. */
export function eventsOf(nats: Nats, subject: string, header: MsgHdrs | undefined): ExecutionEvent[] {
  const parsed = nats.names.parseHead(subject);
  const note = parseNote(header);
  // A head that the server fired is no change: the head that follows it is.
  if (parsed === undefined || note === undefined || parsed.phase === "due" || !isPhase(parsed.phase)) return [];
  return withPath(eventOf(parsed, note, Number(header?.get("Nats-Sequence") || 0)), note.p);
}

/** The event of a head. */
export function eventOf(
  { phase, flow, id }: { phase: string; flow: string; id: string },
  note: HeadNote,
  revision: number,
): ExecutionEvent {
  return {
    executionId: id,
    flow,
    status: statusOf(phase as State["phase"]),
    node: note.n,
    ...(note.e === undefined ? {} : { error: note.e }),
    attempt: note.a,
    revision,
    time: new Date(note.t),
    ...(typeof note.w === "string" ? { writer: note.w.split(".", 1)[0]! } : {}),
  };
}

/** The entries of a trail that make sense. */
export function entriesOf(trail: unknown): TrailEntry[] {
  return Array.isArray(trail) ? trail.filter(isTrailEntry) : [];
}

/** The events that an entry of a trail stands for. */
export function entryEvents(id: string, flow: string, startedAt: number, entry: TrailEntry): ExecutionEvent[] {
  const [revision, phase, node, attempt, elapsedMs, error, path] = entry;
  return withPath({
    executionId: id,
    flow,
    status: statusOf(phase as State["phase"]),
    node,
    ...(error ? { error } : {}),
    attempt,
    revision,
    time: new Date(startedAt + elapsedMs),
  }, path);
}

function withPath(event: ExecutionEvent, path: readonly string[] | undefined): ExecutionEvent[] {
  if (path === undefined) return [event];
  const { error: _error, attempt: _attempt, ...bare } = event;
  return [...path.map((node): ExecutionEvent => ({ ...bare, status: "running", node })), event];
}

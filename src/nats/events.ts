/**
 * Events: what the server republishes of every head, as users see it.
 *
 * @module
 */

import type { MsgHdrs } from "@nats-io/nats-core";
import { type ExecutionStatus, type State, statusOf } from "../core/state.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";
import { type HeadNote, parseNote } from "./heads.ts";
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
  /** How many events were missed before this one, because the reader was too slow. Only in `watchEvents`. */
  missed?: number;
}

const MAX_WAITING = 10_000;

/** The events of an execution, oldest first; the latest `limit` of them. */
export async function historyOf(nats: Nats, id: string, limit: number): Promise<ExecutionEvent[]> {
  const { names } = nats;
  let events: ExecutionEvent[] = [];
  try {
    for await (const message of readForwards(nats, names.eventStream, names.events("*", id))) {
      events.push(...eventsOf(nats, message.subject, message.header));
      if (events.length > limit * 2 + 1_000) events = events.slice(-limit);
    }
  } catch (error) {
    if (!isNotFound(error) && !isNoResponders(error)) throw packtrailError(error, `reading the history of ${id}`);
  }
  return events.slice(-limit);
}

/**
 * The events of a namespace from now on, until the signal is aborted. It never holds the connection up: a reader that
 * is too slow misses events, and the next one it gets says how many.
 */
export function watchEvents(nats: Nats, signal: AbortSignal | undefined): AsyncIterable<ExecutionEvent> {
  const waiting: ExecutionEvent[] = [];
  let missed = 0;
  let isOver = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const subscription = nats.nc.subscribe(nats.names.events(), {
    callback: (error, msg) => {
      if (error !== null) failure = packtrailError(error, "watching events");
      else {
        const events = eventsOf(nats, msg.subject, msg.headers);
        if (waiting.length >= MAX_WAITING) missed += events.length;
        else if (events[0] !== undefined) {
          if (missed > 0) events[0].missed = missed;
          missed = 0;
          waiting.push(...events);
        }
      }
      wake?.();
    },
  });
  const end = () => {
    if (isOver) return;
    isOver = true;
    signal?.removeEventListener("abort", end);
    if (!nats.nc.isClosed()) subscription.unsubscribe();
    wake?.();
  };
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end, { once: true });
  subscription.closed.then(end);

  async function* read(): AsyncGenerator<ExecutionEvent> {
    try {
      for (;;) {
        if (failure !== undefined) throw failure;
        const event = waiting.shift();
        if (event !== undefined) yield event;
        else if (isOver) return;
        else await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      end();
    }
  }
  return read();
}

/** The events that a head, or its republished header, stands for: the nodes walked through, then its own. */
export function eventsOf(nats: Nats, subject: string, header: MsgHdrs | undefined): ExecutionEvent[] {
  const parsed = nats.names.parseHead(subject);
  const note = parseNote(header);
  // A head that the server fired is no change: the head that follows it is.
  if (parsed === undefined || note === undefined || parsed.phase === "due") return [];
  const revision = Number(header?.get("Nats-Sequence") || 0);
  const own = eventOf(parsed, note, revision);
  const { error: _error, attempt: _attempt, ...bare } = own;
  const visited = (note.p ?? []).map((node): ExecutionEvent => ({ ...bare, status: "running", node }));
  return [...visited, own];
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
  };
}

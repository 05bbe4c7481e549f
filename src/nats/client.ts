/**
 * The NATS connection as packtrail uses it, and what NATS errors mean to packtrail.
 *
 * - R9: a lost compare-and-set is error 10071 or 10164; both mean: read again and decide again.
 *
 * @module
 */

import {
  type ApiError,
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import { InvalidArgumentError, type MsgHdrs, PermissionViolationError } from "@nats-io/nats-core";
import type { Connection } from "../connection.ts";
import { PacktrailError, PayloadTooLargeError, PermissionError, UnavailableError } from "../errors.ts";
import type { Names } from "../names.ts";
import { Outbox } from "../outbox.ts";
import { type Outcome, Requests } from "../requests.ts";
import { ServerClock } from "./clock.ts";
import { limitAdvice } from "./limits.ts";

export type { Connection } from "../connection.ts";

/** What every part of this room works with. */
export interface Nats {
  /** The connection; it belongs to the caller. */
  readonly nc: Connection;
  /** The JetStream client. */
  readonly js: JetStreamClient;
  /** The JetStream manager. */
  readonly jsm: JetStreamManager;
  /** The names of the namespace. */
  readonly names: Names;
  /** The server's time. */
  readonly clock: ServerClock;
  /** Requests of the hot path. */
  readonly requests: Requests;
  /** What goes out. */
  readonly outbox: Outbox;
}

/** The parts for a connection. No I/O. */
export async function natsOf(nc: Connection, names: Names): Promise<Nats> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const js = jetstream(nc, { checkAPI: false });
  const outbox = new Outbox();
  return { nc, js, jsm, names, clock: new ServerClock(), requests: new Requests(nc, outbox), outbox };
}

/** A request that was not answered: it is not known what has happened. */
export class NoAnswerError extends Error {
  /** Whether nobody listens: JetStream is off, or the stream does not exist. */
  readonly isUnheard: boolean;

  /** Creates the error. */
  constructor(subject: string, reason: string, isUnheard = false, options?: ErrorOptions) {
    super(`no answer to a publish to ${subject}: ${reason}`, options);
    this.name = "NoAnswerError";
    this.isUnheard = isUnheard;
  }
}

/** A message that was to be the first of its `Nats-Msg-Id`, and is not. */
export class DuplicateError extends Error {
  /** The sequence of the first. */
  readonly sequence: number;

  /** Creates the error. */
  constructor(subject: string, sequence: number) {
    super(`a message to ${subject} was not the first of its id`);
    this.name = "DuplicateError";
    this.sequence = sequence;
  }
}

/** nats-server says nothing at all where a stream could not be written. */
const SILENCE = "timeout: where the connection is well, the log of nats-server says why (a full disk, for one)";

/** How long a publish waits for its answer, in milliseconds. */
const PUBLISH_TIMEOUT_MS = 5_000;

const DECODER = new TextDecoder();

/** What a message is published with. */
export interface PublishOptions {
  /** Headers to send. */
  readonly headers?: MsgHdrs;
  /** A message whose `Nats-Msg-Id` is there already is an error. */
  readonly isFirst?: boolean;
  /** Told the sequence before what the server sends next is looked at: the message itself may come behind it. */
  readonly stored?: (sequence: number) => void;
}

/**
 * Publishes to a stream. Returns the sequence of the message.
 *
 * The same as `publish` of the JetStream client, at half the cost: that one keeps a timer and records two stack traces
 * for each message.
 *
 * @throws {JetStreamApiError} Where the stream refuses the message.
 * @throws {DuplicateError} Where it was to be the first of its `Nats-Msg-Id`, and is not.
 * @throws {NoAnswerError} Where no answer came.
 */
export function publish(nats: Nats, subject: string, body: string, options: PublishOptions = {}): Promise<number> {
  const { headers, isFirst = false, stored } = options;
  const limits = { timeoutMs: PUBLISH_TIMEOUT_MS, ...(headers === undefined ? {} : { headers }) };
  return new Promise((resolve, reject) => {
    nats.requests.call(subject, body, limits, (outcome) => {
      try {
        const { seq, duplicate } = acknowledgement(outcome, nats, subject, body);
        if (duplicate && isFirst) throw new DuplicateError(subject, seq);
        stored?.(seq);
        resolve(seq);
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** What the server says of a message that it has stored. */
interface Acknowledgement {
  /** Its sequence. */
  readonly seq: number;
  /** Whether it was there already. */
  readonly duplicate?: boolean;
}

function acknowledgement(outcome: Outcome, nats: Nats, subject: string, body: string): Acknowledgement {
  switch (outcome.kind) {
    case "reply": {
      const answer = JSON.parse(DECODER.decode(outcome.data)) as Partial<Acknowledgement> & { error?: ApiError };
      if (answer.error !== undefined) throw new JetStreamApiError(answer.error);
      if (typeof answer.seq !== "number") throw new NoAnswerError(subject, "the answer is no acknowledgement");
      return answer as Acknowledgement;
    }
    case "denied":
      throw outcome.error;
    case "no-responders":
      throw new NoAnswerError(subject, "no stream takes it", true);
    case "unsent":
      // The client knows the server's limit: to try again would not help.
      if (outcome.error instanceof InvalidArgumentError) throw tooLarge(nats, subject, body, outcome.error);
      throw new NoAnswerError(subject, outcome.error.message, false, { cause: outcome.error });
    case "timeout":
      throw new NoAnswerError(subject, SILENCE);
    case "closed":
    case "aborted":
      throw new NoAnswerError(subject, outcome.kind);
    default:
      return outcome satisfies never;
  }
}

function tooLarge(nats: Nats, subject: string, body: string, cause: Error): PayloadTooLargeError {
  const limit = nats.nc.info?.max_payload ?? 0;
  return new PayloadTooLargeError(`a message to ${subject}`, new TextEncoder().encode(body).length, limit, { cause });
}

/** Another write was first, has one under way, or has one of the same `Nats-Msg-Id` under way on a cluster. */
const CONFLICTS = new Set([10071, 10164, 10158]);
const NOT_FOUND = new Set([10037, 10059, 10014]);

/** Learns the server's time, unless it was learnt less than `maxAgeMs` ago. */
export async function syncClock(nats: Nats, maxAgeMs: number): Promise<void> {
  if (nats.clock.age() < maxAgeMs) return;
  const askedAt = performance.now();
  try {
    const info = await nats.jsm.streams.info(nats.names.executionStream());
    nats.clock.observe(info, askedAt);
  } catch (error) {
    throw packtrailError(error, "asking the server for its time");
  }
}

/** Removes a message, where it is there. Resolves with whether it was; `action` is what an error says of it. */
export async function removeMessage(
  nats: Nats,
  { stream, sequence }: { stream: string; sequence: number },
  action: string,
): Promise<boolean> {
  try {
    return await nats.jsm.streams.deleteMessage(stream, sequence, false);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw packtrailError(error, action);
  }
}

/** Calls back whenever the connection was lost and is back: anything may have been missed. Returns what ends that. */
export function onReconnect(nc: Connection, missed: () => void): () => void {
  const statuses = nc.status();
  let isStopped = false;
  (async () => {
    for await (const status of statuses) {
      if (isStopped) break;
      if (status.type === "reconnect") missed();
    }
  })();
  return () => {
    isStopped = true;
    (statuses as { stop?: () => void }).stop?.();
  };
}

/** Whether an error says that a compare-and-set was lost (R9). */
export function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && CONFLICTS.has(error.code);
}

/** Whether an error says that the message, stream or consumer does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && (NOT_FOUND.has(error.code) || error.status === 404);
}

/** Whether an error says that nobody listens: JetStream is off, or the stream does not exist. */
export function isNoResponders(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof NoAnswerError) return cause.isUnheard;
    if (cause.name === "NoResponders" || cause.name === "JetStreamNotEnabled") return true;
    if ((cause as { code?: unknown }).code === 503) return true;
  }
  return false;
}

/** Whether an error says that the user may not do this. */
export function isPermission(error: unknown): boolean {
  return permissionOf(error) !== undefined;
}

/** Whether an error leaves open what has happened: no answer came in time, or the connection was lost. */
export function isUnknownOutcome(error: unknown): boolean {
  if (error instanceof UnavailableError) return error.cause === undefined || isUnknownOutcome(error.cause);
  if (error instanceof PacktrailError) return false;
  if (error instanceof JetStreamApiError) return error.status >= 500;
  return isNatsError(error) && !isPermission(error) && !isConflict(error) && !isNotFound(error);
}

/**
 * Runs something again until the server answers: what was lost on the way is found out by reading, not by giving up.
 *
 * @param isStopped Ends the trying; the answer is then `undefined`.
 * @throws What `run` throws, where it is an answer, or the connection is closed for good.
 */
export async function untilAnswered<T>(
  nats: Nats,
  run: () => Promise<T>,
  isStopped: () => boolean,
): Promise<T | undefined> {
  for (let pause = FIRST_PAUSE_MS; !isStopped(); pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      return await run();
    } catch (error) {
      if (!isUnknownOutcome(error) || nats.nc.isClosed()) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return undefined;
}

/**
 * Runs something again, for a while, where nobody hears it: the servers of a cluster choose who leads a stream that was
 * made just now, and until they have nobody takes its messages.
 *
 * @throws What `run` throws; that nobody hears it when the time is over.
 */
export async function untilHeard<T>(run: () => Promise<T>, patienceMs = LEADERLESS_MS): Promise<T> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isNoResponders(error) || performance.now() >= until) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS));
    }
  }
}

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** How long a stream may be without a leader before that is not what is to be expected, in milliseconds. */
const LEADERLESS_MS = 5_000;

/**
 * The error to throw for a NATS error.
 *
 * @param action What was being done: `"starting execution x"`.
 */
export function packtrailError(error: unknown, action: string): Error {
  if (error instanceof PacktrailError) return error;
  const permission = permissionOf(error);
  if (permission !== undefined) {
    const what = permission.operation === "subscription" ? "subscribe to" : permission.operation;
    return new PermissionError(
      `${action}: this connection's user may not ${what} ${permission.subject}: grant it, see the README's permissions`,
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  const advice = limitAdvice(error);
  return new UnavailableError(`${action}: ${reason}${advice === undefined ? "" : `: ${advice}`}`, { cause: error });
}

function isNatsError(error: unknown): boolean {
  return error instanceof NoAnswerError || error instanceof Error && NATS_ERRORS.has(error.name);
}

const NATS_ERRORS = new Set([
  "TimeoutError",
  "RequestError",
  "NoResponders",
  "JetStreamNotEnabled",
  "JetStreamError",
  "JetStreamStatusError",
  "ClosedConnectionError",
  "DrainingConnectionError",
  "ConnectionError",
]);

function permissionOf(error: unknown): PermissionViolationError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof PermissionViolationError) return cause;
  }
  return undefined;
}

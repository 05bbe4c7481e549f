/**
 * The NATS connection as packtrail uses it, and what NATS errors mean to packtrail.
 *
 * - R9: a lost compare-and-set is error 10071 or 10164; both mean: read again and decide again.
 *
 * @module
 */

import {
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type NatsConnection, PermissionViolationError } from "@nats-io/nats-core";
import { PacktrailError, PermissionError, UnavailableError } from "../errors.ts";
import type { Names } from "../names.ts";
import { ServerClock } from "./clock.ts";

/** A NATS connection, as `connect` of `@nats-io/transport-deno` or `transport-node` gives it. */
export type Connection = NatsConnection;

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
}

/** The parts for a connection. No I/O. */
export async function natsOf(nc: Connection, names: Names): Promise<Nats> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  return { nc, js: jetstream(nc), jsm, names, clock: new ServerClock() };
}

const WRONG_LAST_SEQUENCE = new Set([10071, 10164]);
const NOT_FOUND = new Set([10037, 10059, 10014]);

/** Whether an error says that a compare-and-set was lost (R9). */
export function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code);
}

/** Whether an error says that the message, stream or consumer does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && (NOT_FOUND.has(error.code) || error.status === 404);
}

/** Whether an error says that nobody listens: JetStream is off, or the stream does not exist. */
export function isNoResponders(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "NoRespondersError" || cause.name === "JetStreamNotEnabled") return true;
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
  if (error instanceof PacktrailError) return error instanceof UnavailableError;
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

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/**
 * The error to throw for a NATS error.
 *
 * @param action What was being done: `"starting execution x"`.
 */
export function packtrailError(error: unknown, action: string): Error {
  if (error instanceof PacktrailError) return error;
  const permission = permissionOf(error);
  if (permission !== undefined) {
    return new PermissionError(
      `${action}: this connection's user may not ${permission.operation} ${permission.subject}: grant it, see the README's permissions`,
      { cause: error },
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new UnavailableError(`${action}: ${reason}`, { cause: error });
}

function isNatsError(error: unknown): boolean {
  return error instanceof Error && NATS_ERRORS.has(error.name);
}

const NATS_ERRORS = new Set([
  "TimeoutError",
  "RequestError",
  "NoRespondersError",
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

/**
 * The reply of the `nats-task` contract: how a worker says that an attempt ended.
 *
 * @module
 */

import { getOwn, type Json } from "../json.ts";
import { ProtocolError } from "./errors.ts";
import { describe, readObject, writeObject } from "./object.ts";

/** The status of a reply. `pending` is none: a request that is answered is settled. */
export type TaskStatus = "ok" | "error" | "retry";

/** How a worker says that an attempt ended. */
export interface TaskResponse {
  /** `ok` goes on; `error` fails the node for good; `retry` tries again by the node's policy. */
  status: TaskStatus;
  /** The output, for `ok`. `null` is an output, absent is none. */
  payload?: Json;
  /** Why it failed, for `error` and `retry`. */
  error?: string;
}

const WHAT = "the reply";
const STATUSES: ReadonlySet<unknown> = new Set<TaskStatus>(["ok", "error", "retry"]);

/**
 * Writes a reply as the UTF-8 JSON that goes over the wire. An empty error is left out.
 *
 * @throws {ProtocolError} Where the status is none of the contract's, the error is no string, or the payload not JSON.
 */
export function encodeTaskResponse(response: TaskResponse): Uint8Array {
  if (typeof response !== "object" || response === null) {
    throw new ProtocolError(`${WHAT} must be an object with a "status", not ${describe(response)}`);
  }
  const { status, payload, error } = response;
  checkStatus(status);
  checkError(error);
  if (typeof payload === "function" || typeof payload === "symbol") {
    throw new ProtocolError(`${WHAT}'s "payload" must be JSON, not ${describe(payload)}`);
  }
  return writeObject(WHAT, { status, payload, error: error || undefined });
}

/**
 * Reads a reply. Keys it does not know are ignored; an error that is empty or `null` counts as absent.
 *
 * @throws {ProtocolError} Where it does not keep the contract; the message says what came.
 */
export function decodeTaskResponse(data: Uint8Array | string): TaskResponse {
  const object = readObject(WHAT, data);
  const status = checkStatus(getOwn(object, "status"));
  const error = checkError(getOwn(object, "error") ?? undefined);
  const payload = getOwn(object, "payload");
  return {
    status,
    ...(payload === undefined ? {} : { payload }),
    ...(error ? { error } : {}),
  };
}

function checkStatus(status: unknown): TaskStatus {
  if (isStatus(status)) return status;
  const wanted = `"ok", "error" or "retry"`;
  if (status === undefined) throw new ProtocolError(`${WHAT} has no "status": it must be ${wanted}`);
  const hint = status === "pending" ? ": answer when the work is done, or use an async invoker" : "";
  throw new ProtocolError(`${WHAT}'s "status" must be ${wanted}, not ${describe(status)}${hint}`);
}

function checkError(error: unknown): string | undefined {
  if (error === undefined || typeof error === "string") return error;
  throw new ProtocolError(`${WHAT}'s "error" must be a string, not ${describe(error)}`);
}

function isStatus(status: unknown): status is TaskStatus {
  return STATUSES.has(status);
}

/**
 * The request of the `nats-task` contract: what the engine asks of a worker.
 *
 * @module
 */

import { getOwn, type Json, type JsonObject } from "../json.ts";
import { ProtocolError } from "./errors.ts";
import { describe, readObject, writeObject } from "./object.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";

/** One attempt at one task, as a worker gets it. */
export interface TaskRequest {
  /** The execution's id. */
  readonly executionId: string;
  /** The node's id. */
  readonly nodeId: string;
  /** The shared payload. */
  readonly payload: Json;
  /** The attempt, from 0. */
  readonly attempt: number;
  /** When the caller stops waiting for the reply. Engines in Go that set no deadline send the year 1. */
  readonly deadline: Date;
  /**
   * The visit of the node that the attempt belongs to. With the execution, node and attempt it identifies the attempt
   * across deliveries; older engines do not send it.
   */
  readonly generation?: number;
}

const WHAT = "the request";

/**
 * Writes a request as the UTF-8 JSON that goes over the wire.
 *
 * @throws {ProtocolError} Where the deadline is no time that RFC 3339 can say, or the payload is not JSON.
 */
export function encodeTaskRequest(request: TaskRequest): Uint8Array {
  const deadline = formatRfc3339(request.deadline);
  if (deadline === undefined) {
    throw new ProtocolError(`${WHAT} cannot be written: its deadline is not a time in the years 0 to 9999`);
  }
  return writeObject(WHAT, {
    execution_id: request.executionId,
    node_id: request.nodeId,
    payload: request.payload ?? null,
    attempt: request.attempt,
    deadline,
    generation: request.generation,
  });
}

/**
 * Reads a request. Keys it does not know are ignored, an absent payload is `null`.
 *
 * @throws {ProtocolError} Where it does not keep the contract; the message says what came.
 */
export function decodeTaskRequest(data: Uint8Array | string): TaskRequest {
  const object = readObject(WHAT, data);
  const generation = object.generation === undefined || object.generation === null
    ? undefined
    : readCount(object, "generation");
  return {
    executionId: readText(object, "execution_id"),
    nodeId: readText(object, "node_id"),
    payload: object.payload ?? null,
    attempt: readCount(object, "attempt"),
    deadline: readTime(object, "deadline"),
    ...(generation === undefined ? {} : { generation }),
  };
}

function readText(object: JsonObject, key: string): string {
  const value = getOwn(object, key);
  if (typeof value !== "string") throw unexpected(key, "a string", value);
  return value;
}

function readCount(object: JsonObject, key: string): number {
  const value = getOwn(object, key);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw unexpected(key, "a whole number from 0", value);
  }
  return value;
}

function readTime(object: JsonObject, key: string): Date {
  const value = getOwn(object, key);
  const time = typeof value === "string" ? parseRfc3339(value) : undefined;
  if (time === undefined) throw unexpected(key, "a time in RFC 3339", value);
  return time;
}

function unexpected(key: string, wanted: string, value: Json | undefined): ProtocolError {
  if (value === undefined) return new ProtocolError(`${WHAT} has no "${key}": it must be ${wanted}`);
  return new ProtocolError(`${WHAT}'s "${key}" must be ${wanted}, not ${describe(value)}`);
}

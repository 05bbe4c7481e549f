/**
 * Reads a message as one JSON object, and says what came where it is none.
 *
 * @module
 */

import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { ProtocolError } from "./errors.ts";

const QUOTED_LENGTH = 80;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * The JSON object that a message holds.
 *
 * @param what What the message is, for the error: `"the reply"`.
 * @throws {ProtocolError} Where the message is empty, not JSON, or another JSON value.
 */
export function readObject(what: string, data: Uint8Array | string): JsonObject {
  const text = typeof data === "string" ? data : decoder.decode(data);
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const problem = text.trim() === "" ? "is empty: send a JSON object" : `is not JSON: ${excerpt(text)}`;
    throw new ProtocolError(`${what} ${problem}`, { cause });
  }
  if (!isJsonObject(value)) throw new ProtocolError(`${what} is not a JSON object: ${excerpt(text)}`);
  return value;
}

/**
 * A message of one JSON object, as UTF-8. Fields that are `undefined` are left out.
 *
 * @throws {ProtocolError} Where a value cannot be written as JSON: a cycle, a `bigint`.
 */
export function writeObject(what: string, object: Record<string, unknown>): Uint8Array {
  try {
    return encoder.encode(JSON.stringify(object));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new ProtocolError(`${what} cannot be written as JSON: ${reason}`, { cause });
  }
}

/** The beginning of a text from outside, quoted, printable and short. */
export function excerpt(text: string): string {
  return text.length > QUOTED_LENGTH ? `${JSON.stringify(text.slice(0, QUOTED_LENGTH))}...` : JSON.stringify(text);
}

/** What a value is, with its beginning, for an error: `the number 5`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return excerpt(value);
  if (typeof value === "number" || typeof value === "boolean") return `the ${typeof value} ${value}`;
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

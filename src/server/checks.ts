/**
 * What callers give, checked before any I/O.
 *
 * @module
 */

import { byteLength } from "../engine/result.ts";
import { invalid, PayloadTooLargeError } from "../errors.ts";
import type { Json } from "../json.ts";
import { quoted } from "../names.ts";

const MAX_DEPTH = 200;

/**
 * The JSON text of a payload.
 *
 * @throws {ValidationError} Where it is not JSON: a function, a cycle, `undefined`, `NaN`, a `Date`, a `Map`.
 * @throws {PayloadTooLargeError} Where it is larger than the limit.
 */
export function payloadText(path: string, payload: unknown, limit: number): string {
  checkJson(path, payload, 0);
  const text = JSON.stringify(payload);
  const size = byteLength(text, limit);
  if (size > limit) throw new PayloadTooLargeError(path, size, limit);
  return text;
}

/** The JSON text of a payload that must be an object. @throws {ValidationError | PayloadTooLargeError} */
export function objectText(path: string, payload: unknown, limit: number): string {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw invalid(path, `must be a JSON object, it is ${quoted(payload)}`);
  }
  return payloadText(path, payload, limit);
}

/** A whole number from 0 on. @throws {ValidationError} */
export function checkIndex(path: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(path, `${quoted(value)} is not a whole number from 0 on`);
}

/** A number of things to return, or none given. @throws {ValidationError} */
export function checkLimit(path: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(path, `${quoted(value)} is not a positive whole number`);
}

/** A text no larger than a limit. @throws {ValidationError | PayloadTooLargeError} */
export function checkText(path: string, value: unknown, limit: number): string {
  if (typeof value !== "string") throw invalid(path, `must be a text, it is ${quoted(value)}`);
  payloadText(path, value, limit);
  return value;
}

/** A text that is one of some. @throws {ValidationError} */
export function checkOneOf<T extends string>(path: string, value: unknown, known: readonly T[]): T {
  if (known.includes(value as T)) return value as T;
  throw invalid(path, `${quoted(value)} is not one of ${known.join(", ")}`);
}

function checkJson(path: string, value: unknown, depth: number): asserts value is Json {
  if (depth > MAX_DEPTH) throw invalid(path, `is nested more than ${MAX_DEPTH} deep, or holds itself`);
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw invalid(path, `${value} is not JSON`);
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) checkJson(`${path}[${index}]`, value[index], depth + 1);
  } else if (typeof value === "object" && isPlain(value)) {
    for (const [key, field] of Object.entries(value)) {
      // JSON leaves fields that are undefined out.
      if (field !== undefined) checkJson(`${path}.${key}`, field, depth + 1);
    }
  } else throw invalid(path, `a ${typeof value === "object" ? value.constructor?.name : typeof value} is not JSON`);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

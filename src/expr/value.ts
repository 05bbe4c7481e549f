/**
 * The values of an evaluation, and the budget that bounds it.
 *
 * Invariants: a property is read only if it is an object's own; nothing here catches an error, so what a
 * property read throws leaves the evaluation as it is; no value of the context is ever changed.
 *
 * @module
 */

import type { Json } from "../json.ts";
import { type ExpressionError, quoted, type Site } from "./errors.ts";
import { CHARACTERS_PER_STEP, MAX_DEPTH, MAX_MEMORY, MAX_RANGE, MAX_STEPS } from "./limits.ts";
import { byteAt, byteLength, compareText } from "./text.ts";

/** The integers from one to another, both included, without the memory for them. */
export class Range {
  /** The first integer. */
  readonly from: number;
  /** How many integers there are. */
  readonly length: number;

  /** A range of `length` integers. */
  constructor(from: number, length: number) {
    this.from = from;
    this.length = length;
  }
}

/** A list. */
export type List = readonly Value[] | Range;

/** A map; only its own properties count. */
export interface ValueMap {
  readonly [key: string]: Value;
}

/** A value; `nil` is `null`. */
export type Value = null | boolean | number | string | List | ValueMap;

/** The state of one evaluation: the context, the element at hand, and what is left of the budget. */
export class Frame {
  /** The variables. */
  readonly context: Readonly<Record<string, Json>>;
  /** The element at hand, in a predicate. */
  item: Value = null;
  /** Its index. */
  index = 0;
  #steps = MAX_STEPS;
  #memory = MAX_MEMORY;

  /** A fresh evaluation over a context. */
  constructor(context: Readonly<Record<string, Json>>) {
    this.context = context;
  }

  /** Takes steps from the budget. Throws when there are none left. */
  spend(steps: number, site: Site): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw site.evaluateError(`it takes too long: more than ${MAX_STEPS} steps`);
  }

  /** Takes the steps for reading text from the budget. */
  spendText(length: number, site: Site): void {
    if (length >= CHARACTERS_PER_STEP) this.spend(Math.ceil(length / CHARACTERS_PER_STEP), site);
  }

  /** Takes bytes from the budget, and the steps for writing them. Throws when there are none left. */
  allocate(bytes: number, site: Site): void {
    this.#memory -= bytes;
    if (this.#memory < 0) throw site.evaluateError(`it takes too much memory: more than ${MAX_MEMORY} bytes`);
    this.spend(bytes >> 5, site);
  }
}

/** The bytes counted for an element of a list or an entry of a map. */
export const BYTES_PER_ITEM = 8;

/** The bytes counted for a UTF-16 code unit. */
export const BYTES_PER_CHARACTER = 2;

/** Whether a value is a list. */
export function isList(value: Value): value is List {
  return Array.isArray(value) || value instanceof Range;
}

/** Whether a value is a map. */
export function isMap(value: Value): value is ValueMap {
  return typeof value === "object" && value !== null && !isList(value);
}

/** The kind of a value, in the language's terms. */
export function kindOf(value: Value): string {
  if (value === null) return "nil";
  if (isList(value)) return "array";
  return typeof value === "object" ? "map" : typeof value;
}

/** The element of a list at an index within it. */
export function elementAt(list: List, index: number): Value {
  return list instanceof Range ? list.from + index : list[index] ?? null;
}

/** The own property of an object; `nil` if there is none. */
export function ownProperty(object: ValueMap, name: string): Value {
  return Object.hasOwn(object, name) ? object[name] ?? null : null;
}

/**
 * `object.name`: the entry of a map. Nothing else has names, but those that JavaScript itself gives to lists and texts
 * (`length`, `constructor`) are no error either: they read as `nil`, as they do of a map.
 */
export function readName(object: Value, name: string, site: Site): Value {
  if (isMap(object)) return ownProperty(object, name);
  if (isList(object) && isInherited(name, Array.prototype)) return null;
  if (typeof object === "string" && isInherited(name, String.prototype)) return null;
  throw site.evaluateError(`cannot read ${quoted(name)} of ${kindOf(object)}`);
}

function isInherited(name: string, prototype: object): boolean {
  return name === "__proto__" || name in prototype; // some versions of Deno take `__proto__` away
}

/** `object[key]`: an entry of a map, an element of a list, a byte of a text. */
export function readKey(object: Value, key: Value, frame: Frame, site: Site): Value {
  if (typeof key === "string") return readName(object, key, site);
  if (isList(object)) return elementAt(object, indexWithin(key, object.length, site));
  if (typeof object === "string") {
    frame.spendText(object.length, site);
    return byteAt(object, indexWithin(key, byteLength(object), site));
  }
  if (isMap(object)) {
    if (key === null) return null;
    throw site.evaluateError(`the key of a map is a string, found ${kindOf(key)}`);
  }
  const what = key === null ? "nil" : typeof key === "number" ? formatNumber(key) : kindOf(key);
  throw site.evaluateError(`cannot read [${what}] of ${kindOf(object)}`);
}

function indexWithin(key: Value, length: number, site: Site): number {
  const index = toInteger(key, "an index", site);
  const within = index < 0 ? length + index : index;
  if (within >= 0 && within < length) return within;
  throw site.evaluateError(`the index ${index} is out of range, the length is ${length}`);
}

/** The integer of a number, cut towards zero. */
export function toInteger(value: Value, what: string, site: Site): number {
  if (typeof value !== "number") throw site.evaluateError(`${what} must be an integer, found ${kindOf(value)}`);
  if (!Number.isFinite(value)) throw site.evaluateError(`${what} must be an integer, found ${formatNumber(value)}`);
  return Math.trunc(value) + 0;
}

/** `from..to`. */
export function makeRange(from: number, to: number, site: Site): Range {
  const length = Math.max(0, to - from + 1);
  if (length <= MAX_RANGE) return new Range(from, length);
  throw site.evaluateError(`the range ${from}..${to} is too long: ${length} integers, the limit is ${MAX_RANGE}`);
}

/** Whether two values are equal; values of different kinds are not. */
export function equals(left: Value, right: Value, frame: Frame, site: Site, depth = 0): boolean {
  if (typeof left === "string" && typeof right === "string") {
    if (left.length !== right.length) return false;
    frame.spendText(left.length, site);
    return left === right;
  }
  if (typeof left !== "object" || left === null || typeof right !== "object" || right === null) return left === right;
  if (depth >= MAX_DEPTH) throw tooDeep(site);
  if (isList(left)) return isList(right) && listsEqual(left, right, frame, site, depth);
  return !isList(right) && mapsEqual(left, right, frame, site, depth);
}

function listsEqual(left: List, right: List, frame: Frame, site: Site, depth: number): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    frame.spend(1, site);
    if (!equals(elementAt(left, index), elementAt(right, index), frame, site, depth + 1)) return false;
  }
  return true;
}

function mapsEqual(left: ValueMap, right: ValueMap, frame: Frame, site: Site, depth: number): boolean {
  const keys = Object.keys(left);
  const other = Object.keys(right);
  frame.spend(keys.length + other.length, site);
  return keys.length === other.length && keys.every((key) => {
    frame.spend(1, site);
    return Object.hasOwn(right, key) &&
      equals(ownProperty(left, key), ownProperty(right, key), frame, site, depth + 1);
  });
}

/** The order of two numbers or of two strings: negative, zero, positive, or NaN where there is none. */
export function compare(left: Value, right: Value, operator: string, frame: Frame, site: Site): number {
  if (typeof left === "number" && typeof right === "number") return left < right ? -1 : left > right ? 1 : left - right;
  if (typeof left === "string" && typeof right === "string") {
    frame.spendText(Math.min(left.length, right.length), site);
    return compareText(left, right);
  }
  throw mismatch(operator, left, right, site);
}

/** The error of an operator that is not defined on the kinds of its operands. */
export function mismatch(operator: string, left: Value, right: Value, site: Site): ExpressionError {
  return site.evaluateError(`the operator "${operator}" is not defined on ${kindOf(left)} and ${kindOf(right)}`);
}

/** The error of a value nested too deeply to be gone through. */
export function tooDeep(site: Site): ExpressionError {
  return site.evaluateError(`a value is nested too deeply: more than ${MAX_DEPTH} levels`);
}

/** A number as expr-lang writes it: with an exponent below 1e-4 and from 1e21 on. */
export function formatNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  if (value === 0 || Number.isNaN(value)) return String(value);
  if (Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** A value as expr-lang's `string` writes it. */
export function formatValue(value: Value, frame: Frame, site: Site, depth = 0): string {
  if (typeof value === "string") return value;
  if (value === null) return "<nil>";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value !== "object") return String(value);
  if (depth >= MAX_DEPTH) throw tooDeep(site);
  const parts: string[] = [];
  const add = (part: string) => {
    frame.allocate(BYTES_PER_ITEM + part.length * BYTES_PER_CHARACTER, site);
    parts.push(part);
  };
  if (isList(value)) {
    for (let index = 0; index < value.length; index++) {
      add(formatValue(elementAt(value, index), frame, site, depth + 1));
    }
    return `[${parts.join(" ")}]`;
  }
  const keys = Object.keys(value);
  frame.allocate(keys.length * BYTES_PER_ITEM, site);
  for (const key of keys.sort(compareText)) {
    add(`${key}:${formatValue(ownProperty(value, key), frame, site, depth + 1)}`);
  }
  return `map[${parts.join(" ")}]`;
}

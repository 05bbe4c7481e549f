/**
 * Reads a flow given as a value.
 *
 * The value comes from outside and its type proves nothing: accessors are not run, nothing but plain data is taken,
 * and what is looked at is bounded, so that a value that holds itself, or one list a million times, is refused.
 *
 * @module
 */

import type { Problems } from "./problems.ts";
import { MAX_DEPTH, MAX_SOURCE_SIZE, MAX_VALUES, type Place, type Value } from "./source.ts";

/** Reading has to stop: the value is too large, too deep or cannot be looked at. */
class Refused extends Error {
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

/** What may still be read. */
interface Budget {
  values: number;
  characters: number;
}

/**
 * Reads a value.
 *
 * @throws {ValidationError} Where it is too large, too deep or cannot be looked at; `problems` is part of the error.
 */
export function readDef(def: unknown, problems: Problems): Value {
  let at: Place = {};
  try {
    return readValue(def, at, 0, { values: MAX_VALUES, characters: MAX_SOURCE_SIZE });
  } catch (error) {
    // Anything else is thrown by the value itself: a proxy whose traps throw.
    if (error instanceof Refused) at = error.place;
    problems.add(at, error instanceof Refused ? error.message : "cannot be read: it has to be plain data");
    throw problems.error();
  }
}

function readValue(value: unknown, place: Place, depth: number, budget: Budget): Value {
  if (--budget.values < 0) throw new Refused({}, `is too large: it holds more than ${MAX_VALUES} values`);
  if (value === null || typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", value, place };
  }
  if (typeof value === "string") {
    spend(budget, value);
    return { kind: "scalar", value, place };
  }
  if (typeof value !== "object") return { kind: "other", what: what(value), place };
  if (depth === MAX_DEPTH) throw new Refused(place, `is nested too deep: at most ${MAX_DEPTH} levels are allowed`);
  if (Array.isArray(value)) return readList(value, place, depth, budget);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === null || isPlainPrototype(prototype)) return readTable(value, place, depth, budget);
  return { kind: "other", what: "an object that is not plain data", place };
}

/** Plain objects of another realm have another `Object.prototype`; it too has nothing above it. */
function isPlainPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "hasOwnProperty");
}

function readList(list: unknown[], place: Place, depth: number, budget: Budget): Value {
  if (list.length > MAX_VALUES) throw new Refused(place, `is too long: ${list.length} items`);
  const items: Value[] = [];
  for (let index = 0; index < list.length; index++) {
    const at: Place = { parent: place, step: index };
    items.push(readProperty(list, String(index), at, depth, budget));
  }
  return { kind: "list", items, place };
}

function readTable(table: object, place: Place, depth: number, budget: Budget): Value {
  const entries = new Map<string, { key: Place; value: Value }>();
  for (const key of Object.keys(table)) {
    spend(budget, key);
    const at: Place = { parent: place, step: key };
    const value = readProperty(table, key, at, depth, budget);
    if (value.kind !== "other" || value.what !== "undefined") entries.set(key, { key: at, value });
  }
  return { kind: "table", entries, place };
}

function readProperty(owner: object, key: string, place: Place, depth: number, budget: Budget): Value {
  const property = Object.getOwnPropertyDescriptor(owner, key);
  if (property !== undefined && !("value" in property)) {
    return { kind: "other", what: "an accessor (give plain data)", place };
  }
  return readValue(property?.value, place, depth + 1, budget);
}

function spend(budget: Budget, text: string): void {
  budget.characters -= text.length;
  if (budget.characters < 0) throw new Refused({}, `is too large: it holds more than ${MAX_SOURCE_SIZE} characters`);
}

function what(value: unknown): string {
  if (value === undefined) return "undefined";
  return `a ${typeof value}`;
}

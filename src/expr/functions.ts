/**
 * The functions over values.
 *
 * @module
 */

import type { FunctionName } from "./ast.ts";
import { type ExpressionError, quoted, type Site } from "./errors.ts";
import { MAX_DEPTH } from "./limits.ts";
import { byteAt, byteLength, lengthOf, lowerCase, trimCharacters, trimSpace, upperCase } from "./text.ts";
import {
  BYTES_PER_CHARACTER,
  BYTES_PER_ITEM,
  elementAt,
  formatValue,
  type Frame,
  isList,
  isMap,
  kindOf,
  type List,
  toInteger,
  tooDeep,
  type Value,
} from "./value.ts";

/** A function over values; their number is right. */
export type ValueFunction = (args: readonly Value[], frame: Frame, site: Site) => Value;

/** The functions over values, by name. */
export const FUNCTIONS: Readonly<Record<FunctionName, ValueFunction>> = {
  len: ([value = null], frame, site) => lengthOfValue(value, frame, site),
  lower: ([value = null], frame, site) => lowerCase(newText("lower", value, frame, site)),
  upper: ([value = null], frame, site) => upperCase(newText("upper", value, frame, site)),
  trim: ([value = null, characters], frame, site) => {
    const text = newText("trim", value, frame, site);
    return characters === undefined ? trimSpace(text) : trimCharacters(text, newText("trim", characters, frame, site));
  },
  abs: ([value = null], _frame, site) => {
    if (typeof value !== "number") throw refused("abs", value, site);
    return Math.abs(value);
  },
  int: ([value = null], frame, site) => integerOf(value, frame, site),
  float: ([value = null], frame, site) => floatOf(value, frame, site),
  string: ([value = null], frame, site) => formatValue(value, frame, site),
  keys: ([value = null], frame, site) => {
    if (!isMap(value)) throw refused("keys", value, site);
    const keys = Object.keys(value);
    frame.allocate(keys.length * BYTES_PER_ITEM, site);
    return keys;
  },
  first: ([value = null], frame, site) => end(value, "first", frame, site),
  last: ([value = null], frame, site) => end(value, "last", frame, site),
  min: (args, frame, site) => extreme("min", args, frame, site),
  max: (args, frame, site) => extreme("max", args, frame, site),
};

function refused(name: string, value: Value, site: Site): ExpressionError {
  return site.evaluateError(`the function "${name}" does not take ${kindOf(value)}`);
}

/** The text that a function makes a new one of. */
function newText(name: string, value: Value, frame: Frame, site: Site): string {
  if (typeof value !== "string") throw refused(name, value, site);
  frame.spendText(value.length, site);
  frame.allocate(value.length * BYTES_PER_CHARACTER, site);
  return value;
}

function lengthOfValue(value: Value, frame: Frame, site: Site): number {
  if (typeof value === "string") {
    frame.spendText(value.length, site);
    return lengthOf(value);
  }
  if (isList(value)) return value.length;
  if (!isMap(value)) throw refused("len", value, site);
  const { length } = Object.keys(value);
  frame.spend(length, site);
  return length;
}

const MAX_INTEGER_TEXT = 2n ** 63n;

function integerOf(value: Value, frame: Frame, site: Site): number {
  if (typeof value === "number") return toInteger(value, 'what "int" converts', site);
  if (typeof value !== "string") throw refused("int", value, site);
  frame.spendText(value.length, site);
  if (!/^[+-]?[0-9]{1,64}$/.test(value)) throw notANumber("int", value, site);
  const integer = BigInt(value.replace("+", ""));
  if (integer >= MAX_INTEGER_TEXT || integer < -MAX_INTEGER_TEXT) throw notANumber("int", value, site);
  return Number(integer);
}

function floatOf(value: Value, frame: Frame, site: Site): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") throw refused("float", value, site);
  frame.spendText(value.length, site);
  const named = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i.exec(value);
  if (named !== null) return named[2] === undefined ? NaN : named[1] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value)) {
    throw notANumber("float", value, site);
  }
  const float = Number(value);
  if (!Number.isFinite(float)) throw notANumber("float", value, site);
  return float;
}

function notANumber(name: string, text: string, site: Site): ExpressionError {
  return site.evaluateError(`the function "${name}" cannot make a number of ${quoted(text)}`);
}

/** The first or the last element; `nil` for what is empty or has no elements. */
function end(value: Value, which: "first" | "last", frame: Frame, site: Site): Value {
  if (isList(value)) return value.length === 0 ? null : elementAt(value, which === "first" ? 0 : value.length - 1);
  if (typeof value !== "string" || value === "") return null;
  frame.spendText(value.length, site);
  return byteAt(value, which === "first" ? 0 : byteLength(value) - 1);
}

/** The least or the greatest of numbers and of lists of them, however nested; `nil` if there is none. */
function extreme(name: "min" | "max", args: List, frame: Frame, site: Site, depth = 0): Value {
  if (depth >= MAX_DEPTH) throw tooDeep(site);
  let found: number | null = null;
  for (let index = 0; index < args.length; index++) {
    frame.spend(1, site);
    const arg = elementAt(args, index);
    const value = isList(arg) ? extreme(name, arg, frame, site, depth + 1) : arg;
    if (value === null && isList(arg)) continue;
    if (typeof value !== "number") {
      if (depth === 0 && args.length === 1) return value;
      throw refused(name, value, site);
    }
    if (found === null || (name === "min" ? value < found : value > found)) found = value;
  }
  return found;
}

/**
 * The names an expression may use, and what to say of those it may not.
 *
 * @module
 */

import type { FunctionName, IterationName } from "./ast.ts";
import { quoted } from "./errors.ts";

/** The variables of the context. */
export const VARIABLES: readonly string[] = ["payload", "input", "results", "signals", "branches", "last_node"];

/** The fewest and the most arguments of each function over values. */
export const FUNCTION_ARGUMENTS: Readonly<Record<FunctionName, readonly [number, number]>> = {
  len: [1, 1],
  lower: [1, 1],
  upper: [1, 1],
  trim: [1, 2],
  abs: [1, 1],
  int: [1, 1],
  float: [1, 1],
  string: [1, 1],
  keys: [1, 1],
  first: [1, 1],
  last: [1, 1],
  min: [1, Infinity],
  max: [1, Infinity],
};

/** Whether each function over a list can do without its predicate. */
export const ITERATION_WITHOUT_PREDICATE: Readonly<Record<IterationName, boolean>> = {
  any: false,
  all: false,
  none: false,
  one: false,
  count: true,
  filter: false,
  map: false,
  sum: true,
};

/** The functions of expr-lang that are left out here. */
const UNSUPPORTED_FUNCTIONS: ReadonlySet<string> = new Set([
  ...["find", "findIndex", "findLast", "findLastIndex", "groupBy", "sortBy", "reduce", "type", "ceil", "floor"],
  ...["round", "trimPrefix", "trimSuffix", "split", "splitAfter", "replace", "repeat", "join", "indexOf"],
  ...["lastIndexOf", "hasPrefix", "hasSuffix", "mean", "median", "toJSON", "fromJSON", "toBase64", "fromBase64"],
  ...["now", "duration", "date", "timezone", "get", "take", "values", "toPairs", "fromPairs", "reverse", "uniq"],
  ...["concat", "flatten", "sort", "bitand", "bitor", "bitxor", "bitnand", "bitnot", "bitshl", "bitshr", "bitushr"],
]);

/** Whether a name is that of a function over values. */
export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTION_ARGUMENTS, name);
}

/** Whether a name is that of a function over a list. */
export function isIterationName(name: string): name is IterationName {
  return Object.hasOwn(ITERATION_WITHOUT_PREDICATE, name);
}

/** Why a name is not a function. */
export function unknownFunction(name: string): string {
  const all = [...Object.keys(FUNCTION_ARGUMENTS), ...Object.keys(ITERATION_WITHOUT_PREDICATE)];
  if (UNSUPPORTED_FUNCTIONS.has(name)) {
    return `the function "${name}" is not supported; there are ${all.join(", ")}`;
  }
  return `unknown function ${quoted(name)}${suggestion(name, all)}`;
}

/** Why a name is not a variable. */
export function unknownVariable(name: string): string {
  if (name === "$env") return "$env is not supported; name the variable";
  if (name === "null" || name === "undefined") return `unknown variable "${name}"; the empty value is "nil"`;
  return `unknown variable ${quoted(name)}${suggestion(name, VARIABLES)}`;
}

function suggestion(name: string, known: readonly string[]): string {
  if (name.length <= 64) {
    const distances = known.map((candidate) => distance(name.toLowerCase(), candidate));
    const least = Math.min(...distances);
    if (least <= Math.max(1, Math.floor(name.length / 3))) {
      return `; did you mean "${known[distances.indexOf(least)]}"?`;
    }
  }
  return `; there are ${known.join(", ")}`;
}

/** Edits between two words: a letter added, left out, changed, or swapped with its neighbour. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        edits = Math.min(edits, before[j - 2]! + 1);
      }
      row.push(edits);
    }
    before = last;
    last = row;
  }
  return last[to.length]!;
}

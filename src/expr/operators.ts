/**
 * The operators between two values.
 *
 * @module
 */

import type { Site } from "./errors.ts";
import { STEPS_PER_INSTRUCTION, VISITS_PER_STEP } from "./limits.ts";
import { compilePattern, matchPattern, type Program } from "./pattern.ts";
import { containsText } from "./text.ts";
import {
  BYTES_PER_CHARACTER,
  elementAt,
  equals,
  type Frame,
  isList,
  isMap,
  mismatch,
  Range,
  type Value,
} from "./value.ts";

/** The operators on numbers alone. */
export type ArithmeticOperator = "-" | "*" | "/" | "%" | "**";

/** The operators on two texts. */
export type TextOperator = "contains" | "startsWith" | "endsWith";

/** `left + right`, on two numbers or two texts. */
export function add(left: Value, right: Value, frame: Frame, site: Site): Value {
  if (typeof left === "number" && typeof right === "number") return left + right;
  if (typeof left === "string" && typeof right === "string") {
    frame.allocate((left.length + right.length) * BYTES_PER_CHARACTER, site);
    return left + right;
  }
  throw mismatch("+", left, right, site);
}

/** Arithmetic on two numbers; there is no negative zero, as there is none among integers. */
export function calculate(operator: ArithmeticOperator, left: Value, right: Value, site: Site): number {
  if (typeof left !== "number" || typeof right !== "number") throw mismatch(operator, left, right, site);
  switch (operator) {
    case "-":
      return left - right;
    case "*":
      return left * right + 0;
    case "/":
      return left / right;
    case "%":
      return remainder(left, right, site);
    case "**":
      return power(left, right);
    default:
      return operator satisfies never;
  }
}

function remainder(left: number, right: number, site: Site): number {
  if (!Number.isInteger(left) || !Number.isInteger(right)) {
    throw site.evaluateError(`the operator "%" needs integers, found ${left} and ${right}`);
  }
  if (right === 0) throw site.evaluateError(`cannot divide by zero: ${left} % 0`);
  return left % right + 0;
}

/** IEEE 754's power, where 1 to any power is 1, and so is -1 to an infinite one. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

/** `needle in list`, `key in map`; nothing is in `nil`. */
export function isIn(needle: Value, whole: Value, frame: Frame, site: Site): boolean {
  if (whole === null) return false;
  if (whole instanceof Range) return inBounds(needle, whole.from, whole.from + whole.length - 1);
  if (isList(whole)) {
    for (let index = 0; index < whole.length; index++) {
      frame.spend(1, site);
      if (equals(elementAt(whole, index), needle, frame, site)) return true;
    }
    return false;
  }
  if (!isMap(whole)) throw mismatch("in", needle, whole, site);
  if (typeof needle === "string") return Object.hasOwn(whole, needle);
  if (needle === null) return false;
  throw mismatch("in", needle, whole, site);
}

/** Whether a value is one of the integers from one to another. */
export function inBounds(needle: Value, from: number, to: number): boolean {
  return typeof needle === "number" && Number.isInteger(needle) && needle >= from && needle <= to;
}

/** Whether a text has another in it, at its start or at its end; `nil` neither has nor is had. */
export function hasText(operator: TextOperator, left: Value, right: Value, frame: Frame, site: Site): boolean {
  if (left === null || right === null) return false;
  if (typeof left !== "string" || typeof right !== "string") throw mismatch(operator, left, right, site);
  frame.spendText(operator === "contains" ? left.length + right.length : right.length, site);
  switch (operator) {
    case "contains":
      return containsText(left, right);
    case "startsWith":
      return left.startsWith(right);
    case "endsWith":
      return left.endsWith(right);
    default:
      return operator satisfies never;
  }
}

/** `left matches pattern`, for a pattern known before; `nil` does not match. */
export function matchesProgram(left: Value, program: Program, frame: Frame, site: Site): boolean {
  if (left === null) return false;
  if (typeof left !== "string") throw mismatch("matches", left, "", site);
  return matchPattern(program, left, (visits) => frame.spend(visits / VISITS_PER_STEP, site));
}

/** `left matches right`, for a pattern that is computed. */
export function matches(left: Value, right: Value, frame: Frame, site: Site): boolean {
  if (left === null || right === null) return false;
  if (typeof left !== "string" || typeof right !== "string") throw mismatch("matches", left, right, site);
  const program = compilePattern(right, (reason) => site.evaluateError(reason));
  frame.spend(program.cost * STEPS_PER_INSTRUCTION, site);
  return matchesProgram(left, program, frame, site);
}

/**
 * Choice expressions: expr-lang's predicates over an execution's data, compiled once and tested often.
 *
 * Pure and bounded: no clock, no randomness, no `eval`; the size of an expression, the steps and the memory of an
 * evaluation have limits, and only own properties are read.
 *
 * @module
 */

export { ExpressionError } from "./errors.ts";
export type { ExpressionErrorKind, Position } from "./errors.ts";
export { compile } from "./predicate.ts";
export type { Predicate } from "./predicate.ts";

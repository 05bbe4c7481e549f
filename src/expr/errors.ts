/**
 * What goes wrong with an expression, and where.
 *
 * @module
 */

import { PacktrailError } from "../errors.ts";

/** A place in the source of an expression. */
export interface Position {
  /** UTF-16 code units before it, from 0. */
  offset: number;
  /** The line, from 1. */
  line: number;
  /** The column in the line, from 1, in UTF-16 code units. */
  column: number;
}

/** When an expression failed: while it was compiled, or while it was evaluated. */
export type ExpressionErrorKind = "compile" | "evaluate";

/** An expression that does not compile, or that cannot be evaluated over the context it was given. */
export class ExpressionError extends PacktrailError {
  /** Whether compiling or evaluating failed. */
  readonly kind: ExpressionErrorKind;
  /** Where in the source, if the fault has a place. */
  readonly position?: Position;

  /** Creates the error; the position is added to the message. */
  constructor(kind: ExpressionErrorKind, reason: string, position?: Position) {
    const where = position === undefined ? "" : ` (line ${position.line}, column ${position.column})`;
    const what = kind === "compile" ? "expression does not compile" : "expression cannot be evaluated";
    super("VALIDATION", `${what}: ${reason}${where}`);
    this.kind = kind;
    if (position !== undefined) this.position = position;
  }
}

/** The line and column of an offset. */
export function positionAt(source: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let end = source.indexOf("\n"); end !== -1 && end < offset; end = source.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  return { offset, line, column: offset - start + 1 };
}

/** One place in the source, able to make the errors that happen there. */
export class Site {
  readonly #source: string;
  readonly #offset: number;

  /** A place; the offset is counted in UTF-16 code units. */
  constructor(source: string, offset: number) {
    this.#source = source;
    this.#offset = offset;
  }

  /** An error found before evaluation. */
  compileError(reason: string): ExpressionError {
    return new ExpressionError("compile", reason, positionAt(this.#source, this.#offset));
  }

  /** An error found by evaluation. */
  evaluateError(reason: string): ExpressionError {
    return new ExpressionError("evaluate", reason, positionAt(this.#source, this.#offset));
  }
}

/** Text in double quotes for a message, cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}

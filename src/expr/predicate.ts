/**
 * The face of the language: a source in, a predicate out.
 *
 * @module
 */

import type { Json } from "../json.ts";
import { variablesOf } from "./ast.ts";
import { check } from "./check.ts";
import { compileNode } from "./compile.ts";
import { ExpressionError, Site } from "./errors.ts";
import { parse } from "./parse.ts";
import { Frame, kindOf } from "./value.ts";

/** A compiled expression. */
export interface Predicate {
  /** What it was compiled from. */
  readonly source: string;
  /** The variables it may read: `payload`, `results`. */
  readonly variables: ReadonlySet<string>;
  /**
   * Evaluates the expression; the context is not changed.
   *
   * Only what the result depends on is read. Throws {@linkcode ExpressionError} of kind `evaluate`; what the read of
   * a property throws is passed on as it is.
   */
  test(context: Record<string, Json>): boolean;
}

/**
 * Compiles an expression. Throws {@linkcode ExpressionError} of kind `compile`.
 *
 * @example
 * ```ts
 * import { compile } from "./mod.ts";
 *
 * const urgent = compile(`payload.risk_score > 80 && payload.category == "billing"`);
 * urgent.test({ payload: { risk_score: 93, category: "billing" } }); // true
 * ```
 */
export function compile(source: string): Predicate {
  if (typeof source !== "string") {
    throw new ExpressionError("compile", `it must be a string, found ${source === null ? "null" : typeof source}`);
  }
  const node = parse(source);
  check(source, node);
  const run = compileNode(source, node);
  const site = new Site(source, node.at);
  return {
    source,
    variables: variablesOf(node),
    test(context) {
      if (typeof context !== "object" || context === null) throw site.evaluateError("the context must be an object");
      const result = run(new Frame(context));
      if (typeof result === "boolean") return result;
      throw site.evaluateError(`the result must be a boolean, found ${kindOf(result)}`);
    },
  };
}

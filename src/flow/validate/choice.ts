/**
 * Checks a choice: its default, and that its expressions compile.
 *
 * @module
 */

import { compile, ExpressionError } from "../../expr/mod.ts";
import type { Draft, NodeDraft } from "../read.ts";
import type { RuleDef } from "../types.ts";
import type { Context } from "./context.ts";

/** Checks one choice and compiles its expressions. */
export function checkChoice(choice: NodeDraft<"choice">, context: Context): void {
  const { rules } = choice;
  if (rules === undefined || rules.length === 0) return;
  for (const rule of rules) checkRule(rule, context);
  checkDefault(rules, context);
}

function checkRule(rule: Draft<RuleDef>, context: Context): void {
  const { draft: { places }, problems } = context;
  const [when, otherwise] = [places.has(rule, "when"), places.has(rule, "default")];
  if (when && otherwise) {
    problems.add(places.of(rule), "has both `when` and `default`: the default is taken when no other rule matches");
  } else if (!when && !otherwise) {
    problems.add(places.of(rule), "has no condition: give it `when`, or make it the default with `default: true`");
  }
  if (rule.when !== undefined) compileRule(rule, rule.when, context);
}

function compileRule(rule: Draft<RuleDef>, when: string, { draft: { places }, problems, predicates }: Context): void {
  try {
    predicates.set(rule, compile(when));
  } catch (error) {
    const place = places.of(rule, "when");
    const position = error instanceof ExpressionError ? error.position : undefined;
    const offset = position === undefined ? undefined : place.inside?.(position.line, position.column);
    problems.add(place, explain(error, offset !== undefined), { offset });
  }
}

/** The error's message; the position in it is one in the expression, and is not needed where the text has one. */
function explain(error: unknown, placed: boolean): string {
  if (!(error instanceof Error)) return "the expression does not compile";
  return error.message.replace(/ \((line \d+, column \d+)\)$/, placed ? "" : " ($1 of the expression)");
}

function checkDefault(rules: readonly Draft<RuleDef>[], { draft: { places }, problems }: Context): void {
  const defaults = rules.filter((rule) => places.has(rule, "default"));
  if (defaults.length === 0) {
    problems.add(places.of(rules), "has no default: end the list with `default: true` and where that leads");
  }
  for (const rule of defaults.slice(1)) {
    problems.add(places.of(rule, "default"), "is a second default: a choice has exactly one");
  }
}

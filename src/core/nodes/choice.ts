/**
 * Choice nodes: the first rule that matches.
 *
 * @module
 */

import { ExpressionError } from "../../expr/mod.ts";
import type { ChoiceNode } from "../../flow/types.ts";
import type { Environment } from "../events.ts";
import type { State } from "../state.ts";
import { expressionContext } from "../values.ts";

/** Where the choice leads, or why it cannot be made. */
export function pickRule(node: ChoiceNode, state: State, env: Environment): { to: string } | { error: string } {
  const context = expressionContext(state, env.load);
  for (const rule of node.rules) {
    try {
      if (rule.predicate.test(context)) return { to: rule.to };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      if (node.failOnError) return { error: `choice ${node.id}: rule ${rule.when}: ${error.message}` };
    }
  }
  return { to: node.otherwise };
}

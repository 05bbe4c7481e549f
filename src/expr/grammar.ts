/**
 * The operators, and how they bind: expr-lang's precedences.
 *
 * @module
 */

import type { BinaryOperator, OrderOperator } from "./ast.ts";

/** How an operator between operands binds: the higher, the tighter. */
export type Infix =
  & { readonly precedence: number }
  & (
    | { readonly kind: "logical"; readonly operator: "and" | "or" }
    | { readonly kind: "order"; readonly operator: OrderOperator }
    | { readonly kind: "binary"; readonly operator: BinaryOperator; readonly rightAssociative?: true }
  );

/** The operators between operands. */
export const INFIX: ReadonlyMap<string, Infix> = new Map<string, Infix>([
  ["or", { kind: "logical", operator: "or", precedence: 10 }],
  ["||", { kind: "logical", operator: "or", precedence: 10 }],
  ["and", { kind: "logical", operator: "and", precedence: 15 }],
  ["&&", { kind: "logical", operator: "and", precedence: 15 }],
  ["<", { kind: "order", operator: "<", precedence: 20 }],
  ["<=", { kind: "order", operator: "<=", precedence: 20 }],
  [">", { kind: "order", operator: ">", precedence: 20 }],
  [">=", { kind: "order", operator: ">=", precedence: 20 }],
  ["==", { kind: "binary", operator: "==", precedence: 20 }],
  ["!=", { kind: "binary", operator: "!=", precedence: 20 }],
  ["in", { kind: "binary", operator: "in", precedence: 20 }],
  ["matches", { kind: "binary", operator: "matches", precedence: 20 }],
  ["contains", { kind: "binary", operator: "contains", precedence: 20 }],
  ["startsWith", { kind: "binary", operator: "startsWith", precedence: 20 }],
  ["endsWith", { kind: "binary", operator: "endsWith", precedence: 20 }],
  ["..", { kind: "binary", operator: "..", precedence: 25 }],
  ["+", { kind: "binary", operator: "+", precedence: 30 }],
  ["-", { kind: "binary", operator: "-", precedence: 30 }],
  ["*", { kind: "binary", operator: "*", precedence: 60 }],
  ["/", { kind: "binary", operator: "/", precedence: 60 }],
  ["%", { kind: "binary", operator: "%", precedence: 60 }],
  ["**", { kind: "binary", operator: "**", precedence: 100, rightAssociative: true }],
  ["^", { kind: "binary", operator: "**", precedence: 100, rightAssociative: true }],
  ["??", { kind: "binary", operator: "??", precedence: 500 }],
]);

/** The operators before an operand. */
export const PREFIX: ReadonlyMap<string, { readonly operator: "not" | "-" | "+"; readonly precedence: number }> =
  new Map([
    ["not", { operator: "not", precedence: 50 }],
    ["!", { operator: "not", precedence: 50 }],
    ["-", { operator: "-", precedence: 90 }],
    ["+", { operator: "+", precedence: 90 }],
  ]);

/** The operators that `not` may stand before: `a not in b`. */
export const NEGATABLE: ReadonlySet<string> = new Set(["in", "matches", "contains", "startsWith", "endsWith"]);

/** What expr-lang has and this language leaves out, and what is written out of habit, by the token that shows it. */
export const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ["let", 'variables ("let") are not supported'],
  ["if", '"if" is not supported; use "test ? yes : no"'],
  ["else", '"else" is not supported; use "test ? yes : no"'],
  [";", 'several expressions (";") are not supported'],
  ["|", 'the pipe operator ("|") is not supported; use f(x)'],
  ["::", '"::" is not supported'],
  ["=", 'unexpected "="; equality is "=="'],
  ["===", 'unexpected "==="; equality is "=="'],
  ["!==", 'unexpected "!=="; inequality is "!="'],
  ["&", 'unexpected "&"; the logical operator is "&&" or "and"'],
]);

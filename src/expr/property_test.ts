import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Json } from "../json.ts";
import type { Node } from "./ast.ts";
import { compile, ExpressionError } from "./mod.ts";
import { parse } from "./parse.ts";

/** An expression with every operation in parentheses, so that precedence has no say. */
function print(node: Node): string {
  switch (node.kind) {
    case "literal":
      return `(${node.value === null ? "nil" : JSON.stringify(node.value)})`;
    case "variable":
      return node.name;
    case "pointer":
      return node.name === "item" ? "#" : "#index";
    case "array":
      return `[${node.items.map(print).join(", ")}]`;
    case "map":
      return `{${node.entries.map(({ key, value }) => `(${print(key)}): ${print(value)}`).join(", ")}}`;
    case "unary":
      return `(${node.operator} ${print(node.operand)})`;
    case "binary":
      return `(${print(node.left)} ${node.operator} ${print(node.right)})`;
    case "order":
      return `(${print(node.first)}${node.rest.map((next) => ` ${next.operator} ${print(next.operand)}`).join("")})`;
    case "logical":
      return `(${node.operands.map(print).join(` ${node.operator} `)})`;
    case "member":
      return `${print(node.object)}${node.optional ? "?." : ""}[${print(node.property)}]`;
    case "chain":
      return `(${print(node.body)})`;
    case "slice":
      return `${print(node.object)}[${node.from ? print(node.from) : ""}:${node.to ? print(node.to) : ""}]`;
    case "conditional":
      return `(${print(node.test)} ? ${print(node.yes)} : ${print(node.no)})`;
    case "call":
      return `${node.name}(${node.args.map(print).join(", ")})`;
    case "iteration":
      return `${node.name}(${print(node.list)}${node.predicate ? `, {${print(node.predicate)}}` : ""})`;
    default:
      return node satisfies never;
  }
}

/** A tree without its places. */
function shape(node: Node): unknown {
  return JSON.parse(JSON.stringify(node, (key, value) => (key === "at" ? undefined : value)));
}

const OPERATORS = [
  ...["==", "!=", "<", "<=", ">", ">=", "in", "not in", "matches", "contains", "startsWith", "endsWith", "..", "+"],
  ...["-", "*", "/", "%", "**", "^", "??", "and", "&&", "or", "||"],
];

/** Sources of the right form, of whatever types. */
const sources = fc.letrec<{ source: string }>((tie) => {
  const source = tie("source");
  return {
    source: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("payload.n", "payload.list", "payload.map", "payload.text", "payload.missing", "results"),
      fc.constantFrom("1", "2", "0", "nil", "true", "false", "'a'", '"b"', "[]", "{}"),
      fc.tuple(source, fc.constantFrom(...OPERATORS), source).map((parts) => parts.join(" ")),
      fc.tuple(source, fc.constantFrom(...OPERATORS), source).map((parts) => `(${parts.join(" ")})`),
      fc.tuple(fc.constantFrom("not ", "!", "-", "+"), source).map((parts) => parts.join("")),
      fc.tuple(source, source, source).map(([test, yes, no]) => `${test} ? ${yes} : ${no}`),
      fc.tuple(source, fc.constantFrom(".a", "[0]", "[-1]", "[1:]", "[:2]")).map(([of, member]) => `(${of})${member}`),
      fc.tuple(source, source).map((items) => `[${items.join(", ")}]`),
      source.map((value) => `{a: ${value}}`),
      fc.tuple(fc.constantFrom("len", "string", "keys", "first", "max", "int", "lower", "abs"), source)
        .map(([name, argument]) => `${name}(${argument})`),
      fc.tuple(fc.constantFrom("any", "all", "none", "one", "count", "filter", "map", "sum"), source, source)
        .map(([name, list, predicate]) => `${name}(${list}, {# == ${predicate}})`),
    ),
  };
}).source;

const CONTEXT: Record<string, Json> = {
  payload: { n: 2, list: [1, "a", [true], { a: 1 }], map: { a: { a: 1 } }, text: "abc", deep: [[[]]] },
  results: {},
};

/** What an expression does, where only errors of expressions may happen. */
function outcome(source: string): boolean | string {
  try {
    return compile(source).test(CONTEXT);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return error.kind;
  }
}

Deno.test("any text compiles and evaluates, or fails with an error of expressions", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (source) => void outcome(source)), {
    numRuns: 2_000,
  });
  const words = [
    ...OPERATORS,
    ..."()[]{},.:?#'\"`\\|;",
    "?.",
    "payload",
    ".x",
    "any",
    "len",
    "1",
    "not",
    "let",
    "//",
    " ",
  ];
  const soup = fc.array(fc.constantFrom(...words), { maxLength: 25 });
  fc.assert(fc.property(soup, (parts) => void outcome(parts.join(" "))), { numRuns: 5_000 });
  fc.assert(fc.property(soup, (parts) => void outcome(parts.join(""))), { numRuns: 5_000 });
});

Deno.test("any expression evaluates, or fails with an error of expressions", () => {
  fc.assert(fc.property(sources, (source) => void outcome(source)), { numRuns: 10_000 });
  fc.assert(fc.property(sources, (source) => void outcome(`(${source}) == 1 or ${source}`)), { numRuns: 5_000 });
});

Deno.test("an expression evaluates to the same every time, and leaves its context as it was", () => {
  const before = structuredClone(CONTEXT);
  fc.assert(fc.property(sources, (source) => assertEquals(outcome(source), outcome(source))));
  assertEquals(CONTEXT, before);
});

Deno.test("parentheses around every operation change nothing", () => {
  fc.assert(
    fc.property(sources, (source) => {
      let node: Node;
      try {
        node = parse(source);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        return fc.pre(false);
      }
      assertEquals(shape(parse(print(node))), shape(node), print(node));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("an integer is written as it is read", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (integer) => {
      const source = `string(${integer}) == "${integer}" and int("${integer}") == payload`;
      assertEquals(compile(source).test({ payload: integer }), true);
    }),
  );
});

Deno.test("any text is read as it is written", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assertEquals(compile(`payload == ${JSON.stringify(text)} and len(payload) >= 0`).test({ payload: text }), true);
    }),
  );
});

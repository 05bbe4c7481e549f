/** Choice expressions and the patterns of `matches`: compiled, and evaluated over hostile data. @module */

import fc from "fast-check";
import { INFIX, PREFIX } from "../../src/expr/grammar.ts";
import { compile, ExpressionError } from "../../src/expr/mod.ts";
import type { Json } from "../../src/json.ts";
import type { Target } from "./target.ts";
import { anyText, changed, hostileJson, NUMBERS, objectOf, repeated, soup, SPECIAL } from "./texts.ts";

/** A source and the data it is evaluated over. */
interface Question {
  readonly source: string;
  readonly context: Record<string, Json>;
}

/** Whether it could be evaluated; anything that is thrown but an `ExpressionError` is a bug. */
function answers({ source, context }: Question): boolean {
  try {
    const before = JSON.stringify(context);
    const predicate = compile(source);
    const first = outcomeOf(() => predicate.test(context));
    if (outcomeOf(() => predicate.test(context)) !== first) throw new Error("it has two answers");
    if (JSON.stringify(context) !== before) throw new Error("it has changed its context");
    return true;
  } catch (error) {
    if (error instanceof ExpressionError && error.message.length < 2_000) return false;
    throw error;
  }
}

/** The answer, or the error's message. */
function outcomeOf(test: () => boolean): boolean | string {
  try {
    return test();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    if (error.kind !== "evaluate") throw new Error(`an error of kind ${error.kind} while it is evaluated`);
    return error.message;
  }
}

const FUNCTIONS = "len lower upper trim abs int float string keys first last min max sum".split(" ");
const ITERATIONS = "any all none one count filter map sum".split(" ");
const OPERATORS = [...INFIX.keys(), "not in", "not matches"];

/** What a source is made of. */
const WORDS = [
  ...OPERATORS.map((operator) => ` ${operator} `),
  ...[...PREFIX.keys()].map((operator) => `${operator} `),
  ...FUNCTIONS.map((name) => `${name}(`),
  ...ITERATIONS.map((name) => `${name}(payload.list, {`),
  ..."( ) [ ] { } , . : ? # ' \" ` \\ | ; = & ?. ?: .. // /* */ ::".split(" "),
  ...[
    "\n",
    " ",
    "payload",
    "payload.",
    "results",
    "signals",
    "input",
    "branches",
    "last_node",
    "nil",
    "true",
    "#index",
  ],
  ...["'\\u{10ffff}'", '"\\ud800"', "b'a'", "0b12", "1e", "1__0", "..5", "5..", "[-1]", "[1:]", "[:-1]", ".field > 1"],
];

const ATOMS = [
  ...["payload.n", "payload.list", "payload.map", "payload.text", "payload.missing", "results", "signals", "last_node"],
  ...["1", "-1", "0", "2.5", "nil", "true", "false", "'a'", '"ä"', "`x`", "[]", "{}", "[1,2,3]", "1..5", "#", "#index"],
  ...["9223372036854775807", "1e308", "0xff", "payload", "input", "branches", '"(a+)+$"', "'__proto__'"],
];

/** Sources of the right form, whatever their types. */
const sources: fc.Arbitrary<string> = fc.letrec<{ source: string }>((tie) => {
  const source = tie("source");
  const joined = (parts: readonly string[]) => parts.join(" ");
  return {
    source: fc.oneof(
      { maxDepth: 5, depthIdentifier: "expression" },
      fc.constantFrom(...ATOMS),
      fc.constantFrom(...SPECIAL, ...NUMBERS).map((name) => `payload.${name}`),
      fc.tuple(source, fc.constantFrom(...OPERATORS), source).map(joined),
      fc.tuple(source, fc.constantFrom(...OPERATORS), source).map((parts) => `(${joined(parts)})`),
      fc.tuple(fc.constantFrom(...PREFIX.keys()), source).map(joined),
      fc.tuple(source, source, source).map(([test, yes, no]) => `(${test}) ? ${yes} : ${no}`),
      fc.tuple(source, fc.constantFrom(".a", "?.a", "[0]", "[-1]", "?.[0]", "[1:]", "[:2]", `["__proto__"]`))
        .map(([of, member]) => `(${of})${member}`),
      fc.tuple(source, source).map(([of, key]) => `(${of})[${key}]`),
      fc.array(source, { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
      fc.tuple(fc.constantFrom("a", `"b"`, "(payload.text)", "__proto__"), source)
        .map(([key, value]) => `{${key}: ${value}}`),
      fc.tuple(fc.constantFrom(...FUNCTIONS), source).map(([name, argument]) => `${name}(${argument})`),
      fc.tuple(fc.constantFrom(...ITERATIONS), source, source)
        .map(([name, list, predicate]) => `${name}(${list}, {${predicate}})`),
    ),
  };
}).source;

/** Values of a type, so that most of what is made of them compiles and is evaluated to its end. */
const numbers = fc.constantFrom(
  "payload.n",
  "len(payload.list)",
  "#",
  "2",
  "-1.5",
  "abs(payload.n)",
  "sum(payload.list)",
);
const texts = fc.constantFrom("payload.text", "string(payload.n)", "'a'", "lower(payload.text)", "payload.text[0:2]");
const lists = fc.constantFrom(
  "payload.list",
  "1..9",
  "[1, 'a', nil]",
  "keys(payload)",
  "map(payload.list, {string(#)})",
);
const values = fc.oneof(numbers, texts, lists, fc.constantFrom("payload.map", "results.a?.n", "nil", "payload.map?.a"));

/** Sources that are questions. */
const questions: fc.Arbitrary<string> = fc.letrec<{ question: string }>((tie) => {
  const question = tie("question");
  return {
    question: fc.oneof(
      { maxDepth: 4, depthIdentifier: "question" },
      fc.tuple(values, fc.constantFrom("==", "!="), values).map((parts) => parts.join(" ")),
      fc.tuple(numbers, fc.constantFrom("<", "<=", ">", ">="), numbers).map((parts) => parts.join(" ")),
      fc.tuple(texts, fc.constantFrom("contains", "startsWith", "endsWith", "matches"), texts).map((parts) =>
        parts.join(" ")
      ),
      fc.tuple(values, fc.constantFrom("in", "not in"), lists).map((parts) => parts.join(" ")),
      fc.tuple(fc.constantFrom("any", "all", "none", "one"), lists, question)
        .map(([name, list, body]) => `${name}(${list}, {${body}})`),
      fc.tuple(question, fc.constantFrom("and", "or", "&&", "||"), question).map((parts) => `(${parts.join(" ")})`),
      question.map((inner) => `not (${inner})`),
      fc.tuple(question, question, question).map(([test, yes, no]) => `((${test}) ? ${yes} : ${no})`),
      fc.tuple(lists, question).map(([list, body]) => `len(filter(${list}, {${body}})) > count(${list}, {${body}})`),
    ),
  };
}).question;

const big = "x".repeat(20_000);

/** What expressions are evaluated over. */
const contexts: fc.Arbitrary<Record<string, Json>> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      n: hostileJson,
      list: fc.array(hostileJson, { maxLength: 6 }),
      map: hostileJson,
      text: fc.oneof(anyText, fc.constantFrom("", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa!", big)),
    }).map((payload) => ({ payload, results: { a: payload }, signals: {}, branches: {}, input: payload }) as never),
  },
  {
    weight: 2,
    arbitrary: fc.array(fc.tuple(fc.constantFrom("payload", "results", "input", "last_node"), hostileJson))
      .map((entries) => objectOf(entries) as never),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 2_000 }).map((depth) => {
      let value: Json = 1;
      for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
      return { payload: { n: value, list: [value], map: { a: value }, text: "" }, results: {} };
    }),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 100, max: 3_000 }).map((size) => {
      const list = Array.from({ length: size }, (_, index): Json => index % 3 === 0 ? String(index) : index);
      return { payload: { n: size, list, map: Object.fromEntries(list.entries()), text: big }, results: {} };
    }),
  },
);

/** Work that only bounds stop. */
const greedy: fc.Arbitrary<string> = fc.tuple(
  fc.constantFrom("all", "none", "count", "filter", "map"),
  fc.array(fc.constantFrom("1..1000000", "1..3000", "payload.list", "map(1..1000, payload.text)"), {
    minLength: 1,
    maxLength: 4,
  }),
  fc.constantFrom("# > 0", "# in payload.list", "payload.text contains 'y'", "string(payload) == ''", "[#, #] == [#]"),
).map(([name, lists, end]) => lists.reduce<string>((inner, list) => `${name}(${list}, {${inner}})`, end) + " == nil");

const sums = fc.tuple(
  fc.constantFrom("payload.text", "payload.list", "[#]", "'a'", "1"),
  fc.integer({ max: 24, min: 1 }),
)
  .map(([part, doublings]) => {
    let source: string = part;
    for (let times = 0; times < doublings && source.length < 8_000; times++) source = `(${source} + ${source})`;
    return `len(${source}) > 1`;
  });

const nested = repeated(
  ["(", "not ", "!", "-", "[", "{a:", "any([1],", "len([", "true?", "true ? true : ", "1+", "1**", "payload.a?.", "'"],
  4_000,
);

const expression: Target<Question> = {
  name: "expression",
  share: 16,
  inputs: fc.record({
    source: fc.oneof(
      { weight: 2, arbitrary: questions },
      { weight: 6, arbitrary: questions.map((question) => `any([payload.n, 1], {${question}})`) },
      { weight: 3, arbitrary: changed(questions, WORDS) },
      { weight: 4, arbitrary: sources },
      { weight: 4, arbitrary: sources.map((source) => `(${source}) == true`) },
      { weight: 4, arbitrary: changed(sources, WORDS) },
      { weight: 3, arbitrary: soup(WORDS, 30) },
      { weight: 1, arbitrary: anyText },
      { weight: 1, arbitrary: nested },
    ),
    context: contexts,
  }),
  attempt: answers,
};

/** Evaluations that use their bounds up take long: a share of their own. */
const greed: Target<Question> = {
  name: "greedy expression",
  share: 0.1,
  inputs: fc.record({ source: fc.oneof(greedy, sums), context: contexts }),
  attempt: answers,
};

const PATTERN_WORDS = [
  ..."a b . ^ $ | ( ) (?: (?i) (?s) (?P<n> [ ] [^ - * + ? *? +? ?? { } , \\ \\d \\w \\S \\b \\B \\pL \\p{Greek} \\x41 \\Q \\E"
    .split(" "),
  ...[
    "{2}",
    "{2,}",
    "{0,1000}",
    "{1001}",
    "[a-z]",
    "[[:alpha:]]",
    "(a+)+",
    "(a|a)*",
    "(a*)*b",
    "(?=a)",
    "\\1",
    "ä",
    "\ud800",
  ],
];

const patterns = fc.oneof(
  { weight: 6, arbitrary: soup(PATTERN_WORDS, 16) },
  { weight: 2, arbitrary: anyText },
  { weight: 1, arbitrary: repeated(["(a+)+", "(a?){50}", "(", "[", "a{1000}", "(a|b)*", ".*", "(?:", "x?"], 300) },
);

const pattern: Target<Question> = {
  name: "pattern",
  share: 6,
  inputs: fc.record({
    pattern: patterns,
    text: fc.oneof(
      { weight: 4, arbitrary: anyText },
      { weight: 2, arbitrary: fc.stringMatching(/^[ab]{0,60}!?$/) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((length) => "a".repeat(length)) },
    ),
    isLiteral: fc.boolean(),
  }).map(({ pattern, text, isLiteral }) => ({
    source: `payload.text matches ${isLiteral ? JSON.stringify(pattern) : "payload.pattern"}`,
    context: { payload: { text, pattern } },
  })),
  attempt: answers,
};

/** The targets. */
export const EXPRESSION_TARGETS: readonly Target[] = [expression, greed, pattern];

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Json } from "../json.ts";
import { PacktrailError } from "../errors.ts";
import { compile, ExpressionError } from "./mod.ts";

const CONTEXT: Record<string, Json> = {
  payload: {
    n: 3,
    half: 0.5,
    flag: true,
    name: "Grüße",
    word: "billing",
    empty: "",
    nothing: null,
    tags: ["a", "b"],
    nested: [[1, 2], [3]],
    items: [{ price: 1, name: "x" }, { price: 5, name: "y" }],
    map: { a: 1, b: { c: [1, 2] }, "with space": 7 },
    index: 1,
    pattern: "^bil",
  },
  results: { triage: { score: 93 } },
  signals: {},
  branches: {},
  input: 7,
  last_node: "triage",
};

function fail(message: string): never {
  throw new Error(message);
}

function evaluate(source: string): boolean {
  return compile(source).test(CONTEXT);
}

function failure(source: string, kind: "compile" | "evaluate"): ExpressionError {
  try {
    evaluate(source);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    assertEquals(error.kind, kind, `${source}: ${error.message}`);
    return error;
  }
  return fail(`${source}: expected an error of kind ${kind}`);
}

const TRUE = [
  // Precedence
  "2 ** 3 ** 2 == 512",
  "2 ^ 3 == 8",
  "-2 ** 2 == -4",
  "2 ** -1 == 0.5",
  "1 + 2 * 3 == 7",
  "(1 + 2) * 3 == 9",
  "10 - 4 - 3 == 3",
  "-5 % 3 == -2",
  "7 / 2 == 3.5",
  "true or false and false",
  "not false and true",
  "not (true and false)",
  "not payload.flag == false",
  "!payload.flag == false",
  "1 < 2 == true",
  "1 + 1 in 1..3",
  "2 in 1..3 and 4 not in 1..3",
  "1..3 == [1, 2, 3]",
  "1..2 + 1 == [1, 2, 3]",
  "1 < 2 < 3",
  "not (1 < 2 < 2)",
  "3 >= payload.n > 2 > 1",
  "true ? true : false",
  "false ? false : false ? false : true",
  "(payload.missing ?? 5) > 1 ? true : false",
  "1 + payload.missing ?? 2 == 3",
  "payload.missing ?? nil ?? true",
  "payload.flag ?: false",
  "payload.word == 'billing' && payload.n > 2 || false",
  // Numbers
  "0x1F == 31 and 0b101 == 5 and 0o17 == 15 and 1_000 == 1000",
  "1e3 == 1000 and .5 == 0.5 and 1. == 1 and 1.5e-1 == 0.15 and 010 == 10",
  "1 == 1.0",
  "not (0.1 + 0.2 == 0.3)",
  "1 / 0 > 1e308",
  "0 / 0 != 0 / 0",
  "4 / 2 % 2 == 0",
  "+payload.n == 3 and -payload.n == -3",
  // Strings
  `"a\\tb" == 'a\tb'`,
  "'it\\'s' == \"it's\"",
  "`raw \\n` == 'raw \\\\n'",
  "`a``b` == 'a`b'",
  `"\\x41\\u0042\\u{1F600}\\U00000043\\104" == "AB😀CD"`,
  `"a" + "b" == "ab"`,
  `"a" < "b" and "a" < "aa" and "Z" < "a"`,
  `"\\uFFFD" < "😀"`,
  `payload.word contains "ill" and payload.word startsWith "bil" and payload.word endsWith "ing"`,
  `payload.word not contains "x" and payload.word not matches "^x" and not (payload.word not startsWith "b")`,
  `not (payload.missing contains "x") and not ("x" startsWith payload.missing)`,
  `payload.word matches "^b.*g$" and payload.word matches payload.pattern`,
  `not (payload.missing matches "x") and not (payload.word matches payload.missing)`,
  "len(payload.name) == 5 and len('😀') == 1",
  "payload.word[0] == 98 and payload.word[-1] == 103",
  "payload.word[0:4] == 'bill' and payload.word[-3:] == 'ing' and payload.name[2:4] == 'ü'",
  "lower('ÄB') == 'äb' and upper('straße') == 'STRAßE' and trim(' \\n x ') == 'x' and trim('__x_', '_') == 'x'",
  // nil
  "payload.missing == nil and payload.nothing == nil and nil == nil",
  "payload.missing?.deep == nil and payload.missing?.deep.deeper.deepest == nil",
  "payload?.map?.b.c == [1, 2] and payload.missing?.['a'] == nil",
  "(payload.missing?.deep).deeper == nil",
  "signals.approval == nil and signals?.approval?.by == nil",
  "payload.missing != 3",
  // Equality
  `not (1 == "1") and 1 != "1" and not (true == 1)`,
  "[1, [2, {a: 3}]] == [1, [2, {'a': 3.0}]]",
  "{a: 1, b: 2} == {b: 2, a: 1} and {a: 1} != {a: 1, b: 2} and [] != {}",
  "payload.map.b == {c: 1..2}",
  // Members
  "payload['n'] == 3 and payload.map['with space'] == 7 and payload.map[`a`] == 1",
  "payload.tags[0] == 'a' and payload.tags[-1] == 'b' and payload.tags[payload.index] == 'b'",
  "payload.tags[1:] == ['b'] and payload.tags[:1] == ['a'] and payload.tags[:] == payload.tags",
  "payload.tags[5:9] == [] and payload.tags[-9:1] == ['a'] and payload.tags[1:0] == []",
  "(1..10)[2:4] == [3, 4] and (1..10)[-1] == 10",
  "payload.map.in == nil and {'not': 1}.not == 1",
  "{1: 2}['1'] == 2 and {('a' + 'b'): 1}.ab == 1 and {a: 1,} == {a: 1} and [1,] == [1]",
  // in
  "'a' in payload.tags and 'c' not in payload.tags and 'a' in payload.map and 'z' not in payload.map",
  "not ('x' in payload.missing) and payload.n in [1, 2, 3] and [1, 2] in payload.nested",
  "not (2.5 in 1..3) and not ('a' in 1..3) and 5 in 1..1000000000000",
  // Functions
  "len([1, 2]) == 2 and len({a: 1}) == 1 and len(payload.map) == 3 and len(1..5) == 5",
  "abs(-3) == 3 and int('12') == 12 and int('-7') == -7 and int(1.9) == 1 and int(-1.9) == -1",
  "float('1.5') == 1.5 and float('1e3') == 1000 and float('-inf') < 0",
  "string(3) == '3' and string(1.5) == '1.5' and string(true) == 'true' and string(nil) == '<nil>'",
  "string([1, 'a', nil]) == '[1 a <nil>]' and string({b: 1, a: [2]}) == 'map[a:[2] b:1]'",
  "string(1e21) == '1e+21' and string(0.00001) == '1e-05' and string(1 / 0) == '+Inf' and string(1e20) == '100000000000000000000'",
  "keys({a: 1, b: 2}) == ['a', 'b'] and first(payload.tags) == 'a' and last([1, 2]) == 2",
  "first([]) == nil and last([]) == nil and first(payload.n) == nil",
  "min(3, 1, 2) == 1 and max([1, 5], 2) == 5 and min([[4], [[3]]]) == 3 and max([]) == nil",
  "sum([1, 2, 3]) == 6 and sum([]) == 0 and sum(payload.items, .price) == 6 and sum(1..100) == 5050",
  // Predicates
  "any(payload.items, {.price > 1}) and any(payload.items, .price > 1) and any(payload.items, #.price > 1)",
  "all([1, 2], # > 0) and all([], false) and not any([], true) and none([1, 2], # > 2) and one([1, 2], # > 1)",
  "count(payload.items, .name == 'y') == 1 and count([true, false, true]) == 2",
  "filter(1..10, # % 2 == 0) == [2, 4, 6, 8, 10] and map(1..3, # * 2) == [2, 4, 6]",
  "map(['a', 'b'], #index) == [0, 1]",
  "map(payload.nested, map(#, # * 10)) == [[10, 20], [30]]",
  "any(payload.nested, any(#, # == 3))",
  "filter(payload.items, .price > 1)[0].name == 'y'",
  "len(filter(payload.items, payload.n > .price)) == 1",
  "map(payload.items, {.name},) == ['x', 'y']",
  "all(payload.items, len(.name) == 1 and .price in 1..5)",
  "map([1], {{a: #}}) == [{a: 1}]",
  // Comments
  "true // all of it",
  "/* a */ true /* b\n */",
  "payload.n // three\n == 3",
];

Deno.test("an expression is true as it is in expr-lang", () => {
  for (const source of TRUE) assertEquals(evaluate(source), true, source);
});

const EVALUATION_ERRORS: readonly (readonly [string, string])[] = [
  ["payload.missing > 3", 'the operator ">" is not defined on nil and number'],
  ["payload.word > 3", "string and number"],
  ["payload.missing.deep == nil", 'cannot read "deep" of nil'],
  ["payload.missing.deep ?? true", 'cannot read "deep" of nil'],
  ["payload.missing?.list[0] == nil", "cannot read [0] of nil"],
  ["payload.n.deep == nil", 'cannot read "deep" of number'],
  ["payload.n", "the result must be a boolean, found number"],
  ["payload.missing", "found nil"],
  ["payload.n and true", 'an operand of "and" must be a boolean, found number'],
  ["true and payload.n", 'an operand of "and" must be a boolean, found number'],
  ["not payload.n", 'the operand of "not" must be a boolean'],
  ["payload.n ? true : false", "the test"],
  ["payload.tags[2] == 1", "the index 2 is out of range, the length is 2"],
  ["payload.tags[-3] == 1", "out of range"],
  ["payload.tags[payload.flag] == 1", "an index must be an integer, found boolean"],
  ["payload.map[1] == 1", "the key of a map is a string, found number"],
  ["payload.n[1:2] == 1", "cannot slice number"],
  ["payload.n + 'x' == ''", "number and string"],
  ["payload.n - payload.word == 0", 'the operator "-" is not defined on number and string'],
  ["-payload.word == 0", 'the operator "-" is not defined on string'],
  ["payload.n % 0 == 0", "cannot divide by zero"],
  ["payload.half % 2 == 0", "needs integers"],
  ["1 in payload.n", "number and number"],
  ["'a' in payload.word", "string and string"],
  ["1 in payload.map", "number and map"],
  ["payload.n contains 'a'", "number and string"],
  ["payload.n matches 'a'", "number and string"],
  ["payload.word matches (payload.word + '(')", "a group is not closed"],
  ["len(payload.n) == 1", 'the function "len" does not take number'],
  ["lower(payload.missing) == ''", 'the function "lower" does not take nil'],
  ["int(payload.word) == 1", 'cannot make a number of "billing"'],
  ["int('1.5') == 1 or payload.flag", "cannot make a number"],
  ["int('9223372036854775808') == 1", "cannot make a number"],
  ["keys(payload.tags) == []", 'the function "keys" does not take array'],
  ["max([1, payload.word]) == 1", 'the function "max" does not take string'],
  ["any(payload.missing, true)", "goes over an array, found nil"],
  ["any(payload.word, true)", "goes over an array, found string"],
  ["any(payload.items, .price)", 'the predicate of "any" must be a boolean, found number'],
  ["sum(payload.tags) == 0", 'the operator "+" is not defined on string and number'],
  ["payload.n..payload.word == []", "the end of a range must be an integer, found string"],
];

Deno.test("what cannot be evaluated is an evaluation error that says why", () => {
  for (const [source, reason] of EVALUATION_ERRORS) {
    const { message } = failure(source, "evaluate");
    assertEquals(message.includes(reason), true, `${source}: ${message}`);
  }
});

const COMPILE_ERRORS: readonly (readonly [string, string, number])[] = [
  ["", "it is empty", 0],
  ["  // nothing", "it is empty", 12],
  ["payload.n >", "expected a value but found the end of the expression", 11],
  ["payload.n > > 3", 'expected a value but found ">"', 12],
  ["(payload.n > 3", 'expected ")" but found the end of the expression', 14],
  ["payload.n > 3)", 'expected an operator or the end of the expression but found ")"', 13],
  ["payload.flag payload.flag", 'found "payload"', 13],
  ["payload. > 3", 'expected a name after "."', 9],
  ["[1, 2 == [1]", 'expected "," or "]"', 12],
  ["{a 1} == {}", 'expected ":" but found "1"', 3],
  ["{-1: 2} == {}", "expected a key", 1],
  ["payload.n = 3", 'unexpected "="; equality is "=="', 10],
  ["payload.n === 3", 'unexpected "==="', 10],
  ["payload.a & payload.b", 'unexpected "&"', 10],
  ["payload.a not 3", 'after "not"', 14],
  ["payload.a ?? 1 == 1", '"??" and "==" cannot be mixed', 15],
  ["true ? false", 'expected ":"', 12],
  ["'abc", "the string is not closed", 0],
  ["`abc", "the string is not closed", 0],
  ["'a\nb' == ''", "the string is not closed", 0],
  ["true /* x", "the comment is not closed", 5],
  ["'\\q' == ''", '"\\\\q" is not an escape', 1],
  ["'\\uD800' == ''", "is not an escape", 1],
  ["12abc == 1", "is not a number", 0],
  ["0x == 1", "is not a number", 0],
  ["1e == 1", "is not a number", 0],
  ["9223372036854775808 == 1", "too large", 0],
  ["1e999 == 1", "too large", 0],
  ["true ~ false", 'unexpected character "~"', 5],
  ["true.x", "expected an operator", 4],
  ["paylod.x == 1", 'unknown variable "paylod"; did you mean "payload"?', 0],
  ["result.x == 1", 'did you mean "results"?', 0],
  ["null == payload", 'the empty value is "nil"', 0],
  ["whatever", "there are payload, input", 0],
  ["$env.payload == 1", "$env is not supported", 0],
  ["let x = 1; x == 1", 'variables ("let") are not supported', 0],
  ["true; false", "are not supported", 4],
  ["payload.tags | any(# == 1)", 'the pipe operator ("|") is not supported', 13],
  ["if true { true } else { false }", '"if" is not supported', 0],
  ["b'x' == payload.x", "byte strings", 0],
  ["find(payload.tags, # == 1) == 1", 'the function "find" is not supported; there are len', 0],
  ["lenn(payload.tags) == 1", 'unknown function "lenn"; did you mean "len"?', 0],
  ["payload.tags.len() == 1", 'calling the method "len" is not supported', 13],
  ["# > 1", "in predicates only", 0],
  [".x > 1", 'expected a value but found "."', 0],
  ["any(payload.tags, #foo > 1)", 'unknown pointer "#foo"', 18],
  ["any(payload.tags, #index > 1)", '"#index"', 18],
  ["any(payload.tags)", 'expected "," and the predicate of "any"', 16],
  ["any(payload.tags, {# > 1)", 'expected "}"', 24],
  ["len() == 1", '"len" takes 1 argument, found 0', 0],
  ["trim('a', 'b', 'c') == ''", '"trim" takes 1 or 2 arguments, found 3', 0],
  ["min() == 1", '"min" takes at least 1 argument, found 0', 0],
  // Never boolean
  ["1 + 2", "it can never be a boolean, it is number", 2],
  ["'x'", "it is string", 0],
  ["len(payload)", "it is number", 0],
  ["[1]", "it is array", 0],
  ["{}", "it is map", 0],
  ["nil", "it is nil", 0],
  ["1..3", "it is array", 1],
  ["payload.x ? 1 : 'a'", "it is number or string", 10],
  ["payload.x + 1", "it is number", 10],
  ["'x' ?? true", "it is string", 4],
  ["[1, 2][0]", "it is number", 6],
  ["filter(payload.x, true)", "it is array", 0],
  // Wrong for every value
  ["'a' > 1", 'the operator ">" is not defined on string and number', 4],
  ["1 and true", 'an operand of "and" must be boolean, found number', 0],
  ["not 1", 'the operator "not" is not defined on number', 0],
  ["nil > 1", "nil and number", 4],
  ["1 + 'a' == 1", "number and string", 2],
  ["-'a' == 1", "is not defined on string", 0],
  ["1 contains 'a'", "number and string", 2],
  ["1 in 'abc'", "number and string", 2],
  ["1 in {a: 1}", "number and map", 2],
  ["1.5 % 2 == 0", "must be an integer, found 1.5", 0],
  ["1..2.5 == []", "must be an integer, found 2.5", 3],
  ["[1]['a' == 'a'] == 1", "an index must be", 8],
  ["len(1) == 1", 'the argument of "len" must be string or array or map, found number', 4],
  ["any(1, true)", 'the list of "any" must be array, found number', 4],
  ["any([1], # + 1)", 'the predicate of "any" must be boolean, found number', 11],
  ["any([1], .x)", "found number", 10],
  ["1 ? true : false", "must be boolean", 0],
  ["{(1): 2} == {}", "the key of a map must be string", 2],
  ["payload.x matches '('", "a group is not closed", 18],
  ["payload.x matches '(?=a)'", "lookaround is not supported", 18],
  ["payload.x matches '(a)\\\\1'", "backreferences are not supported", 18],
];

Deno.test("what is not an expression is a compile error at its place", () => {
  for (const [source, reason, offset] of COMPILE_ERRORS) {
    const { message, position } = failure(source, "compile");
    assertEquals(message.includes(reason), true, `${source}: ${message}`);
    assertEquals(position?.offset, offset, `${source}: ${message}`);
  }
});

Deno.test("a position has the line and the column", () => {
  const error = failure("payload.n > 1 and\n  paylod.x", "compile");
  assertEquals(error.position, { offset: 20, line: 2, column: 3 });
  assertEquals(error.message.endsWith("(line 2, column 3)"), true, error.message);
  assertEquals(failure("true and\n\n payload.missing.deep > 1", "evaluate").position?.line, 3);
});

Deno.test("an error is a packtrail error of code VALIDATION", () => {
  const error = failure("1 +", "compile");
  assertEquals(error instanceof PacktrailError, true);
  assertEquals(error.name, "ExpressionError");
  assertEquals(error.code, "VALIDATION");
});

Deno.test("a predicate knows its source and its variables", () => {
  const source = "any(payload.items, .price > results.limit) or last_node == 'payload'";
  const predicate = compile(source);
  assertStrictEquals(predicate.source, source);
  assertEquals([...predicate.variables].sort(), ["last_node", "payload", "results"]);
});

Deno.test("what is not a string does not compile", () => {
  for (const source of [undefined, null, 1, {}]) {
    assertThrows(() => compile(source as unknown as string), ExpressionError);
  }
});

Deno.test("a context that is not an object is an evaluation error", () => {
  for (const context of [undefined, null, 1]) {
    assertThrows(() => compile("payload == nil").test(context as unknown as Record<string, Json>), ExpressionError);
  }
  assertEquals(compile("payload == nil").test({}), true);
});

Deno.test("logical operators and conditionals evaluate no more than they need", () => {
  assertEquals(evaluate("true or payload.missing.deep > 1"), true);
  assertEquals(evaluate("false and payload.missing.deep > 1"), false);
  assertEquals(evaluate("(payload.n ?? payload.missing.deep) == 3"), true);
  assertEquals(evaluate("true ? true : payload.missing.deep > 1"), true);
  assertEquals(evaluate("1 > 2 > payload.missing.deep"), false);
});

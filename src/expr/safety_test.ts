import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Json } from "../json.ts";
import { compile, ExpressionError } from "./mod.ts";

function fails(source: string, kind: "compile" | "evaluate", reason: string, context: Record<string, Json> = {}): void {
  const error = assertThrows(() => compile(source).test(context), ExpressionError);
  assertEquals([error.kind, error.message.includes(reason)], [kind, true], error.message);
}

Deno.test("inherited properties read as nil", () => {
  const context = { payload: { map: {}, list: [1], text: "abc" } };
  for (const name of ["__proto__", "constructor", "toString", "length", "hasOwnProperty", "valueOf"]) {
    for (const value of ["map", "list", "text"]) {
      assertEquals(compile(`payload.${value}.${name} == nil`).test(context), true, `${value}.${name}`);
      assertEquals(compile(`payload.${value}["${name}"] == nil`).test(context), true, `${value}["${name}"]`);
    }
    assertEquals(compile(`"${name}" in payload.map`).test(context), false, name);
    assertEquals(compile(`any([{}], .${name} == nil)`).test(context), true, name);
  }
});

Deno.test("a name that nothing could have is an evaluation error on a list and on a text", () => {
  const context = { payload: { list: [1], text: "abc" } };
  for (const member of ["list.n", "text.n", `list["0"]`, `text["0"]`]) {
    const error = assertThrows(() => compile(`payload.${member} == nil`).test(context), ExpressionError);
    assertEquals(error.kind, "evaluate", member);
  }
});

Deno.test("own properties with the names of inherited ones are read", () => {
  const payload = JSON.parse(`{"__proto__": 1, "constructor": 2, "length": 3}`);
  assertEquals(
    compile("payload.__proto__ == 1 and payload.constructor == 2 and payload.length == 3").test({ payload }),
    true,
  );
  assertEquals(compile(`{"__proto__": 1} == {__proto__: 1} and {__proto__: 1}.__proto__ == 1`).test({}), true);
  assertEquals(compile(`"__proto__" in keys(payload) and "__proto__" in payload`).test({ payload }), true);
});

Deno.test("variables are own properties of the context too", () => {
  const context = Object.create({ payload: { x: 1 } });
  assertEquals(compile("payload == nil").test(context), true);
});

Deno.test("what a property read throws is passed on untouched", () => {
  class NotLoaded extends Error {}
  const notLoaded = new NotLoaded();
  const lazy = {
    get payload(): Json {
      throw notLoaded;
    },
    results: {
      get triage(): Json {
        throw notLoaded;
      },
    },
  };
  for (
    const source of [
      "payload.x == 1",
      "payload?.x == 1",
      "payload ?? true",
      "any([1], payload.x == #)",
      "results.triage.score > 1",
      "results == {triage: 1}",
      "string(results) == ''",
      "first([results.triage]) == nil",
    ]
  ) {
    assertStrictEquals(assertThrows(() => compile(source).test(lazy), NotLoaded), notLoaded);
  }
  assertEquals(compile("true or payload.x == 1").test(lazy), true);
  assertEquals(compile(`"triage" in results and keys(results) == ["triage"]`).test(lazy), true);
});

Deno.test("the context is never changed", () => {
  const payload = { list: [3, 1, 2], map: { a: 1 } };
  for (const value of [payload, payload.list, payload.map]) Object.freeze(value);
  const source =
    "map(payload.list, # + 1) == [4, 2, 3] and payload.list[1:] == [1, 2] and keys(payload.map) == ['a'] " +
    "and filter(payload.list, # > 1) == [3, 2] and string(payload) != '' and sum(payload.list) == 6";
  assertEquals(compile(source).test({ payload }), true);
});

Deno.test("the source is bounded", () => {
  fails(`"${"x".repeat(20_000)}" == ""`, "compile", "the source is too long");
  fails(`[${"1,".repeat(3_000)}] == []`, "compile", "more than 2048 nodes");
});

Deno.test("nesting is bounded, however it is made", () => {
  const times = 5_000;
  for (
    const source of [
      "(".repeat(times) + "true" + ")".repeat(times),
      "not ".repeat(4_000) + "true",
      "!".repeat(times) + "true",
      "-".repeat(times) + "1 == 1",
      "[".repeat(times) + "]".repeat(times) + " == []",
      "payload" + ".a".repeat(times),
      "payload" + "[0]".repeat(times),
      "payload" + "?.a".repeat(times),
      "1" + "+1".repeat(times) + " == 1",
      "1" + "**1".repeat(times) + " == 1",
      "true?".repeat(3_000),
      "true ? true : ".repeat(1_000) + "true",
      "len([".repeat(3_000),
      "any([1],".repeat(2_000),
      "{a:".repeat(times),
    ]
  ) {
    fails(source.slice(0, 16_000), "compile", "nested too deeply");
  }
  fails("(".repeat(100_000), "compile", "too long");
  assertEquals(compile("(".repeat(200) + "true" + ")".repeat(200)).test({}), true);
});

Deno.test("a long chain of alternatives is not deep", () => {
  const source = Array.from({ length: 300 }, (_, index) => `payload.x == ${index}`).join(" or ");
  assertEquals(compile(source).test({ payload: { x: 299 } }), true);
});

Deno.test("nested comparisons cost no more than their size", () => {
  let source = "1";
  for (let level = 0; level < 30; level++) source = `(0 < len([${source}]) < 3 ? 1 : 0)`;
  assertEquals(compile(`${source} == 1`).test({}), true);
});

Deno.test("the steps of an evaluation are bounded", () => {
  fails("all(1..1000000, all(1..1000000, # > 0))", "evaluate", "more than 1000000 steps");
  fails("any(1..100000, # in map(1..1000, -1))", "evaluate", "it takes too");
  fails("len(map(1..1000, payload.text + payload.text)) > 0", "evaluate", "too much memory", {
    payload: { text: "x".repeat(100_000) },
  });
  const big = { a: "x".repeat(1_000_000), b: "x".repeat(999_999) + "x" };
  fails("all(1..100000, payload.a == payload.b)", "evaluate", "too long", { payload: big });
  fails("all(1..100000, payload.a contains payload.b)", "evaluate", "too long", { payload: big });
});

Deno.test("the memory of an evaluation is bounded", () => {
  fails("1..10000000 == []", "evaluate", "the range 1..10000000 is too long");
  fails("len(map(1..200000, [#, #, #, #, #])) > 1", "evaluate", "it takes too");
  let source = "payload.text";
  for (let doubling = 0; doubling < 8; doubling++) source = `(${source} + ${source})`;
  fails(`len(${source}) > 1`, "evaluate", "too much memory", { payload: { text: "x".repeat(50_000) } });
});

Deno.test("a context nested too deeply is an error where it is gone through, and no matter elsewhere", () => {
  let deep: Json = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  const context = { payload: deep, results: deep };
  assertEquals(compile("len(payload) == 1 and payload != nil").test(context), true);
  let other: Json = 1;
  for (let level = 0; level < 100_000; level++) other = [other];
  fails("payload == results", "evaluate", "nested too deeply", { payload: deep, results: other });
  fails("string(payload) == ''", "evaluate", "nested too deeply", context);
  fails("max(payload) == 1", "evaluate", "nested too deeply", context);
});

Deno.test("a search for a text is linear, whatever the texts", () => {
  const payload = { text: "a".repeat(400_000), part: "a".repeat(100_000) + "b" };
  assertEquals(compile("payload.text contains payload.part").test({ payload }), false);
  payload.text += "b";
  assertEquals(compile("payload.text contains payload.part").test({ payload }), true);
});

Deno.test("making a number of a text is linear, whatever the text", () => {
  const payload = { text: "1".repeat(1_000_000) + "x" };
  fails("float(payload.text) == 1", "evaluate", "cannot make a number", { payload });
  fails("int(payload.text) == 1", "evaluate", "cannot make a number", { payload });
  fails("1".repeat(16_000) + "e == 1", "compile", "is not a number");
});

Deno.test("patterns that are computed count as work", () => {
  const patterns = Array.from({ length: 10_000 }, (_, index) => `(a{0,50}|\\pL+){20}${index}`);
  fails("all(payload, not ('aaa' matches #))", "evaluate", "too long", { payload: patterns });
});

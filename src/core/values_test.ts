import { assert, assertEquals, assertThrows } from "@std/assert";
import type { State, Stored } from "./state.ts";
import { flowOf, loadOf, started, task } from "./testing/fixtures.ts";
import {
  allResults,
  contextOf,
  expressionContext,
  findResult,
  mergedPayload,
  MissingValues,
  payloadOf,
  refsOf,
} from "./values.ts";

function stateOf(more: Partial<State>): State {
  return { ...started(flowOf([task("a")]), { n: 1 }), ...more };
}

const LARGE: Stored = { ref: 9, size: 5_000 };

Deno.test("the shared payload is the input until a node gives another", () => {
  assertEquals(payloadOf(stateOf({}), loadOf()), { n: 1 });
  const state = stateOf({ results: { a: { value: null } }, payload: { from: "a" } });
  assertEquals(payloadOf(state, loadOf()), null);
});

Deno.test("what is merged goes into a copy of an object, and beside the value of anything else", () => {
  const merged = [{ signal: "go" }, { branches: ["b", "silent"] }];
  const signals = { go: { value: [1] } };
  const results = { b: { value: 2 } };
  assertEquals(payloadOf(stateOf({ payload: { merged }, signals, results }), loadOf()), {
    n: 1,
    go: [1],
    branches: { b: 2 },
  });
  for (const value of [null, 7, "text", [1]]) {
    const state = stateOf({ payload: { from: "a", merged }, signals, results: { ...results, a: { value } } });
    assertEquals(payloadOf(state, loadOf()), { value, go: [1], branches: { b: 2 } });
  }
});

Deno.test("of two merges under one name the later one counts, whatever the name", () => {
  const first = mergedPayload({}, { signal: "branches" });
  assertEquals(mergedPayload(first, { branches: ["b"] }), { merged: [{ branches: ["b"] }] });
  const twice = mergedPayload(mergedPayload({ from: "a" }, { signal: "__proto__" }), { signal: "__proto__" });
  assertEquals(twice, { from: "a", merged: [{ signal: "__proto__" }] });
  const payload = payloadOf(
    stateOf({ payload: { merged: twice.merged! }, signals: { ["__proto__"]: { value: 5 } } }),
    loadOf(),
  );
  assertEquals(Object.entries(payload as object), [["n", 1], ["__proto__", 5]]);
});

Deno.test("the newest of several chunks has the result, and the head has a newer one still", () => {
  const load = loadOf({
    1: { a: { value: "old" }, b: { value: "b" }, c: { value: "old" } },
    2: { a: { value: "new" }, c: { value: "new" } },
  });
  const state = stateOf({ chunks: [1, 2], results: { c: { value: "head" } } });
  assertEquals(findResult(state, "a", load), { value: "new" });
  assertEquals(findResult(state, "b", load), { value: "b" });
  assertEquals(findResult(state, "c", load), { value: "head" });
  assertEquals(findResult(state, "constructor", load), undefined);
  assertEquals(allResults(state, load), { a: { value: "new" }, b: { value: "b" }, c: { value: "head" } });
});

Deno.test("a value that is not at hand is asked for, and only what is looked at", () => {
  const state = stateOf({ results: { a: LARGE, b: { value: 1 } }, signals: { go: { ref: 10, size: 1 } } });
  const context = contextOf(state, loadOf());
  assertEquals(context.input, { n: 1 });
  assertEquals(context.results.b, 1);
  assertEquals(Object.keys(context.signals), ["go"]);
  assertEquals(assertThrows(() => context.results.a, MissingValues).refs, [9]);
  assertEquals(assertThrows(() => context.signals.go, MissingValues).refs, [10]);
  assertEquals(contextOf(state, loadOf({ 9: "loaded" })).results.a, "loaded");
  assertEquals(refsOf(state).sort(), [10, 9]);
});

Deno.test("the context has the outputs of the current branches, and of names that objects have by nature only own ones", () => {
  const branch = { attempt: 0, generation: 1 };
  const state = stateOf({
    results: { constructor: { value: 1 }, ["__proto__"]: { value: 2 }, late: { value: 3 } },
    branches: {
      constructor: { ...branch, status: "completed" as const },
      ["__proto__"]: { ...branch, status: "completed" },
      late: { ...branch, status: "pending" },
      silent: { ...branch, status: "completed" },
    },
    lastNode: "constructor",
  });
  const context = expressionContext(state, loadOf());
  assertEquals(Object.entries(context.branches as object), [["constructor", 1], ["__proto__", 2]]);
  assertEquals(context.last_node, "constructor");
  assertEquals(expressionContext(stateOf({}), loadOf()).last_node, null);
  assert(!Object.hasOwn(contextOf(stateOf({}), loadOf()), "lastNode"));
});

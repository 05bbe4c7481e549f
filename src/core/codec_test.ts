import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeState, encodeState, isTrailEntry, StateFormatError } from "./codec.ts";
import { fanOf, flowOf, ok, PENDING, Run, started, task } from "./testing/fixtures.ts";

const STATE = started(flowOf([task("a")]), { n: 1 });

function refused(change: Record<string, unknown>, field: string): void {
  const error = assertThrows(() => decodeState(JSON.stringify({ ...STATE, ...change })), StateFormatError);
  assert(error.message.endsWith(field), error.message);
}

Deno.test("a state is read as it was written, names and errors of every kind included", () => {
  const run = new Run(fanOf([task("__proto__"), task("constructor")], { waitFor: ["__proto__", "constructor"] }));
  run.outcome(ok({ ["__proto__"]: 1 }), "__proto__");
  run.outcome(PENDING, "constructor");
  const state = { ...run.state, error: 'line\n"two" \u2028 \ud800' };
  const read = decodeState(encodeState(state));
  assertEquals(encodeState(read), encodeState(state));
  assertEquals(Object.keys(read.branches!).sort(), ["__proto__", "constructor"]);
  assertEquals(read.error, state.error);
});

Deno.test("what is not a state is refused", () => {
  for (const body of ["", "{", "null", "[]", "7", '"ready"']) {
    assertThrows(() => decodeState(body), StateFormatError);
  }
});

Deno.test("a newer format is refused, and the message says what to do", () => {
  assertThrows(() => decodeState(JSON.stringify({ ...STATE, schema: 2 })), StateFormatError, "run a newer engine");
});

Deno.test("a state with a field that makes no sense is refused, and the message names it", () => {
  refused({ id: "a.b" }, "id");
  refused({ flow: "" }, "flow");
  refused({ definition: 1 }, "definition");
  refused({ phase: "due" }, "phase");
  refused({ node: "a b" }, "node");
  refused({ version: 1.5 }, "version");
  refused({ generation: -1 }, "generation");
  refused({ attempt: "0" }, "attempt");
  refused({ startedAt: null }, "startedAt");
  refused({ alarm: "soon" }, "alarm");
  refused({ input: {} }, "input");
  refused({ payload: [] }, "payload");
  refused({ results: { a: { ref: "1" } } }, "results");
  refused({ signals: { go: 1 } }, "signals");
  refused({ chunks: [1, "2"] }, "chunks");
  refused({ branches: { a: null } }, "branches");
  refused({ wait: "signal" }, "wait");
  refused({ consumed: 3 }, "consumed");
  refused({ trail: {} }, "trail");
  refused({ path: "a" }, "path");
  refused({ path: [1] }, "path");
  refused({ lastNode: {} }, "lastNode");
  refused({ fanout: 1 }, "fanout");
  refused({ error: null }, "error");
  refused({ consumed: { go: "1" } }, "consumed");
  refused({ payload: { from: 1 } }, "payload");
  refused({ payload: { merged: {} } }, "payload");
  refused({ payload: { merged: [{ branches: "a" }] } }, "payload");
  refused({ branches: { a: {} } }, "branches");
  refused({ branches: { a: { status: "gone", attempt: 0, generation: 1 } } }, "branches");
  refused({ branches: { a: { status: "pending", attempt: 0, generation: 1, until: "soon" } } }, "branches");
  refused({ wait: { kind: "nothing" } }, "wait");
  refused({ wait: { kind: "signal" } }, "wait");
  refused({ wait: { kind: "retry", until: {} } }, "wait");
});

Deno.test("an entry of a trail is told from what is none", () => {
  const entries = [[3, "ready", "a", 0, 12.5], [3, "failed", "a", 2, 0, "why"], [3, "waiting", "a", 0, 7, null, ["b"]]];
  for (const entry of entries) assertEquals(isTrailEntry(entry), true, JSON.stringify(entry));
  const others = [5, null, [], {}, [3, "due", "a", 0, 1], [3, "dancing", "a", 0, 1], [3, "ready", 7, 0, 1]];
  others.push([3, "ready", "a", 0], [3, "ready", "a", 0, 1, 5], [3, "ready", "a", 0, 1, null, "b"], [
    3.5,
    "ready",
    "a",
    0,
    1,
  ]);
  for (const other of others) assertEquals(isTrailEntry(other), false, JSON.stringify(other));
});

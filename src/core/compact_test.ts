import { assertEquals } from "@std/assert";
import { CHUNK_BYTES, droppedRefs, inChunks, INLINE_RESULT_BYTES, overflow, withChunk } from "./compact.ts";
import type { State, Stored } from "./state.ts";
import { flowOf, started, task } from "./testing/fixtures.ts";

function stateOf(results: Record<string, Stored>, more: Partial<State> = {}): State {
  return { ...started(flowOf([task("a")])), results, inlineBytes: INLINE_RESULT_BYTES + 2, ...more };
}

Deno.test("results stay in the head while they are small", () => {
  assertEquals(overflow(stateOf({ a: { value: 1 } }, { inlineBytes: INLINE_RESULT_BYTES })), undefined);
});

Deno.test("the shared payload does not count: what is as large is moved with others, not one by one", () => {
  const results = { a: { value: 1 }, b: { value: "x".repeat(1_000) } };
  const sized = (inlineBytes: number) => overflow(stateOf(results, { payload: { from: "b" }, inlineBytes }));
  assertEquals(sized(INLINE_RESULT_BYTES + 1_002), undefined);
  assertEquals(sized(INLINE_RESULT_BYTES + 1_003), { a: { value: 1 } });
  const elsewhere = stateOf({ a: { value: 1 }, b: { ref: 3, size: 9 } }, { payload: { from: "b" } });
  assertEquals(overflow(elsewhere), { a: { value: 1 } });
});

Deno.test("all inline results but the shared payload move away together", () => {
  const state = stateOf({ a: { value: 1 }, b: { value: 2 }, ["__proto__"]: { value: 3 } }, { payload: { from: "b" } });
  const moved = overflow(state)!;
  assertEquals(Object.keys(moved).sort(), ["__proto__", "a"]);
  const next = withChunk(state, moved, 12);
  assertEquals(next.results, { b: { value: 2 } });
  assertEquals(next.chunks, [12]);
  assertEquals(next.inlineBytes, 1);
});

Deno.test("the last head may carry more, but not without an end", () => {
  const results = { a: { value: 1 }, b: { value: 2 } };
  const ended = (inlineBytes: number) => overflow(stateOf(results, { phase: "completed", inlineBytes }));
  assertEquals(ended(CHUNK_BYTES / 4), undefined);
  assertEquals(ended(CHUNK_BYTES / 4 + 1), results);
});

Deno.test("results are put into as few chunks as will do, in their order, however large one is", () => {
  const value = (length: number) => ({ value: "x".repeat(length) });
  const results = { a: value(40), b: value(40), c: value(500), ["__proto__"]: value(10), d: value(10) };
  const chunks = inChunks(results, 130);
  assertEquals(chunks.map((chunk) => Object.keys(chunk)), [["a", "b"], ["c"], ["__proto__", "d"]]);
  for (const chunk of [chunks[0]!, chunks[2]!]) assertEquals(JSON.stringify(chunk).length <= 130, true);
  assertEquals(inChunks({}), []);
});

Deno.test("there is nothing to move where the shared payload alone is large", () => {
  assertEquals(overflow(stateOf({ a: { value: 1 } }, { payload: { from: "a" } })), undefined);
});

Deno.test("references stay in the head, and what they refer to is not dropped when other results move", () => {
  const previous = stateOf({ a: { ref: 5, size: 9_000 }, b: { value: 2 } });
  const moved = overflow(previous)!;
  assertEquals(moved, { b: { value: 2 } });
  const next = withChunk(previous, moved, 12);
  assertEquals(next.results, { a: { ref: 5, size: 9_000 } });
  assertEquals(droppedRefs(previous, next), []);
});

Deno.test("values that a newer output or signal replaces are dropped, and chunks that were made one", () => {
  const previous = stateOf({ a: { ref: 5, size: 1 } }, { chunks: [1, 2], signals: { go: { ref: 6, size: 1 } } });
  const next = stateOf({ a: { ref: 7, size: 1 } }, { chunks: [3], signals: { go: { value: null } } });
  assertEquals(droppedRefs(previous, next).sort(), [1, 2, 5, 6]);
  assertEquals(droppedRefs(next, next), []);
});

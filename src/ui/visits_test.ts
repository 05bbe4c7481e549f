import { assertEquals } from "@std/assert";
import type { ExecutionEvent, FlowGraph } from "../../mod.ts";
import { retryDelay, visitsOf } from "./visits.ts";

const GRAPH: FlowGraph = {
  name: "flow",
  nodes: [{ id: "a", type: "task", retry: { maxAttempts: 3, backoff: "exponential" } }, { id: "s", type: "signal" }],
  edges: [],
};

/** `[time, status, node, attempt, error]`; without an attempt it was walked through. */
type Row = [number, ExecutionEvent["status"], string, number?, string?];

function history(rows: Row[]): ExecutionEvent[] {
  return rows.map(([time, status, node, attempt, error], index) => ({
    executionId: "x",
    flow: "flow",
    status,
    node,
    revision: index + 1,
    time: new Date(time),
    ...(attempt === undefined ? {} : { attempt }),
    ...(error === undefined ? {} : { error }),
  }));
}

function lines(rows: Row[]): string[] {
  return visitsOf(history(rows), GRAPH).map(({ node, result, segments }) =>
    `${node} ${result}: ${
      segments.map(({ kind, start, end, result }) => `${kind} ${start}-${end ?? ""} ${result}`).join(", ")
    }`
  );
}

Deno.test("a retry is an attempt that failed, a delay and an attempt", () => {
  assertEquals(
    lines([[0, "running", "a", 0], [100, "running", "a", 1, "no"], [1_500, "running", "s", 0], [
      1_600,
      "completed",
      "s",
      0,
    ]]),
    ["a ok: attempt 0-100 failed, delay 100-1100 ok, attempt 1100-1500 ok", "s ok: attempt 1500-1600 ok"],
  );
});

Deno.test("nodes that were walked through take no time", () => {
  assertEquals(lines([[0, "running", "a", 0], [10, "running", "choice"], [10, "waiting", "s", 0]]), [
    "a ok: attempt 0-10 ok",
    "choice ok: ",
    "s open: wait 10- open",
  ]);
});

Deno.test("a pending activity waits, and its visit fails with its execution", () => {
  assertEquals(lines([[0, "running", "a", 0], [5, "waiting", "a", 0], [50, "failed", "a", 0, "late"]]), [
    "a failed: attempt 0-5 ok, wait 5-50 failed",
  ]);
});

Deno.test("a node that is resumed is visited again", () => {
  assertEquals(
    lines([[0, "running", "a", 0], [5, "failed", "a", 0, "no"], [50, "running", "a", 0], [60, "completed", "a", 0]]),
    [
      "a failed: attempt 0-5 failed",
      "a ok: attempt 50-60 ok",
    ],
  );
});

Deno.test("delays follow the node's policy", () => {
  const node = (backoff?: "fixed" | "linear" | "exponential") => ({
    id: "a",
    type: "task" as const,
    ...(backoff === undefined ? {} : { retry: { maxAttempts: 9, backoff } }),
  });
  assertEquals([1, 2, 8].map((attempt) => retryDelay(node("exponential"), attempt)), [1_000, 2_000, 60_000]);
  assertEquals([1, 2, 80].map((attempt) => retryDelay(node("linear"), attempt)), [1_000, 2_000, 60_000]);
  assertEquals([1, 5].map((attempt) => retryDelay(node(), attempt)), [1_000, 1_000]);
});

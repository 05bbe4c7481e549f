/**
 * An assertion about the path that an execution took.
 *
 * @module
 */

import { AssertionError } from "node:assert";
import type { FlowRun } from "./run_flow.ts";

/**
 * Asserts that an execution entered exactly these nodes, in this order.
 *
 * @throws {AssertionError} Where it did not: the message shows where the paths part, and how the execution stands.
 *
 * @example
 * ```ts
 * import { assertPath, runFlow } from "@packtrail/core/testing";
 *
 * const run = await runFlow("name: f\nnodes: [{id: a, type: task, subject: s}]", { stubs: { a: { status: "ok" } } });
 * assertPath(run, ["a"]);
 * ```
 */
export function assertPath(run: FlowRun, expected: readonly string[]): void {
  const actual = run.path;
  const length = Math.max(actual.length, expected.length);
  for (let at = 0; at < length; at++) {
    if (actual[at] === expected[at]) continue;
    const before = actual.slice(0, at).join(" → ");
    const [found, wanted] = [actual[at] ?? "(nothing more)", expected[at] ?? "(nothing more)"];
    const where = before === "" ? "at the start" : `after ${before}`;
    throw new AssertionError({
      message: `the execution took another path: ${where} it entered ${found}, not ${wanted}\n${run}`,
      actual,
      expected: [...expected],
      operator: "assertPath",
    });
  }
}

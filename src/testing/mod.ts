/**
 * The testing kit: run a flow in memory with stub invokers on a virtual clock, or on a real, throw-away NATS server.
 *
 * In memory a flow goes through the same decisions as in an engine, without NATS and without waiting: a timeout of a
 * day takes no time. What it cannot show is what happens between processes; for that there is `withTestServer`.
 *
 * @example A test to copy
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defineFlow } from "@packtrail/core";
 * import { assertPath, runFlow } from "@packtrail/core/testing";
 *
 * const approval = defineFlow({
 *   name: "approval",
 *   nodes: [
 *     { id: "submit", type: "task", subject: "tasks.submit", retry: { maxAttempts: 3 } },
 *     { id: "wait", type: "signal", signalName: "answer", timeout: "24h", onTimeout: "remind" },
 *     { id: "remind", type: "task", subject: "tasks.remind" },
 *     { id: "release", type: "task", subject: "tasks.release" },
 *   ],
 *   edges: [{ from: "submit", to: "wait" }, { from: "remind", to: "wait" }, { from: "wait", to: "release" }],
 * });
 *
 * Deno.test("whoever does not answer within a day is reminded", async () => {
 *   const run = await runFlow(approval, {
 *     input: { sum: 500 },
 *     stubs: {
 *       submit: [{ status: "retry", error: "busy" }, { status: "ok" }],
 *       remind: { status: "ok" },
 *       release: ({ context }) => ({ status: "ok", payload: { released: context.signals.answer ?? null } }),
 *     },
 *     signals: [{ name: "answer", payload: "yes", at: "30h" }],
 *   });
 *   assertEquals(run.status, "completed");
 *   assertEquals(run.payload, { released: "yes" });
 *   assertPath(run, ["submit", "wait", "remind", "wait", "release"]);
 *   assertEquals(run.attemptsOf("submit").map(({ status }) => status), ["retry", "ok"]);
 *   assertEquals(run.elapsedMs, 30 * 3_600_000);
 * });
 * ```
 *
 * @module
 */

export { assertPath } from "./assert_path.ts";
export type {
  AttemptRecord,
  FlowRunOptions,
  FlowRunSignal,
  Stub,
  StubCompletion,
  StubFunction,
  StubRequest,
  StubResult,
} from "./types.ts";
export { FlowRun, runFlow } from "./run_flow.ts";
export { type TestServer, type TestServerOptions, withTestServer } from "./test_server.ts";
export type {
  Branch,
  Connection,
  Context,
  Duration,
  Execution,
  ExecutionStatus,
  ExecutionWait,
  FlowDef,
  InvokeRequest,
  Json,
  JsonObject,
  Result,
  Server,
  ServerOptions,
} from "../../mod.ts";

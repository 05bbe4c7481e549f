/** The testing kit: flows in memory on a virtual clock, and on a real server. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { defineFlow, type FlowDef, StateError, ValidationError } from "../mod.ts";
import { assertPath, type FlowRunOptions, runFlow, type Stub, withTestServer } from "../src/testing/mod.ts";
import { inSpace } from "./support/mod.ts";

const OK: Stub = { status: "ok" };
const HOUR = 3_600_000;

const approval = defineFlow({
  name: "approval",
  nodes: [
    {
      id: "submit",
      type: "task",
      subject: "tasks.submit",
      timeout: "1m",
      retry: { maxAttempts: 3, backoff: "linear" },
    },
    { id: "wait", type: "signal", signalName: "answer", timeout: "24h", onTimeout: "remind" },
    { id: "remind", type: "task", subject: "tasks.remind" },
    {
      id: "decide",
      type: "choice",
      rules: [{ when: "signals.answer.approved == true", to: "release" }, { default: true, to: "reject" }],
    },
    { id: "release", type: "task", invoker: "bank", activityTimeout: "2h" },
    { id: "reject", type: "task", subject: "tasks.reject" },
  ],
  edges: [{ from: "submit", to: "wait" }, { from: "remind", to: "wait" }, { from: "wait", to: "decide" }],
});

const stubs: FlowRunOptions["stubs"] = { submit: OK, remind: OK, release: OK, reject: OK };

Deno.test("a flow takes its path at once, however long its timeouts are", async () => {
  const run = await runFlow(approval, {
    input: { sum: 5 },
    stubs,
    signals: [{ name: "answer", payload: { approved: true }, at: "60h" }],
  });
  assertPath(run, ["submit", "wait", "remind", "wait", "remind", "wait", "decide", "release"]);
  assertEquals([run.status, run.elapsedMs], ["completed", 60 * HOUR]);
  assertEquals(run.payload, { sum: 5, answer: { approved: true } });
});

Deno.test("stubs answer by attempt, take their time, and run out of it", async () => {
  const seen: unknown[] = [];
  const run = await runFlow(approval, {
    input: { sum: 5 },
    stubs: {
      ...stubs,
      submit: [{ status: "retry", error: "busy", takes: "10s" }, { status: "ok", takes: "2m" }, {
        status: "ok",
        payload: "sent",
      }],
      reject: ({ payload, context, target, attempt, deadline, idempotencyKey }) => {
        seen.push(payload, context.results.submit, target, attempt, deadline.getTime(), idempotencyKey);
        return { status: "ok" };
      },
    },
    signals: [{ name: "answer", payload: { approved: false } }],
    startAt: new Date(1_000_000),
    id: "x1",
  });
  assertEquals(run.attemptsOf("submit"), [
    { node: "submit", generation: 1, attempt: 0, startedMs: 0, endedMs: 10_000, status: "retry", error: "busy" },
    {
      ...{ node: "submit", generation: 1, attempt: 1, startedMs: 11_000, endedMs: 71_000, status: "retry" as const },
      error: "timed out after 60000 ms",
    },
    { node: "submit", generation: 1, attempt: 2, startedMs: 73_000, endedMs: 73_000, status: "ok" },
  ]);
  assertPath(run, ["submit", "wait", "decide", "reject"]);
  const merged = { value: "sent", answer: { approved: false } };
  assertEquals(seen, [merged, "sent", "tasks.reject", 0, 1_000_000 + 73_000 + 30_000, "x1.reject.4.0"]);
});

Deno.test("what an attempt throws is a retry, and what is not a result fails it", async () => {
  const throws = await runFlow(approval, {
    stubs: {
      ...stubs,
      submit: () => {
        throw new Error("no network");
      },
    },
  });
  assertEquals([throws.status, throws.error, throws.attempts.length], ["failed", "no network", 3]);
  const wrong = await runFlow(approval, {
    stubs: { ...stubs, submit: (() => ({ status: "fine" })) as unknown as Stub },
  });
  assertStringIncludes(wrong.error!, "not ok, error, retry or pending");
  const large = await runFlow(approval, {
    maxPayloadBytes: 10,
    stubs: { ...stubs, submit: { status: "ok", payload: "x".repeat(20) } },
  });
  assertStringIncludes(large.error!, "too large");
});

Deno.test("a pending activity completes later, or its time runs out", async () => {
  const signals = [{ name: "answer", payload: { approved: true } }];
  const completes = { after: "90m", status: "ok", payload: "paid" } as const;
  const done = await runFlow(approval, { stubs: { ...stubs, release: { status: "pending", completes } }, signals });
  assertEquals([done.status, done.payload, done.elapsedMs], ["completed", "paid", 1.5 * HOUR]);
  const late = await runFlow(approval, {
    stubs: { ...stubs, release: { status: "pending", completes: { ...completes, after: "3h" } } },
    signals,
  });
  assertEquals([late.status, late.elapsedMs], ["failed", 2 * HOUR]);
  const paused = await runFlow(approval, { stubs: { ...stubs, release: { status: "pending" } }, signals, pause: true });
  assertEquals([paused.status, paused.currentNode], ["waiting", "release"]);
  await paused.complete("release", { status: "ok", payload: 1 });
  assertEquals([paused.status, paused.payload], ["completed", 1]);
  await assertRejects(() => paused.complete("release", { status: "ok" }), StateError, "not at that attempt");
  await assertRejects(() => paused.complete("submit", { status: "ok" }), StateError, "no pending activity");
});

Deno.test("a run that pauses is gone along with step by step", async () => {
  const run = await runFlow(approval, {
    stubs: { ...stubs, release: [{ status: "error", error: "no money" }, OK as { status: "ok" }] },
    pause: true,
  });
  assertEquals([run.status, run.waitSignal, run.elapsedMs], ["waiting", "answer", 0]);
  await run.advance("23h");
  assertPath(run, ["submit", "wait"]);
  await run.advance("1h");
  assertPath(run, ["submit", "wait", "remind", "wait"]);
  await run.signal("answer", { approved: true });
  assertEquals([run.status, run.error, run.elapsedMs], ["failed", "no money", 24 * HOUR]);
  await run.resume();
  assertEquals(run.status, "completed");
  await assertRejects(() => run.resume(), StateError);
  const other = await runFlow(approval, { stubs, pause: true });
  await other.cancel("enough");
  assertEquals([other.status, other.error], ["cancelled", "enough"]);
});

Deno.test("an early signal is kept, and an execution that nothing comes to is left waiting", async () => {
  const def: FlowDef = {
    name: "late",
    nodes: [
      { id: "work", type: "task", subject: "work", timeout: "10h" },
      { id: "wait", type: "signal", signalName: "go" },
      { id: "again", type: "signal", signalName: "more" },
    ],
    edges: [{ from: "work", to: "wait" }, { from: "wait", to: "again" }],
  };
  const run = await runFlow(def, {
    stubs: { work: { status: "ok", takes: "5h" } },
    signals: [{ name: "go", payload: 1, at: "1h" }, { name: "go", payload: 2, at: "2h" }],
  });
  assertEquals([run.status, run.waitSignal, run.elapsedMs], ["waiting", "more", 5 * HOUR]);
  assertEquals(run.context.signals, { go: 2 });
});

Deno.test("branches run at once, and those a decided join no longer wants are aborted", async () => {
  const def: FlowDef = {
    name: "race",
    nodes: [
      { id: "fan", type: "fanout", branches: ["slow", "quick", "broken"] },
      { id: "slow", type: "task", invoker: "agent", timeout: "1h" },
      { id: "quick", type: "task", invoker: "agent", timeout: "1h" },
      { id: "broken", type: "task", invoker: "agent" },
      { id: "join", type: "fanin", waitFor: ["slow", "quick", "broken"], joinPolicy: "any" },
      { id: "end", type: "task", subject: "end" },
    ],
    edges: [{ from: "fan", to: "join" }, { from: "join", to: "end" }],
  };
  let aborted: unknown;
  const agent: Stub = ({ nodeId, signal }) => {
    if (nodeId === "slow") signal.addEventListener("abort", () => aborted = signal.reason);
    if (nodeId === "broken") return { status: "error", error: "broken" };
    return { status: "ok", payload: nodeId, takes: nodeId === "slow" ? "30m" : "2m" };
  };
  const run = await runFlow(def, { invokers: { agent, "nats-task": OK } });
  assertEquals([run.status, run.elapsedMs], ["completed", 120_000]);
  assertPath(run, ["fan", "slow", "quick", "broken", "join", "end"]);
  assertEquals(run.attempts.map(({ node, status }) => `${node} ${status}`), [
    "slow aborted",
    "quick ok",
    "broken error",
    "end ok",
  ]);
  assertEquals((run.payload as { branches: unknown }).branches, { quick: "quick" });
  assert(aborted instanceof Error);
});

Deno.test("mistakes in a test are told at once: stubs for nothing, tasks without one, a flow that is not valid", async () => {
  const refusals: [FlowRunOptions, string][] = [
    [{ stubs: { submit: OK } }, "stubs.remind: task remind has no stub"],
    [{ stubs: { ...stubs, submitt: OK } }, 'stubs.submitt: flow approval has no task submitt; did you mean "submit"?'],
    [{ stubs, invokers: { http: OK } }, "invokers.http: flow approval has no task of kind http"],
    [{ stubs: { ...stubs, submit: [] } }, "is not a stub"],
    [{ stubs, signals: [{ name: "a.b" }] }, "signals[0].name"],
    [
      { stubs, signals: [{ name: "anwser", at: "1h" }] },
      'signals[0].name: flow approval has no node that waits for signal anwser; did you mean "answer"?',
    ],
    [{ stubs, signals: [{ name: "answer", at: "soon" }] }, "signals[0].at"],
    [{ stubs, imput: {} } as FlowRunOptions, "options.imput"],
  ];
  for (const [options, message] of refusals) {
    await assertRejects(() => runFlow(approval, options), ValidationError, message);
  }
  await assertRejects(() => runFlow("name: f\nnodes: []"), ValidationError, "nodes");
  const run = await runFlow(approval, { stubs, pause: true });
  await assertRejects(() => run.signal("anwser"), ValidationError, "name: flow approval has no node that waits");
});

Deno.test("a flow that turns in a circle for ever is found out", async () => {
  const def: FlowDef = {
    name: "circle",
    nodes: [
      { id: "begin", type: "task", subject: "a" },
      { id: "a", type: "task", subject: "a" },
      { id: "b", type: "task", subject: "b" },
    ],
    edges: [{ from: "begin", to: "a" }, { from: "a", to: "b" }, { from: "b", to: "a" }],
  };
  await assertRejects(() => runFlow(def, { invokers: { "nats-task": OK } }), Error, "does not come to an end");
});

Deno.test("assertPath says where the paths part", async () => {
  const run = await runFlow(approval, { stubs, signals: [{ name: "answer" }] });
  const error = assertThrows(() => assertPath(run, ["submit", "wait", "remind"]));
  assertStringIncludes(error.message, "after submit → wait it entered decide, not remind");
  assertThrows(() => assertPath(run, []), Error, "at the start it entered submit, not (nothing more)");
});

Deno.test("the same flow ends the same way in memory and on a real server", async () => {
  const options = { input: { sum: 5 }, signals: [{ name: "answer", payload: { approved: true } }] };
  const memory = await runFlow(approval, {
    ...options,
    stubs: {
      ...stubs,
      submit: { status: "ok", payload: { sent: true } },
      release: { status: "ok", payload: ["paid"] },
    },
  });
  await inSpace(async ({ url }) => {
    await withTestServer(async ({ engine, ended, server }) => {
      const running = await engine({
        flows: [approval],
        invokers: { bank: () => ({ status: "ok", payload: ["paid"] }) },
      });
      await running.handle("tasks.*", () => ({ status: "ok", payload: { sent: true } }));
      const id = await (await server()).start("approval", options.input);
      await running.signal(id, "answer", { approved: true });
      const execution = await ended(id);
      assertEquals([execution.status, execution.currentNode, execution.payload], [
        memory.status,
        memory.currentNode,
        memory.payload,
      ]);
      assertEquals(JSON.parse(JSON.stringify(await running.results(id))), memory.context);
      const path = (await running.history(id)).map(({ node }) => node);
      assertEquals(path.filter((node, at) => node !== path[at - 1]), memory.path);
    }, { url });
  });
});

Deno.test("withTestServer brings a NATS server of its own and leaves nothing behind", async () => {
  let url = "";
  const error = await assertRejects(() =>
    withTestServer(async (ground) => {
      url = ground.url;
      await ground.engine({ flows: [approval], invokers: { bank: () => ({ status: "ok" }) } });
      throw new Error("the test fails");
    })
  );
  assertEquals(error.message, "the test fails");
  const port = Number(new URL(url).port);
  const answer = await Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => conn.close(), (cause) => cause);
  assert(answer instanceof Deno.errors.ConnectionRefused);
});

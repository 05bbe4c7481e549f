import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { FlowDef, InvokeRequest, Json, Result, TaskDef } from "../mod.ts";
import { chain, ended, Gate, inSpace, reaches, Recorder, until } from "./support/mod.ts";

const task = (id: string, more: Partial<TaskDef> = {}): TaskDef => ({ id, type: "task", invoker: "f", ...more });
const single = (name: string, more: Partial<TaskDef> = {}): FlowDef => ({ name, nodes: [task("work", more)] });

Deno.test("a flow of tasks hands the payload on, and keeps the output of each", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId, payload }) => ({ status: "ok", payload: { from: nodeId, got: payload } }));
    const { server } = await space.engine({ flows: [chain("three", ["a", "b", "c"])], invokers: { f: f.invoke } });
    const id = await server.start("three", { seed: 1 });
    const a = { from: "a", got: { seed: 1 } };
    const b = { from: "b", got: a };
    const c = { from: "c", got: b };
    const execution = await ended(server, id);
    assertEquals([execution.status, execution.currentNode, execution.flow], ["completed", "c", "three"]);
    assertEquals(execution.payload, c);
    assertEquals([execution.attempt, execution.error], [0, undefined]);
    assert(execution.startedAt <= execution.updatedAt);
    assertEquals(await server.results(id), {
      input: { seed: 1 },
      payload: c,
      results: { a, b, c },
      signals: {},
      branches: {},
      lastNode: "c",
    });
  }));

Deno.test("an invoker is told everything about its attempt", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: { [nodeId]: true } }));
    const flow: FlowDef = {
      name: "told",
      nodes: [task("first"), task("second", { target: "jobs/{execution_id}/x/{execution_id}", timeout: "10m" })],
      edges: [{ from: "first", to: "second" }],
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke }, defaultTimeout: "1h" });
    const id = await server.start("told", { n: 1 }, { id: "told-1" });
    const before = Date.now();
    await ended(server, id);
    const [first, second] = [f.of("first")[0]!, f.of("second")[0]!];
    const { invoker, target, executionId, nodeId, attempt, generation, idempotencyKey } = second;
    assertEquals({ invoker, target, executionId, nodeId, attempt, generation, idempotencyKey }, {
      invoker: "f",
      target: "jobs/told-1/x/told-1",
      executionId: "told-1",
      nodeId: "second",
      attempt: 0,
      generation: 2,
      idempotencyKey: "told-1.second.2.0",
    });
    assertEquals(second.payload, { first: true });
    assertEquals(second.context.input, { n: 1 });
    assertEquals(second.context.results, { first: { first: true } });
    assertEquals([first.context.lastNode, second.context.lastNode], [undefined, "first"]);
    assertEquals([first.target, first.idempotencyKey], ["", "told-1.first.1.0"]);
    assert(second.signal instanceof AbortSignal && !first.signal.aborted);
    for (const [request, minutes] of [[first, 60], [second, 10]] as const) {
      const minutesLeft = (request.deadline.getTime() - before) / 60_000;
      assert(minutesLeft > minutes - 1 && minutesLeft < minutes + 1, `${minutesLeft} is about ${minutes} minutes`);
    }
  }));

Deno.test("an invoker may be a function or an object, and may answer at once or later", () =>
  inSpace(async (space) => {
    class Greeter {
      readonly #greeting = "hello";
      invoke(request: InvokeRequest): Promise<Result> {
        return Promise.resolve({ status: "ok", payload: `${this.#greeting} ${request.payload}` });
      }
    }
    const invokers = {
      now: (): Result => ({ status: "ok", payload: "world" }),
      later: new Greeter(),
    };
    const nodes = [task("a", { invoker: "now" }), task("b", { invoker: "later" })];
    const { server } = await space.engine({
      flows: [{ name: "kinds", nodes, edges: [{ from: "a", to: "b" }] }],
      invokers,
    });
    assertEquals((await ended(server, await server.start("kinds"))).payload, "hello world");
  }));

Deno.test("what an invoker does to its request changes nothing", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ payload, context }) => {
      (payload as { list: number[] }).list.push(2);
      (context.input as { list: number[] }).list.push(3);
      return { status: "ok" };
    });
    const { server } = await space.engine({ flows: [chain("two", 2)], invokers: { f: f.invoke } });
    const id = await server.start("two", { list: [1] });
    assertEquals((await ended(server, id)).payload, { list: [1] });
    assertEquals((await server.results(id)).input, { list: [1] });
  }));

Deno.test("an output replaces the payload, also when it is null; no output leaves it", () =>
  inSpace(async (space) => {
    const outputs: Record<string, Result> = {
      none: { status: "ok" },
      nothing: { status: "ok", payload: null },
      list: { status: "ok", payload: [1, "two", { three: 3 }] },
      zero: { status: "ok", payload: 0 },
      no: { status: "ok", payload: false },
      empty: { status: "ok", payload: "" },
    };
    const f = new Recorder(({ nodeId }) => outputs[nodeId]!);
    const flows = Object.keys(outputs).map((name) => ({ name, nodes: [task(name)] }));
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    for (const [name, output] of Object.entries(outputs)) {
      const id = await server.start(name, { given: true });
      const { status, payload } = await ended(server, id);
      const expected = "payload" in output ? output.payload as Json : { given: true };
      assertEquals([status, payload], ["completed", expected], name);
      assertEquals((await server.results(id)).results, "payload" in output ? { [name]: expected } : {}, name);
    }
  }));

Deno.test("a result that makes no sense fails the execution with a reason, and only that one", () =>
  inSpace(async (space) => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const cases: [unknown, RegExp][] = [
      [{ status: "done" }, /node work has status "done", not ok, error, retry or pending/],
      [{}, /has status undefined/],
      [undefined, /the result of node work is undefined, not an object with a status/],
      [null, /the result of node work is null/],
      ["ok", /the result of node work is "ok"/],
      [{ status: "ok", payload: circle }, /the output of node work is not JSON: .*(?:circular|cyclic)/i],
      [{ status: "ok", payload: 1n }, /the output of node work is not JSON: .*BigInt/],
      [{ status: "ok", payload: () => 1 }, /the output of node work is not JSON: it is a function/],
      [
        { status: "ok", payload: "x".repeat(2_000) },
        /the output of node work is too large: 2002 bytes of JSON, the limit is 1000/,
      ],
      [{ status: "ok", payload: "ü".repeat(600) }, /too large: 1202 bytes/],
      [{ status: "error", error: "no such thing" }, /^no such thing$/],
      [{ status: "error" }, /^node work said error$/],
      [{ status: "error", error: { code: 7 } }, /^{"code":7}$/],
    ];
    const f = new Recorder((request) => {
      const { index } = request.payload as { index?: number };
      return index === undefined ? { status: "ok" } : cases[index]![0] as Result;
    });
    const flow = single("strict", { retry: { maxAttempts: 3 } });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke }, maxPayloadBytes: 1_000 });
    const ids = await Promise.all(cases.map((_, index) => server.start("strict", { index })));
    const good = await server.start("strict");
    for (const [index, [, message]] of cases.entries()) {
      const { status, error, currentNode, attempt } = await ended(server, ids[index]!);
      assertEquals([status, currentNode, attempt], ["failed", "work", 0], String(message));
      assertMatch(error!, message);
    }
    assertEquals((await ended(server, good)).status, "completed");
    assertEquals(f.requests.length, cases.length + 1, "none of these is retried");
  }));

Deno.test("a thrown error fails or retries its own execution, whatever is thrown", () =>
  inSpace(async (space) => {
    const thrown: [unknown, string][] = [
      [new Error("out of order"), "out of order"],
      [new RangeError(""), "RangeError"],
      ["just text", "just text"],
      [undefined, "the invoker failed"],
      [null, "the invoker failed"],
      [{ code: 7 }, `{"code":7}`],
      [new Error("two\nlines"), "two\nlines"],
    ];
    const f = new Recorder(({ payload }) => {
      const { index, later } = payload as { index?: number; later?: boolean };
      if (index === undefined) return { status: "ok" };
      if (later) return Promise.reject(thrown[index]![0]);
      throw thrown[index]![0];
    });
    const { server } = await space.engine({ flows: [single("throws")], invokers: { f: f.invoke } });
    for (const later of [false, true]) {
      for (const [index, [, message]] of thrown.entries()) {
        const { status, error } = await ended(server, await server.start("throws", { index, later }));
        assertEquals([status, error], ["failed", message]);
      }
    }
    assertEquals((await ended(server, await server.start("throws"))).status, "completed");
    assertEquals(f.requests.length, 2 * thrown.length + 1, "a node without a policy has one attempt");
  }));

Deno.test("an invocation past its deadline is aborted and counts as a failed attempt", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const flows = [single("own", { timeout: "200ms" }), single("default")];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, defaultTimeout: "200ms" });
    const ids = await Promise.all(flows.map((flow) => server.start(flow.name)));
    for (const id of ids) {
      const { status, error } = await ended(server, id);
      assertEquals([status, error], ["failed", "timed out after 200 ms"]);
      const { signal } = f.requests.find((request) => request.executionId === id)!;
      assert(signal.aborted);
      assertStringIncludes(String(signal.reason), "timed out after 200 ms");
    }
    f.open({ status: "ok", payload: "late" });
    for (const id of ids) assertEquals((await server.get(id)).status, "failed", "a late result is dropped");
  }));

Deno.test("a signal that is looked at only after the deadline is aborted too", () =>
  inSpace(async (space) => {
    const looked = Promise.withResolvers<boolean>();
    const over = Promise.withResolvers<void>();
    const f = async (request: InvokeRequest): Promise<Result> => {
      await over.promise;
      looked.resolve(request.signal.aborted);
      return { status: "ok" };
    };
    const { server } = await space.engine({ flows: [single("slow", { timeout: 100 })], invokers: { f } });
    await ended(server, await server.start("slow"));
    over.resolve();
    assertEquals(await looked.promise, true);
  }));

Deno.test("an attempt that ends within its deadline is not aborted later", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({
      flows: [single("quick", { timeout: "150ms" })],
      invokers: { f: f.invoke },
    });
    await ended(server, await server.start("quick"));
    const { signal, deadline } = f.requests[0]!;
    await until(() => Date.now() > deadline.getTime() + 50);
    assertEquals(signal.aborted, false);
  }));

Deno.test("tasks of kind nats-task go through handlers, which see the execution's id in their subject", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "wire",
      nodes: [{ id: "triage", type: "task", subject: "tasks.triage.{execution_id}" }],
    };
    const { server } = await space.engine({ flows: [flow] });
    const seen: unknown[] = [];
    await server.handle("tasks.triage.*", ({ executionId, nodeId, payload, attempt, deadline }) => {
      seen.push({ executionId, nodeId, payload, attempt, isDate: deadline instanceof Date });
      return { status: "ok", payload: { triaged: true } };
    });
    const id = await server.start("wire", { report: "x" }, { id: "wire-1" });
    assertEquals((await ended(server, id)).payload, { triaged: true });
    assertEquals(seen, [
      { executionId: "wire-1", nodeId: "triage", payload: { report: "x" }, attempt: 0, isDate: true },
    ]);
  }));

Deno.test("a task that no worker listens for is retried, and says what to do", () =>
  inSpace(async (space) => {
    const flow: FlowDef = { name: "lonely", nodes: [{ id: "t", type: "task", subject: "nobody.home" }] };
    const { server } = await space.engine({ flows: [flow] });
    const { status, error } = await ended(server, await server.start("lonely"));
    assertEquals(status, "failed");
    assertEquals(
      error,
      `no worker listens on ${space.namespace}.nobody.home: start one, or check its namespace and subject`,
    );
  }));

Deno.test("the kind nats-task may be replaced", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ target }) => ({ status: "ok", payload: target }));
    const flow: FlowDef = { name: "own", nodes: [{ id: "t", type: "task", subject: "tasks.t" }] };
    const { server } = await space.engine({ flows: [flow], invokers: { "nats-task": f.invoke } });
    assertEquals((await ended(server, await server.start("own"))).payload, "tasks.t");
  }));

Deno.test("names that mean something to JavaScript are names like others", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: { at: nodeId } }));
    const flow = chain("__proto__", ["constructor", "__proto__", "toString"]);
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("__proto__", {}, { id: "__proto__" });
    assertEquals((await ended(server, id)).payload, { at: "toString" });
    const { results } = await server.results(id);
    assertEquals(Object.keys(results).sort(), ["__proto__", "constructor", "toString"]);
    assertEquals(Object.getOwnPropertyDescriptor(results, "__proto__")?.value, { at: "__proto__" });
    assertEquals(await server.list(), ["__proto__"]);
    assertEquals(await server.byFlow("__proto__"), ["__proto__"]);
  }));

Deno.test("no more work items are processed at once than maxConcurrency allows, over all flows", () =>
  inSpace(async (space) => {
    let [running, most] = [0, 0];
    const f = async (): Promise<Result> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      return { status: "ok" };
    };
    const flows = [chain("one", 3), chain("two", 3)];
    const { server } = await space.engine({ flows, invokers: { f }, maxConcurrency: 3 });
    const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => server.start(index % 2 ? "one" : "two")));
    for (const id of ids) assertEquals((await ended(server, id)).status, "completed");
    assertEquals(most, 3);
  }));

Deno.test("a flow with much to do does not keep another waiting", () =>
  inSpace(async (space) => {
    const f = new Gate(["busy"]);
    const flows = [chain("much", ["busy"]), chain("little", ["calm"])];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, maxConcurrency: 2 });
    await Promise.all(Array.from({ length: 30 }, () => server.start("much")));
    await until(() => f.held === 2);
    const id = await server.start("little");
    await until(() => {
      if (f.of("calm").length === 0) f.open();
      return f.of("calm").length > 0;
    }, "the calm flow to have its turn");
    assert(f.of("busy").length < 30, `the calm flow waited for ${f.of("busy").length} of 30 busy ones`);
    f.answer = () => ({ status: "ok" });
    f.open();
    assertEquals((await ended(server, id)).status, "completed");
  }));

Deno.test("an execution that waits for its turn is running", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke }, maxConcurrency: 1 });
    const ids = [await server.start("one"), await server.start("one")];
    await until(() => f.held === 1);
    for (const id of ids) await reaches(server, id, "running", "n0");
    assertEquals((await server.byStatus("running")).length, 2);
    f.open();
    await until(() => f.requests.length === 2);
    f.open();
    for (const id of ids) await ended(server, id);
  }));

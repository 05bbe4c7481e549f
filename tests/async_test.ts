import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  type AsyncInvokerOptions,
  createServer,
  type FlowDef,
  type NodeDef,
  type ServerOptions,
  ValidationError,
} from "../mod.ts";
import { ended, Gate, inSpace, reaches, Recorder, type RunningEngine, type Space, until } from "./support/mod.ts";

const KIND = "slow";

const task = (id: string, more: Partial<NodeDef & { type: "task" }> = {}): NodeDef => ({
  id,
  type: "task",
  invoker: KIND,
  ...more,
});

const one = (more: Partial<NodeDef & { type: "task" }> = {}): FlowDef => ({ name: "one", nodes: [task("work", more)] });

/** An engine with one async invoker and, where there are any, flows of it. */
async function asyncEngine(
  space: Space,
  flows: FlowDef[],
  worker: Recorder | AsyncInvokerOptions,
  more: ServerOptions = {},
): Promise<RunningEngine> {
  const options = worker instanceof Recorder ? { invoker: worker } : worker;
  return await space.engine({ flows, asyncInvokers: { [KIND]: options }, ...more });
}

/** How many jobs the queue holds, and how many of them have been delivered. */
async function queue(space: Space): Promise<{ held: number; delivered: number }> {
  const jsm = await jetstreamManager(space.nc);
  const { state } = await jsm.streams.info(space.names.asyncStream(KIND));
  const { num_ack_pending: delivered } = await jsm.consumers.info(space.names.asyncStream(KIND), "workers");
  return { held: state.messages, delivered };
}

Deno.test("an async task parks its execution, and completes it when the job is done", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const flow: FlowDef = { name: "one", nodes: [task("work", { target: "t.{execution_id}" })] };
    const { server } = await asyncEngine(space, [flow], gate);
    await server.start("one", { seed: 7 }, { id: "e" });
    const request = await gate.asked("work");
    const { status, currentNode } = await reaches(server, "e", "waiting", "work");
    assertEquals([status, currentNode], ["waiting", "work"]);
    assertEquals([request.invoker, request.target, request.executionId], [KIND, "t.e", "e"]);
    assertEquals([request.attempt, request.generation, request.idempotencyKey], [0, 1, "e.work.1.0"]);
    assertEquals([request.payload, request.context.input], [{ seed: 7 }, { seed: 7 }]);
    assert(request.deadline.getTime() > Date.now());
    gate.open({ status: "ok", payload: { done: true } });
    const execution = await ended(server, "e");
    assertEquals([execution.status, execution.payload], ["completed", { done: true }]);
    await until(async () => (await queue(space)).held === 0, "the job to be acked");
  }));

Deno.test("an async task frees its slot: one engine slot holds many parked executions", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const { server } = await asyncEngine(space, [one()], { invoker: gate, concurrency: 8 }, { maxConcurrency: 1 });
    for (let n = 0; n < 8; n++) await server.start("one", {}, { id: `e${n}` });
    await until(() => gate.held === 8, "all jobs to be under way");
    for (let n = 0; n < 8; n++) await reaches(server, `e${n}`, "waiting");
    gate.open();
    for (let n = 0; n < 8; n++) assertEquals((await ended(server, `e${n}`)).status, "completed");
  }));

Deno.test("an async result of retry, and a thrown error, are attempted again by the node's policy", () =>
  inSpace(async (space) => {
    const recorder = new Recorder((_request, call) => {
      if (call === 0) return { status: "retry", error: "not yet" };
      if (call === 1) throw new Error("broken pipe");
      return { status: "ok", payload: { calls: call + 1 } };
    });
    const { server } = await asyncEngine(space, [one({ retry: { maxAttempts: 3 } })], recorder);
    await server.start("one", {}, { id: "e" });
    assertEquals((await ended(server, "e")).payload, { calls: 3 });
    assertEquals(recorder.keys, ["e.work.1.0", "e.work.1.1", "e.work.1.2"]);
    const errors = (await server.history("e")).map((event) => event.error).filter((error) => error !== undefined);
    assert(errors.includes("not yet") && errors.includes("broken pipe"), errors.join());
  }));

Deno.test("an async invoker that returns pending, nothing or an unknown status fails its node with a reason", () =>
  inSpace(async (space) => {
    const recorder = new Recorder(({ executionId }) => {
      const results: Record<string, unknown> = {
        pending: { status: "pending" },
        none: undefined,
        odd: { status: "ja" },
      };
      return results[executionId] as never;
    });
    const { server } = await asyncEngine(space, [one({ retry: { maxAttempts: 3 } })], recorder);
    for (const id of ["pending", "none", "odd"]) await server.start("one", {}, { id });
    assertStringIncludes((await ended(server, "pending")).error!, "returned pending");
    assertStringIncludes((await ended(server, "none")).error!, "not an object with a status");
    assertStringIncludes((await ended(server, "odd")).error!, `status "ja"`);
    assertEquals(recorder.requests.length, 3, "an error is final");
  }));

Deno.test("a full queue is a retry with a clear reason, and the work is done when there is room again", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const flow = one({ retry: { maxAttempts: 60 } });
    const { server } = await asyncEngine(space, [flow], { invoker: gate, concurrency: 1, maxQueued: 2 });
    for (const id of ["a", "b"]) await server.start("one", {}, { id });
    await until(async () => (await queue(space)).held === 2, "the queue to fill");
    await server.start("one", {}, { id: "c" });
    const shed = await until(async () => {
      const execution = await server.get("c");
      return execution.error !== undefined && execution;
    });
    assertStringIncludes(shed.error!, `queue of async invoker ${KIND} is full`);
    assertStringIncludes(shed.error!, "2 jobs");
    assertEquals(shed.status, "running");
    gate.answer = () => ({ status: "ok" });
    gate.open();
    for (const id of ["a", "b", "c"]) assertEquals((await ended(server, id)).status, "completed");
  }));

Deno.test("a full queue fails a node that has no retries left", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const { server } = await asyncEngine(space, [one()], { invoker: gate, concurrency: 1, maxQueued: 1 });
    await server.start("one", {}, { id: "a" });
    await gate.asked("work");
    await server.start("one", {}, { id: "b" });
    const { status, error } = await ended(server, "b");
    assertEquals(status, "failed");
    assertStringIncludes(error!, "is full");
    gate.open();
    await ended(server, "a");
  }));

Deno.test("jobs at once never exceed the concurrency, and none is taken from the queue before its time", () =>
  inSpace(async (space) => {
    let running = 0;
    let most = 0;
    const recorder = new Recorder(async () => {
      most = Math.max(most, ++running);
      await until(() => most === 3, "three jobs to run at once");
      running--;
      return { status: "ok" };
    });
    const { server } = await asyncEngine(space, [one()], { invoker: recorder, concurrency: 3 });
    const delivered: number[] = [];
    const ids = Array.from({ length: 30 }, (_, n) => `e${n}`);
    for (const id of ids) await server.start("one", {}, { id });
    await until(async () => {
      const now = await queue(space);
      delivered.push(now.delivered);
      return now.held === 0;
    }, "the queue to empty");
    for (const id of ids) assertEquals((await ended(server, id)).status, "completed");
    assertEquals([most, Math.max(...delivered) <= 3], [3, true], `delivered at once: ${Math.max(...delivered)}`);
    assertEquals(recorder.requests.length, 30);
  }));

Deno.test("what one worker cannot start at once stays in the queue for another", () =>
  inSpace(async (space) => {
    const [mine, yours] = [new Gate(), new Gate()];
    const { server } = await asyncEngine(space, [one()], { invoker: mine, concurrency: 1 });
    for (const id of ["a", "b", "c"]) await server.start("one", {}, { id });
    await until(async () => (await queue(space)).held === 3);
    assertEquals([(await queue(space)).delivered, mine.held], [1, 1]);
    await asyncEngine(space, [one()], { invoker: yours, concurrency: 2 });
    await until(() => yours.held === 2, "the second worker to take what waits");
    assertEquals(mine.held, 1);
    mine.open();
    yours.open();
    for (const id of ["a", "b", "c"]) assertEquals((await ended(server, id)).status, "completed");
  }));

Deno.test("a job runs out of time by its kind's timeout, else by its node's, and its signal is aborted", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const flows = [one({ timeout: "300ms" }), { name: "kind", nodes: [task("own", { invoker: "strict" })] }];
    const { server } = await space.engine({
      flows,
      asyncInvokers: { [KIND]: { invoker: gate }, strict: { invoker: gate, timeout: "200ms" } },
    });
    for (const name of ["one", "kind"]) await server.start(name, {}, { id: name });
    assertStringIncludes((await ended(server, "one")).error!, "timed out after 300 ms");
    assertStringIncludes((await ended(server, "kind")).error!, "timed out after 200 ms");
    for (const request of gate.requests) assert(request.signal.aborted, request.nodeId);
    gate.open();
  }));

Deno.test("a node's activity timeout counts for its queue, too: the job is aborted and the next attempt queued", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const flow = one({ activityTimeout: "1500ms", retry: { maxAttempts: 2 } });
    const { server } = await asyncEngine(space, [flow], gate);
    await server.start("one", {}, { id: "e" });
    const first = await gate.asked("work");
    const aborted = new Promise<void>((resolve) => first.signal.addEventListener("abort", () => resolve()));
    await aborted;
    gate.answer = () => ({ status: "ok", payload: "second" });
    assertEquals((await ended(server, "e")).payload, "second");
    gate.open({ status: "ok", payload: "late" });
    await until(async () => (await queue(space)).held === 0);
    assertEquals((await server.get("e")).payload, "second");
    assertEquals(gate.keys, ["e.work.1.0", "e.work.1.1"]);
  }));

Deno.test("a cancelled execution's job is aborted while it runs, and never started while it waits", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const { server } = await asyncEngine(space, [one()], { invoker: gate, concurrency: 1 });
    await server.start("one", {}, { id: "a" });
    const request = await gate.asked("work");
    const aborted = new Promise<unknown>((resolve) => {
      request.signal.addEventListener("abort", () => resolve(request.signal.reason));
    });
    await server.start("one", {}, { id: "b" });
    await reaches(server, "b", "waiting");
    await server.cancel("b");
    await server.cancel("a", "enough");
    assertStringIncludes(String(await aborted), "no longer wanted");
    await until(async () => (await queue(space)).held === 0, "both jobs to be dropped");
    gate.open({ status: "ok", payload: "late" });
    assertEquals(gate.requests.length, 1);
    assertEquals((await server.get("a")).error, "enough");
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("a job of an execution that was removed is not done for the one that is started with its id", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const worker = { invoker: gate, concurrency: 1 };
    const { server } = await asyncEngine(space, [one()], worker, { retention: { cancelled: 500 } });
    await server.start("one", {}, { id: "busy" });
    await gate.asked("work");
    await server.start("one", { life: 1 }, { id: "e" });
    await reaches(server, "e", "waiting");
    await server.cancel("e");
    await until(async () => !(await server.list()).includes("e"), "the first one to be removed");
    await server.start("one", { life: 2 }, { id: "e" });
    await reaches(server, "e", "waiting");
    assertEquals((await queue(space)).held, 3, "the second one has a job of its own");
    gate.open();
    await ended(server, "busy");
    const { payload } = await gate.asked("work", 2);
    assertEquals(payload, { life: 2 });
    gate.open({ status: "ok", payload: "of the second" });
    assertEquals((await ended(server, "e")).payload, "of the second");
    assertEquals(gate.keys, ["busy.work.1.0", "e.work.1.0"]);
  }));

Deno.test("a job that is given up on fails no execution that was started with its id later", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const { server } = await asyncEngine(space, [one()], { invoker: gate, concurrency: 2 });
    await server.start("one", {}, { id: "e" });
    await gate.asked("work");
    const { startedAt } = await reaches(server, "e", "waiting");
    const state = { schema: 99, startedAt: startedAt.getTime() - 1 };
    const job = JSON.stringify({ id: "e", node: "work", generation: 1, attempt: 0, state });
    await jetstream(space.nc).publish(space.names.asyncJobs(KIND), job);
    await until(async () => (await server.deadLetters()).length === 1, "the dead letter");
    await until(async () => (await queue(space)).held === 1, "the job to be acked");
    gate.open({ status: "ok", payload: "done" });
    const { status, payload } = await ended(server, "e");
    assertEquals([status, payload], ["completed", "done"]);
  }));

Deno.test("branches are async: they run at once, join, and the losers of an any join are aborted", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const fan = (name: string, joinPolicy: string): FlowDef => ({
      name,
      nodes: [
        { id: "fan", type: "fanout", branches: ["x", "y", "z"] },
        ...["x", "y", "z"].map((id) => task(id)),
        { id: "join", type: "fanin", waitFor: ["x", "y", "z"], joinPolicy },
      ],
      edges: [{ from: "fan", to: "join" }],
    });
    const { server } = await asyncEngine(space, [fan("all", "all"), fan("any", "any")], gate);
    await server.start("all", {}, { id: "all" });
    await until(() => gate.held === 3, "all branches to run");
    for (const node of ["y", "x", "z"]) gate.open({ status: "ok", payload: node }, node);
    assertEquals((await ended(server, "all")).payload, { branches: { x: "x", y: "y", z: "z" } });

    await server.start("any", {}, { id: "any" });
    await until(() => gate.held === 3, "all branches to run");
    const losers = gate.requests.filter(({ executionId, nodeId }) => executionId === "any" && nodeId !== "y");
    const aborted = losers.map(({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)));
    gate.open({ status: "ok", payload: "first" }, "y");
    assertEquals((await ended(server, "any")).payload, { branches: { y: "first" } });
    await Promise.all(aborted);
    gate.open();
    await until(async () => (await queue(space)).held === 0);
  }));

Deno.test("a branch that nobody waits for sees the payload it was started with, however late it runs", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "audit",
      nodes: [
        { id: "fan", type: "fanout", branches: ["main", "side"] },
        task("main", { invoker: "f" }),
        task("side"),
        { id: "join", type: "fanin", waitFor: ["main"] },
        task("after", { invoker: "f" }),
      ],
      edges: [{ from: "fan", to: "join" }, { from: "join", to: "after" }],
    };
    const large = "x".repeat(300_000);
    const { server: client } = await space.engine({
      flows: [flow],
      invokers: { f: ({ nodeId }) => ({ status: "ok", payload: { from: nodeId } }) },
      asyncInvokers: { [KIND]: { invoker: "elsewhere" } },
    });
    await client.start("audit", { large }, { id: "e" });
    assertEquals((await ended(client, "e")).payload, { from: "after" });
    const seen = new Recorder(() => ({ status: "ok", payload: "recorded" }));
    await asyncEngine(space, [flow], seen, { invokers: { f: () => ({ status: "ok" }) } });
    const request = await seen.asked("side");
    assertEquals([request.payload, request.context.payload], [{ large }, { large }]);
    await until(async () => (await client.results("e")).results.side === "recorded", "the late result");
  }));

Deno.test("an output larger than the limit fails the node with a reason, and one below it arrives whole", () =>
  inSpace(async (space) => {
    const recorder = new Recorder(({ executionId }) => ({
      status: "ok",
      payload: "x".repeat(executionId === "fits" ? 400_000 : 600_000),
    }));
    const { server } = await asyncEngine(space, [one()], recorder);
    for (const id of ["fits", "large"]) await server.start("one", {}, { id });
    assertEquals(((await ended(server, "fits")).payload as string).length, 400_000);
    const { status, error } = await ended(server, "large");
    assertEquals(status, "failed");
    assertStringIncludes(error!, "too large");
    assertEquals(recorder.requests.length, 2);
  }));

Deno.test("a job that cannot be read is dead-lettered and blocks nothing; one whose state cannot be read fails its node", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const { server } = await asyncEngine(space, [one()], { invoker: gate, concurrency: 2 });
    await server.start("one", {}, { id: "e" });
    await reaches(server, "e", "waiting");
    await gate.asked("work");
    const subject = space.names.asyncJobs(KIND);
    space.nc.publish(subject, "no JSON");
    space.nc.publish(
      subject,
      JSON.stringify({ id: "e", node: "work", generation: 1, attempt: 0, state: { schema: 99 } }),
    );
    const { status, error } = await ended(server, "e");
    assertEquals(status, "failed");
    assertStringIncludes(error!, "cannot be read");
    const letters = await until(async () => {
      const found = await server.deadLetters();
      return found.length === 2 && found;
    });
    assertEquals(letters.map(({ source, key }) => [source, key]).sort(), [["async", "e"], ["async", subject]].sort());
    assertEquals(letters.find(({ key }) => key === subject)?.body, "no JSON");
    gate.open();
    await until(async () => (await queue(space)).held === 0);
  }));

Deno.test("what is given back by a worker that stops is taken by another", () =>
  inSpace(async (space) => {
    const [first, second] = [new Gate(), new Gate()];
    const engine = await asyncEngine(space, [one()], first, { drainTimeout: "50ms" });
    await engine.server.start("one", {}, { id: "e" });
    const { signal } = await first.asked("work");
    await reaches(engine.server, "e", "waiting");
    await engine.stop();
    assert(signal.aborted);
    const { server } = await asyncEngine(space, [one()], second);
    await second.asked("work");
    first.open({ status: "ok", payload: "of the first" });
    second.open({ status: "ok", payload: "of the second" });
    assertEquals((await ended(server, "e")).payload, "of the second");
    assertEquals(second.keys, first.keys);
  }));

Deno.test("an engine that stops waits for its jobs under way", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const engine = await asyncEngine(space, [one()], gate);
    await engine.server.start("one", {}, { id: "e" });
    await gate.asked("work");
    await reaches(engine.server, "e", "waiting");
    const stopped = engine.stop();
    gate.open({ status: "ok", payload: "done" });
    await stopped;
    assertEquals((await queue(space)).held, 0, "the job was acked");
    const { server } = await asyncEngine(space, [one()], new Gate());
    assertEquals((await ended(server, "e")).payload, "done");
  }));

Deno.test("a kind that is sync, too, or nats-task, or has bad options, is refused before any I/O", () =>
  inSpace(async (space) => {
    const f = () => ({ status: "ok" } as const);
    const bad: [Record<string, unknown>, string][] = [
      [{ invokers: { k: f }, asyncInvokers: { k: { invoker: f } } }, "asyncInvokers.k"],
      [{ asyncInvokers: { "nats-task": { invoker: f } } }, "asyncInvokers"],
      [{ asyncInvokers: { "a b": { invoker: f } } }, "asyncInvokers"],
      [{ asyncInvokers: { k: {} } }, "asyncInvokers.k.invoker"],
      [{ asyncInvokers: { k: null } }, "asyncInvokers.k"],
      [{ asyncInvokers: { k: { invoker: f, concurrency: 0 } } }, "asyncInvokers.k.concurrency"],
      [{ asyncInvokers: { k: { invoker: f, concurrency: Infinity } } }, "asyncInvokers.k.concurrency"],
      [{ asyncInvokers: { k: { invoker: f, maxQueued: -1 } } }, "asyncInvokers.k.maxQueued"],
      [{ asyncInvokers: { k: { invoker: f, maxQueued: 1.5 } } }, "asyncInvokers.k.maxQueued"],
      [{ asyncInvokers: { k: { invoker: f, timeout: "soon" } } }, "asyncInvokers.k.timeout"],
      [{ asyncInvokers: { k: { invoker: f, timeout: 0 } } }, "asyncInvokers.k.timeout"],
      [{ asyncInvokers: { k: { invoker: f, queued: 3 } } }, "asyncInvokers.k.queued"],
    ];
    for (const [options, path] of bad) {
      const error = await assertRejects(() => createServer(space.nc, options), ValidationError);
      assertEquals(error.issues[0]!.path, path, JSON.stringify(options));
    }
  }));

Deno.test("two engines with workers share 200 executions: none is lost, and every job runs once", () =>
  inSpace(async (space) => {
    const recorder = new Recorder(({ nodeId, executionId }) => ({ status: "ok", payload: { nodeId, executionId } }));
    const flow: FlowDef = {
      name: "mixed",
      nodes: [
        task("first"),
        { id: "fan", type: "fanout", branches: ["x", "y"] },
        task("x"),
        task("y", { invoker: "f" }),
        { id: "join", type: "fanin", waitFor: ["x", "y"] },
        task("last"),
      ],
      edges: [{ from: "first", to: "fan" }, { from: "fan", to: "join" }, { from: "join", to: "last" }],
    };
    const more = { invokers: { f: recorder }, resultCache: true };
    const options = { invoker: recorder, concurrency: 8 };
    const { server } = await asyncEngine(space, [flow], options, more);
    await space.engine({ flows: [flow], asyncInvokers: { [KIND]: options }, ...more }, await space.connect());
    const ids = await Promise.all(Array.from({ length: 200 }, (_, n) => server.start("mixed", {}, { id: `e${n}` })));
    await until(async () => (await server.byStatus("completed")).length === ids.length, "all executions to complete");
    assertEquals(recorder.keys.length, new Set(recorder.keys).size, "no job ran twice");
    assertEquals(recorder.keys.length, 4 * ids.length);
    assertEquals((await server.get("e7")).payload, { nodeId: "last", executionId: "e7" });
    await until(async () => (await queue(space)).held === 0, "the queue to empty");
    assertEquals(await server.deadLetters(), []);
  }));

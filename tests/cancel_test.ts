import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type FlowDef, type NodeDef, NotFoundError, type Result, StateError, ValidationError } from "../mod.ts";
import { FrailConnection } from "../faults/frail_connection.ts";
import { chain, ended, Gate, inSpace, reaches, Recorder, until } from "./support/mod.ts";

const task = (id: string, more: Partial<NodeDef & { type: "task" }> = {}): NodeDef => ({
  id,
  type: "task",
  invoker: "f",
  ...more,
});

Deno.test("a cancelled execution ends in whatever it was doing, and its late results are dropped", () =>
  inSpace(async (space) => {
    const f = new Gate(["work", "x", "y"]);
    const pending = (): Result => ({ status: "pending" });
    const retry = (): Result => ({ status: "retry", error: "busy" });
    const flows: FlowDef[] = [
      { name: "task", nodes: [task("work")] },
      { name: "signal", nodes: [{ id: "wait", type: "signal", signalName: "go", timeout: "1h" }] },
      { name: "activity", nodes: [task("parks", { invoker: "pending" })] },
      { name: "delay", nodes: [task("retries", { invoker: "retry", retry: { maxAttempts: 60 } })] },
      {
        name: "fan",
        nodes: [
          { id: "fan", type: "fanout", branches: ["x", "y"] },
          task("x"),
          task("y"),
          { id: "join", type: "fanin", waitFor: ["x", "y"] },
        ],
        edges: [{ from: "fan", to: "join" }],
      },
    ];
    const invokers = { f: f.invoke, pending, retry };
    const { server } = await space.engine({ flows, invokers });
    const other = await space.server({}, await space.connect());
    for (const { name } of flows) await server.start(name, { of: name }, { id: name });
    await until(() => f.held === 3);
    await reaches(server, "signal", "waiting");
    await reaches(server, "activity", "waiting");
    await until(async () => (await server.get("delay")).error !== undefined);
    for (const { name } of flows) {
      await other.cancel(name, `enough of ${name}`);
      const { status, error, payload, waitSignal } = await other.get(name);
      assertEquals([status, error, payload, waitSignal], ["cancelled", `enough of ${name}`, { of: name }, undefined]);
    }
    for (const { signal, nodeId } of f.requests) {
      await until(() => signal.aborted, `the invocation of ${nodeId} to be aborted`, 5_000);
    }
    f.open({ status: "ok", payload: "late" });
    await server.signal("signal", "go", "late");
    await server.completeActivity("activity", "parks", 0, { status: "ok", payload: "late" });
    assertEquals(await server.byStatus("cancelled"), ["activity", "delay", "fan", "signal", "task"]);
    assertEquals([await server.byStatus("running"), await server.byStatus("waiting")], [[], []]);
    for (const { name } of flows) {
      const { payload, error } = await server.get(name);
      assertEquals([payload, error], [{ of: name }, `enough of ${name}`]);
      assertEquals((await server.history(name)).at(-1)!.status, "cancelled");
    }
  }));

Deno.test("an execution that waits for its turn is cancelled before it ever runs", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const server = await space.server({ flows: [chain("two", 2)], invokers: { f: f.invoke } });
    const ids = ["a", "b", "c"];
    for (const id of ids) await server.start("two", {}, { id });
    await server.cancel("b");
    space.run(server);
    for (const id of ["a", "c"]) await ended(server, id);
    const cancelled = await server.get("b");
    assertEquals([cancelled.status, cancelled.currentNode], ["cancelled", "n0"]);
    assertEquals(f.keys.filter((key) => key.startsWith("b.")), []);
  }));

Deno.test("the first reason stays; what has ended, or does not exist, is left as it is", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ payload }) =>
      (payload as { fail?: true }).fail ? { status: "error", error: "bad" } : { status: "ok" }
    );
    const flows = [
      chain("one", 1),
      { name: "asks", nodes: [{ id: "w", type: "signal", signalName: "go" }] } as FlowDef,
    ];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    const [completed, failed, waiting] = [
      await server.start("one"),
      await server.start("one", { fail: true }),
      await server.start("asks"),
    ];
    for (const id of [completed, failed]) await ended(server, id);
    await server.cancel(waiting, "first");
    await server.cancel(waiting, "second");
    for (const id of [completed, failed, "nobody"]) await server.cancel(id, "too late");
    const [one, two, three] = [await server.get(completed), await server.get(failed), await server.get(waiting)];
    assertEquals([one.status, one.error], ["completed", undefined]);
    assertEquals([two.status, two.error], ["failed", "bad"]);
    assertEquals([three.status, three.error], ["cancelled", "first"]);
    assertEquals((await server.list()).length, 3);
    await server.cancel(await server.start("asks"));
  }));

Deno.test("of a cancel and a completion at the same time one wins, everywhere", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ executionId }) => ({ status: "ok", payload: { by: executionId } }));
    const { server } = await space.engine({ flows: [chain("race", 3)], invokers: { f: f.invoke } });
    const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
    await Promise.all(ids.map(async (id, index) => {
      await server.start("race", {}, { id });
      const seen = () => f.requests.filter((request) => request.executionId === id).length;
      await until(() => seen() > index % 3);
      await server.cancel(id, "raced");
    }));
    for (const id of ids) {
      const { status, error } = await ended(server, id);
      assert(status === "completed" && error === undefined || status === "cancelled" && error === "raced");
      const ends = (await server.history(id)).filter((event) => event.status !== "running");
      assertEquals(ends.map((event) => event.status), [status], "there is one end");
    }
  }));

Deno.test("a failed execution is resumed where it failed, as a new generation with a fresh budget", () =>
  inSpace(async (space) => {
    let isBroken = true;
    const f = new Recorder(({ nodeId }) => {
      if (nodeId === "n1" && isBroken) return { status: "retry", error: "broken" };
      return { status: "ok", payload: { nodeId } };
    });
    const flow = chain("resumes", 3);
    flow.nodes[1] = task("n1", { retry: { maxAttempts: 2 } });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("resumes");
    const failed = await ended(server, id);
    assertEquals([failed.status, failed.error, failed.attempt], ["failed", "broken", 1]);
    await server.resume(id);
    const again = await ended(server, id);
    assertEquals([again.status, again.attempt, again.generation], ["failed", 1, failed.generation + 1]);
    isBroken = false;
    await server.resume(id);
    const { status, error, payload } = await ended(server, id);
    assertEquals([status, error, payload], ["completed", undefined, { nodeId: "n2" }]);
    const { generation: g } = failed;
    const tried = [`${g}.0`, `${g}.1`, `${g + 1}.0`, `${g + 1}.1`, `${g + 2}.0`];
    assertEquals(f.of("n1").map(({ generation, attempt }) => `${generation}.${attempt}`), tried);
    assertEquals([f.of("n0").length, f.of("n2").length], [1, 1]);
    const statuses = (await server.history(id)).map((event) => event.status);
    assertEquals(statuses.filter((status) => status === "failed").length, 2, "the history keeps each failure");
    assertEquals(await server.byStatus("failed"), []);
  }));

Deno.test("only a failed execution can be resumed, and only once at a time", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const asks: FlowDef = { name: "asks", nodes: [{ id: "w", type: "signal", signalName: "go" }] };
    const { server } = await space.engine({ flows: [chain("one", 1), asks], invokers: { f: f.invoke } });
    const [running, waiting, cancelled] = [
      await server.start("one", {}, { id: "running" }),
      await server.start("asks", {}, { id: "waiting" }),
      await server.start("asks", {}, { id: "cancelled" }),
    ];
    await server.cancel(cancelled);
    await until(() => f.held === 1);
    for (const id of [running, waiting, cancelled]) {
      const error = await assertRejects(() => server.resume(id), StateError);
      assertStringIncludes(error.message, `execution ${id} is`);
    }
    await assertRejects(() => server.resume("nobody"), NotFoundError, "there is no execution nobody");
    f.open({ status: "error", error: "bad" });
    assertEquals((await ended(server, running)).status, "failed");
    const outcomes = await Promise.allSettled([server.resume(running), server.resume(running), server.resume(running)]);
    assertEquals(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    await until(() => f.held === 1);
    f.open();
    assertEquals((await ended(server, running)).status, "completed");
    assertEquals(f.requests.length, 2);
    await assertRejects(() => server.resume(running), StateError, "is completed");
  }));

Deno.test("a reason must be text", () =>
  inSpace(async (space) => {
    const server = await space.server();
    for (const reason of [7, {}, null]) {
      await assertRejects(() => server.cancel("x", reason as unknown as string), ValidationError, "reason");
    }
  }));

Deno.test("a resume whose answer is lost has its effect once, whatever the execution has come to since", () =>
  inSpace(async (space) => {
    const f = new Recorder(() => ({ status: "error", error: "broken" }));
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } });
    for (const answer of [{ status: "error", error: "broken again" }, { status: "ok" }] as const) {
      const frail = new FrailConnection(await space.connect());
      const client = await space.server({}, frail.nc);
      const id = await server.start("one");
      await ended(server, id);
      f.answer = () => answer;
      frail.arm("lose-reply", 0);
      await client.resume(id);
      assertEquals(frail.hasFailed, true);
      const phases = (await server.history(id)).map(({ status }) => status);
      assertEquals(phases, ["running", "failed", "running", answer.status === "ok" ? "completed" : "failed"]);
      f.answer = () => ({ status: "error", error: "broken" });
    }
  }));

Deno.test("so has one whose head the next one has put away with the trail", () =>
  inSpace(async (space) => {
    let answer: Result = { status: "ok" };
    const f = new Recorder(({ nodeId }) => nodeId === "n14" ? answer : { status: "ok" });
    const { server } = await space.engine({ flows: [chain("long", 15)], invokers: { f: f.invoke } });
    for (const next of [{ status: "error", error: "broken again" }, { status: "ok" }] as const) {
      const frail = new FrailConnection(await space.connect());
      const client = await space.server({}, frail.nc);
      answer = { status: "error", error: "broken" };
      const id = await server.start("long");
      await ended(server, id);
      answer = next;
      frail.arm("lose-reply", 0);
      await client.resume(id);
      assertEquals(frail.hasFailed, true);
      assertEquals((await ended(server, id)).status, next.status === "ok" ? "completed" : "failed");
      assertEquals(f.requests.filter(({ executionId, nodeId }) => executionId === id && nodeId === "n14").length, 2);
    }
  }));

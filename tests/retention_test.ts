/** How long ended executions, their values and their events are kept. @module */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { createServer, type FlowDef, NotFoundError, ValidationError } from "../mod.ts";
import { chain, ended, endUnacked, Gate, inSpace, Recorder, type Space, until } from "./support/mod.ts";

const FLOW: FlowDef = {
  name: "mix",
  nodes: [
    { id: "work", type: "task", invoker: "f" },
    { id: "wait", type: "signal", signalName: "go" },
  ],
  edges: [{ from: "work", to: "wait" }],
};

Deno.test("ended executions are removed after their retention, others stay, and history outlives them", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ payload }) => ({ status: (payload as { bad?: true }).bad ? "error" : "ok" }));
    const options = { flows: [FLOW], invokers: { f: f.invoke } };
    const { server } = await space.engine({ ...options, retention: { completed: "1s", cancelled: 1_000 } });
    for (const id of ["done", "gone", "live"]) await server.start("mix", {}, { id });
    await server.start("mix", { bad: true }, { id: "failed" });
    await ended(server, "failed");
    await server.signal("done", "go");
    await until(() => server.get("gone").then(({ status }) => status === "waiting"));
    await server.cancel("gone", "not needed");
    await until(async () => (await server.list()).length === 2, "the ended executions to be removed");
    assertEquals(await server.list(), ["failed", "live"]);
    await assertRejects(() => server.get("done"), NotFoundError);
    assertEquals((await server.get("failed")).status, "failed");
    assertEquals((await server.history("done")).map(({ node, status }) => [node, status]), [
      ["work", "running"],
      ["wait", "waiting"],
      ["wait", "completed"],
    ]);
    assertEquals((await server.history("gone")).at(-1)!.error, "not needed");
    const { completed, failed, cancelled, waiting } = (await server.counts()).mix!;
    assertEquals([completed, failed, cancelled, waiting], [0, 1, 0, 1]);
    // The id is free again.
    await server.start("mix", { bad: true }, { id: "done" });
    assertEquals((await ended(server, "done")).status, "failed");
  }));

Deno.test("a failed execution that was resumed in time is not removed, nor are its values", () =>
  inSpace(async (space) => {
    const large = { text: "x".repeat(8_192) };
    const f = new Recorder(({ nodeId }) => nodeId === "n0" ? { status: "ok", payload: large } : { status: "error" });
    const options = { flows: [chain("a", 2)], invokers: { f: f.invoke } };
    const { server } = await space.engine({ ...options, retention: { failed: "1s" } });
    await ended(server, await server.start("a", large, { id: "resumed" }));
    const { answer } = f;
    f.answer = () => ({ status: "ok" });
    await server.resume("resumed");
    await ended(server, "resumed");
    f.answer = answer;
    await ended(server, await server.start("a", large, { id: "left" }));
    await until(async () => !(await server.list()).includes("left"), "the other one to be removed");
    assertEquals((await server.get("resumed")).status, "completed");
    assertEquals((await server.results("resumed")).results, { n0: large });
    const jsm = await jetstreamManager(space.nc);
    await until(async () => (await jsm.streams.info(space.names.dataStream)).state.messages === 2, "the others to go");
  }));

Deno.test("the values of an execution go with it", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: { text: nodeId.padEnd(8_192, ".") } }));
    const options = { flows: [chain("a", 3)], invokers: { f: f.invoke } };
    const { server } = await space.engine({ ...options, retention: { completed: "1s" } });
    const ids = [await server.start("a", { text: "x".repeat(8_192) }), await server.start("a")];
    for (const id of ids) await ended(server, id);
    const jsm = await jetstreamManager(space.nc);
    const values = async () => (await jsm.streams.info(space.names.dataStream)).state.messages;
    assertEquals(await values(), 7);
    await until(async () => await values() === 0, "the values to be removed");
    assertEquals(await server.list(), []);
    await until(async () => {
      const { state } = await jsm.streams.info(space.names.executionStream());
      return state.messages === 0;
    }, "nothing to be left");
  }));

Deno.test("the values of an execution go with it, while its head is still being removed, but not when it is back", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: { text: nodeId.padEnd(8_192, ".") } }));
    const { server } = await space.engine({ flows: [chain("a", 2)], invokers: { f: f.invoke } });
    for (const id of ["going", "back"]) await ended(server, await server.start("a", {}, { id }));
    const jsm = await jetstreamManager(space.nc);
    const stream = space.names.executionStream();
    const removed = async (id: string, changes: object) => {
      const head = await jsm.streams.getMessage(stream, { last_by_subj: space.names.head("completed", "a", id) });
      const state = { ...head!.json<object>(), ...changes };
      await space.nc.request(space.names.removed("a", id), JSON.stringify(state));
    };
    await removed("back", { version: 1 });
    await removed("going", {});
    const values = async (id: string) => {
      const filter = space.names.dataOf(id);
      const { state } = await jsm.streams.info(space.names.dataStream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {}).length;
    };
    await until(async () => await values("going") === 0, "the values to be removed");
    await until(async () => {
      const ticks = await jsm.consumers.info(stream, "ticks");
      return ticks.num_pending + ticks.num_ack_pending === 0;
    }, "the ticks to be dealt with");
    assertEquals(await values("back"), 2);
  }));

Deno.test("what is superseded and not swept does not bring a removed execution back, and its id is free", () =>
  inSpace(async (space) => {
    const long = new Gate();
    const f = new Recorder((request) => request.executionId === "long" ? long.invoke(request) : { status: "ok" });
    const { server } = await space.engine({
      flows: [chain("a", 3)],
      invokers: { f: f.invoke },
      retention: { completed: "1s" },
    });
    // As long as its first task takes, nothing of the flow is swept.
    await server.start("a", {}, { id: "long" });
    await until(() => long.held === 1);
    for (const id of ["gone", "again"]) {
      await server.start("a", { n: 1 }, { id });
      await ended(server, id);
    }
    await until(async () => (await server.list()).length === 1, "the two to be removed");
    await assertRejects(() => server.get("gone"), NotFoundError);
    await server.start("a", { n: 2 }, { id: "again" });
    assertEquals((await ended(server, "again")).payload, { n: 2 });
    await until(async () => (await server.list()).length === 1, "it to be removed once more");
    await until(() => {
      long.open();
      return f.requests.filter(({ executionId }) => executionId === "long").length === 3 && long.held === 0;
    });
    await server.reconcile();
    assertEquals(f.requests.filter(({ executionId }) => executionId === "gone").length, 3);
    assertEquals(f.requests.filter(({ executionId }) => executionId === "again").length, 6);
  }));

Deno.test("work that was not acked when its execution ended and was removed is not done again", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("a", 2)], invokers: { f: f.invoke }, leaseTtl: 400 };
    const starter = await space.server(options);
    await starter.start("a", {}, { id: "x" });
    await endUnacked(space, "a", "x");
    assertEquals(await starter.list(), []);

    const { server } = await space.engine(options);
    const jsm = await jetstreamManager(space.nc);
    await until(async () => {
      const { state } = await jsm.streams.info(space.names.executionStream());
      return state.messages === 0;
    }, "nothing to be left");
    await assertRejects(() => server.get("x"), NotFoundError);
    assertEquals(f.requests, []);
  }));

Deno.test("retention.events is how long the event stream keeps history; what says nothing leaves it, what says more changes it", () =>
  inSpace(async (space) => {
    const flows = [chain("a", 1)];
    const invokers = { f: new Recorder().invoke };
    await (await space.server({ flows, invokers })).init();
    assertEquals(await maxAge(space), 24 * 3_600);
    await (await space.server({ flows, invokers, retention: { events: "48h" } })).init();
    assertEquals(await maxAge(space), 48 * 3_600);
    await (await space.server({ flows, invokers })).init();
    assertEquals(await maxAge(space), 48 * 3_600, "an instance that says nothing leaves it");
    await (await space.server({ flows, invokers, retention: { events: "30s" } })).init();
    assertEquals(await maxAge(space), 30);
    await (await space.server({ flows, invokers, retention: { events: "72h" } })).init();
    assertEquals(await maxAge(space), 72 * 3_600);
  }));

Deno.test("history ends with the retention of events", () =>
  inSpace(async (space) => {
    const retention = { completed: "1s", events: "2s" };
    const { server } = await space.engine({
      flows: [chain("a", 1)],
      invokers: { f: new Recorder().invoke },
      retention,
    });
    const id = await server.start("a");
    await ended(server, id);
    assert((await server.history(id)).length > 0);
    await until(async () => (await server.history(id)).length === 0, "the history to be removed");
  }));

Deno.test("a retention that makes no sense is refused by its name", async () => {
  const nc = {} as never;
  for (const field of ["completed", "failed", "cancelled", "events"]) {
    for (const value of [0, -1, NaN, Infinity, "soon", "", null]) {
      const error = await assertRejects(
        () => createServer(nc, { retention: { [field]: value } as never }),
        ValidationError,
      );
      assertEquals(error.issues[0]!.path, `retention.${field}`, String(value));
    }
  }
  await assertRejects(() => createServer(nc, { retention: { done: "1h" } as never }), ValidationError);
});

/** How long the event stream keeps what it has, in seconds. */
async function maxAge(space: Space): Promise<number> {
  const jsm = await jetstreamManager(space.nc);
  return (await jsm.streams.info(space.names.eventStream)).config.max_age / 1e9;
}

/** An id that is used again when its execution was removed: nothing of one life counts in the next. @module */

import { assertEquals, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { ConflictError, type FlowDef, type NodeDef, NotFoundError } from "../mod.ts";
import { FrailConnection } from "../faults/frail_connection.ts";
import { startNatsServer } from "../tools/nats.ts";
import { DuplicateError, natsOf } from "../src/nats/client.ts";
import { Heads } from "../src/nats/heads.ts";
import { workConsumer } from "../src/nats/provision.ts";
import { chain, ended, endUnacked, Gate, inSpace, reaches, Recorder, until } from "./support/mod.ts";

Deno.test("an id that is started again before the engines have cleared up is a new execution, and stays one", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const waits: FlowDef = {
      name: "waits",
      nodes: [
        { id: "wait", type: "signal", signalName: "go", timeout: "300ms", onTimeout: "late" },
        { id: "early", type: "task", invoker: "f" },
        { id: "late", type: "task", invoker: "f" },
      ],
      edges: [{ from: "wait", to: "early" }],
    };
    const options = { flows: [chain("works", 1), chain("other", 1), waits], invokers: { f: f.invoke }, leaseTtl: 400 };
    const client = await space.server(options);
    for (const [before, flow] of [["works", "works"], ["other", "waits"]] as const) {
      await client.start(before, { life: 1 }, { id: `x-${flow}` });
      await endUnacked(space, before, `x-${flow}`);
      await client.start(flow, { life: 2 }, { id: `x-${flow}` });
    }
    const jsm = await jetstreamManager(space.nc);
    const fired = space.names.head("due", "waits", "x-waits");
    await until(() =>
      jsm.streams.getMessage(space.names.executionStream(), { last_by_subj: fired })
        .then((message) => message !== null, () => false)
    );
    assertEquals((await client.get("x-waits")).payload, { life: 2 });

    const { server } = await space.engine(options);
    assertEquals((await ended(server, "x-waits")).currentNode, "late");
    assertEquals((await ended(server, "x-works")).payload, { life: 2 });
    assertEquals(f.requests.map(({ payload }) => payload), [{ life: 2 }, { life: 2 }]);
    await until(async () => {
      const filter = space.names.headsIn("removed");
      const { state } = await jsm.streams.info(space.names.executionStream(), { subjects_filter: filter });
      return Object.keys(state.subjects ?? {}).length === 0;
    }, "the tombstones to go");
    assertEquals(await server.list(), ["x-waits", "x-works"]);
  }));

Deno.test("after a removal, too, one of several starts under the id wins", () =>
  inSpace(async (space) => {
    const names = ["a", "b", "c"];
    const flows = names.map((name) => chain(name, 1));
    const { server } = await space.engine({
      flows,
      invokers: { f: new Recorder().invoke },
      retention: { completed: "1s" },
    });
    const clients = await Promise.all(names.map(async () => space.server({}, await space.connect())));
    const ids = Array.from({ length: 5 }, (_, index) => `x${index}`);
    for (const id of ids) await server.start("a", {}, { id });
    for (let life = 2; life <= 4; life++) {
      await until(async () => (await server.list()).length === 0, "the last life to be removed");
      await Promise.all(ids.map(async (id) => {
        const starts = await Promise.allSettled(
          clients.map((each, index) => each.start(names[index]!, { life }, { id })),
        );
        const refused = starts.flatMap((start) => start.status === "rejected" ? [start.reason] : []);
        assertEquals(refused.map((error) => error instanceof ConflictError), [true, true], String(refused));
      }));
    }
  }));

Deno.test("a start that was made before is not made again when its execution was removed, where the id is its own", () =>
  inSpace(async (space) => {
    const server = await space.server({ flows: [chain("a", 1)], invokers: { f: new Recorder().invoke } });
    await server.start("a", {}, { id: "x" });
    const heads = new Heads(await natsOf(space.nc, space.names), "engine", {});
    const { state } = (await heads.read("x"))!;
    await endUnacked(space, "a", "x");
    await assertRejects(() => heads.writeFirst(state, "again"), DuplicateError);
    const next = await heads.writeFirst({ ...state, startedAt: state.startedAt + 5_000 }, "once");
    assertEquals((await heads.read("x"))!.revision, next!.revision);
    assertEquals(await heads.writeFirst(state, "again"), undefined, "it is there");
  }));

Deno.test("mail that nobody took goes with its execution", () =>
  inSpace(async (space) => {
    const f = new Gate(["n0"]);
    const flow: FlowDef = {
      name: "f",
      nodes: [{ id: "n0", type: "task", invoker: "f" }, { id: "w", type: "signal", signalName: "go" }],
      edges: [{ from: "n0", to: "w" }],
    };
    const { server } = await space.engine({
      flows: [flow],
      invokers: { f: f.invoke },
      retention: { cancelled: "1s" },
    });
    await server.start("f", {}, { id: "x" });
    await until(() => f.held === 1);
    await server.signal("x", "go", "for the first life");
    const jsm = await jetstreamManager(space.nc);
    const mail = async () => {
      const filter = space.names.mailOf("x");
      const { state } = await jsm.streams.info(space.names.executionStream(), { subjects_filter: filter });
      return Object.keys(state.subjects ?? {}).length;
    };
    await until(async () => await mail() === 1, "the signal to be kept");
    await server.cancel("x");
    f.open();
    await until(async () => await mail() === 0, "the mail to go");
    await assertRejects(() => server.get("x"), NotFoundError);
    await server.start("f", {}, { id: "x" });
    await until(() => f.held === 1);
    f.open();
    await reaches(server, "x", "waiting", "w");
  }));

Deno.test("what was removed while nobody listened is cleared up, by an engine or by reconcile", () =>
  inSpace(async (space) => {
    const options = { flows: [chain("a", 1)], invokers: { f: new Recorder().invoke }, leaseTtl: 400 };
    const server = await space.server(options);
    await server.start("a", {}, { id: "first" });
    await endUnacked(space, "a", "first");
    const jsm = await jetstreamManager(space.nc);
    const stream = space.names.executionStream();
    const left = async () => (await jsm.streams.info(stream)).state.messages;
    await until(async () => (await server.reconcile()).swept > 0, "it to be old enough");
    assertEquals(await left(), 0);

    await server.start("a", {}, { id: "second" });
    await endUnacked(space, "a", "second");
    // As an engine has left it that knew no tombstones.
    await jsm.consumers.add(stream, workConsumer("ticks", [space.names.ticks()], 30_000));
    await space.engine(options);
    await until(async () => await left() === 0, "an engine to clear up");
  }));

Deno.test("an engine that was away has nothing to say of an execution that has gone on, whatever does not fit", async () => {
  await using nats = await startNatsServer({ config: "max_payload: 8192" });
  await inSpace(async (space) => {
    const branches = Array.from({ length: 75 }, (_, index) => `b${index}`);
    const flow: FlowDef = {
      name: "wide",
      nodes: [
        { id: "charge", type: "task", invoker: "f" },
        { id: "out", type: "fanout", branches },
        ...branches.map((id): NodeDef => ({ id, type: "task", invoker: "f" })),
        { id: "in", type: "fanin", waitFor: branches, joinPolicy: "all" },
      ],
      edges: [{ from: "charge", to: "out" }, { from: "out", to: "in" }],
    };
    const frail = new FrailConnection(await space.connect());
    const away = new Gate(["charge"]);
    const options = { flows: [flow], leaseTtl: 500 };
    await space.engine({ ...options, invokers: { f: away.invoke } }, frail.nc);
    const client = await space.server({ ...options, invokers: { f: away.invoke } });
    const id = await client.start("wide", { x: "z".repeat(1_900) });
    await until(() => away.held === 1);
    frail.freeze();
    const there = new Gate(branches);
    await space.engine({ ...options, invokers: { f: there.invoke } }, await space.connect());
    await until(() => there.held === branches.length, "the other engine to go on");
    frail.thaw();
    away.open({ status: "ok", payload: "y".repeat(1_990) });
    await until(async () => away.requests.length > 1 || (await client.get(id)).status === "failed");
    there.open();
    assertEquals((await ended(client, id)).status, "completed");
    assertEquals(await client.deadLetters(), []);
  }, { url: nats.url });
});

import { assert, assertEquals } from "@std/assert";
import { chain, ended, Gate, inSpace, Recorder, until } from "./support/mod.ts";

Deno.test("two engines share 500 executions: none is lost, and every step is invoked once", () =>
  inSpace(async (space) => {
    const [left, right] = [new Recorder(), new Recorder()];
    const flows = [chain("shared", 4)];
    const { server } = await space.engine({ flows, invokers: { f: left.invoke } }, await space.connect());
    await space.engine({ flows, invokers: { f: right.invoke } }, await space.connect());
    const ids = Array.from({ length: 500 }, (_, index) => `e${index}`);
    await Promise.all(ids.map((id) => server.start("shared", { id }, { id })));
    await until(async () => (await server.counts()).shared?.completed === 500, "500 executions to complete");
    const keys = [...left.keys, ...right.keys];
    assertEquals(keys.length, 500 * 4);
    assertEquals(new Set(keys).size, 500 * 4);
    assert(left.keys.length > 0 && right.keys.length > 0, `${left.keys.length} and ${right.keys.length}`);
    assertEquals(await server.byStatus("completed"), [...ids].sort());
    assertEquals((await server.counts()).shared, { running: 0, waiting: 0, completed: 500, failed: 0, cancelled: 0 });
  }));

Deno.test("an engine works only on the flows that it has", () =>
  inSpace(async (space) => {
    const [left, right] = [new Recorder(), new Recorder()];
    const [common, own, foreign] = [chain("common", 2), chain("own", 2), chain("foreign", 2)];
    const { server } = await space.engine({ flows: [common, own], invokers: { f: left.invoke } });
    const second = await space.server(
      { flows: [common, foreign], invokers: { f: right.invoke } },
      await space.connect(),
    );
    await second.init();
    const started = await Promise.all(["own", "foreign"].map((flow) => server.start(flow, {}, { id: `of-${flow}` })));
    assertEquals((await ended(server, started[0]!)).status, "completed");
    assertEquals((await server.get(started[1]!)).status, "running", "nobody has it yet");
    assertEquals([left.requests.length, right.requests.length], [2, 0]);
    space.run(second);
    assertEquals((await ended(server, started[1]!)).status, "completed");
    assertEquals([left.requests.length, right.requests.length], [2, 2]);
    assertEquals(right.requests.every(({ executionId }) => executionId === "of-foreign"), true);
    assertEquals([server.flows(), second.flows()], [["common", "own"], ["common", "foreign"]]);
    assertEquals(await server.listFlows(), ["common", "foreign", "own"]);
  }));

Deno.test("an engine that is stopped finishes what is in flight, gives the rest back, and nothing runs twice", () =>
  inSpace(async (space) => {
    const [left, right] = [new Gate(["n0"]), new Recorder()];
    const flows = [chain("drained", 2)];
    const first = await space.engine({ flows, invokers: { f: left.invoke }, maxConcurrency: 3 }, await space.connect());
    const ids = Array.from({ length: 12 }, (_, index) => `e${index}`);
    for (const id of ids) await first.server.start("drained", {}, { id });
    await until(() => left.held === 3);
    let hasStopped = false;
    const stopping = first.stop().then(() => hasStopped = true);
    await space.engine({ flows, invokers: { f: right.invoke } }, await space.connect());
    await until(() => right.keys.length === 9 * 2, "the other engine to do what was given back");
    assertEquals(hasStopped, false, "it waits for what is in flight");
    assertEquals(left.requests.some(({ signal }) => signal.aborted), false);
    left.open({ status: "ok", payload: "in time" });
    await stopping;
    for (const id of ids) await ended(first.server, id);
    const keys = [...left.keys, ...right.keys];
    assertEquals(keys.length, new Set(keys).size, "nothing ran twice");
    assertEquals(keys.length, 24);
    assertEquals(left.keys.length, 3, "a stopping engine takes nothing new");
  }));

Deno.test("an engine that cannot wait any longer aborts what is in flight, and another does it at once", () =>
  inSpace(async (space) => {
    const [left, right] = [new Gate(), new Recorder(() => ({ status: "ok", payload: "by another" }))];
    const flows = [chain("late", 1)];
    const options = { flows, invokers: { f: left.invoke }, drainTimeout: "200ms", leaseTtl: "10m" };
    const first = await space.engine(options, await space.connect());
    const id = await first.server.start("late");
    await until(() => left.held === 1);
    await first.stop();
    assertEquals(left.requests[0]!.signal.aborted, true);
    assertEquals((await first.server.get(id)).status, "running");
    left.open({ status: "ok", payload: "too late" });
    const second = { flows, invokers: { f: right.invoke }, leaseTtl: "10m" };
    const { server } = await space.engine(second, await space.connect());
    assertEquals((await ended(server, id)).payload, "by another", "without waiting for the lease to run out");
    assertEquals(right.keys, left.keys, "it is the same attempt");
  }));

Deno.test("what is in flight for longer than the lease stays its engine's", () =>
  inSpace(async (space) => {
    const [left, right] = [new Gate(), new Recorder()];
    const flows = [chain("slow", 1)];
    const first = await space.engine({ flows, invokers: { f: left.invoke }, leaseTtl: "300ms" }, await space.connect());
    const id = await first.server.start("slow");
    await until(() => left.held === 1);
    await space.engine({ flows, invokers: { f: right.invoke }, leaseTtl: "300ms" }, await space.connect());
    const since = performance.now();
    await until(() => performance.now() - since > 1_000, "three leases to pass");
    left.open({ status: "ok", payload: "done" });
    assertEquals((await ended(first.server, id)).payload, "done");
    assertEquals([left.requests.length, right.requests.length], [1, 0]);
  }));

Deno.test("a server runs one engine at a time, and can run again", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const engine = await space.engine({ flows: [chain("again", 1)], invokers: { f: f.invoke } });
    const { server } = engine;
    await ended(server, await server.start("again"));
    const refused = await server.run().catch((error) => error);
    assertEquals(refused.code, "STATE");
    await engine.stop();
    const id = await server.start("again");
    assertEquals((await server.get(id)).status, "running");
    space.run(server);
    assertEquals((await ended(server, id)).status, "completed");
  }));

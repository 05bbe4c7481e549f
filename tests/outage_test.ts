import { assertEquals, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { type FlowDef, UnavailableError } from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import { chain, ended, Gate, inSpace, reaches, Recorder, until, within } from "./support/mod.ts";

Deno.test("a NATS server killed and restarted loses nothing, while executions run and timers fall due", async () => {
  const storeDir = await Deno.makeTempDir({ prefix: "packtrail-store-" });
  const first = await startNatsServer({ storeDir });
  try {
    await inSpace(async (space) => {
      const hold = Promise.withResolvers<void>();
      let isDown = false;
      const f = new Recorder(async ({ nodeId, attempt, executionId }) => {
        if (nodeId === "flaky" && attempt === 0) return { status: "retry", error: "busy" };
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (isDown) await hold.promise; // ends while the server is away
        return { status: "ok", payload: { nodeId, executionId } };
      });
      const waits: FlowDef = {
        name: "waits",
        nodes: [
          { id: "ask", type: "signal", signalName: "never", timeout: "1s", onTimeout: "gave-up" },
          { id: "gave-up", type: "task", invoker: "f" },
        ],
      };
      const retries: FlowDef = {
        name: "retries",
        nodes: [{ id: "flaky", type: "task", invoker: "f", retry: { maxAttempts: 2 } }],
      };
      const flows = [chain("busy", 10), waits, retries];
      const { server } = await space.engine({ flows, invokers: { f: f.invoke }, leaseTtl: "2s", maxConcurrency: 8 });
      const ids = await Promise.all(Array.from({ length: 30 }, (_, n) => server.start("busy", {}, { id: `b${n}` })));
      for (let n = 0; n < 5; n++) {
        ids.push(await server.start("waits", {}, { id: `w${n}` }), await server.start("retries", {}, { id: `r${n}` }));
      }
      for (let n = 0; n < 5; n++) await reaches(server, `w${n}`, "waiting", "ask");
      await until(() => f.requests.length > 60 && f.of("flaky").length === 5);
      isDown = true;
      await first.kill();
      const downSince = performance.now();
      await until(() => performance.now() - downSince > 1_200, "the timers to fall due while the server is away");
      isDown = false;
      hold.resolve();
      const second = await startNatsServer({ storeDir, port: first.port });
      try {
        for (const id of ids) assertEquals((await ended(server, id)).status, "completed", id);
        assertEquals(new Set(f.keys).size, 30 * 10 + 5 + 2 * 5, "every step ran");
        for (let n = 0; n < 5; n++) assertEquals((await server.get(`w${n}`)).currentNode, "gave-up");
        const { payload } = await server.get("b7");
        assertEquals(payload, { nodeId: "n9", executionId: "b7" });
        assertEquals((await server.history("b7")).length, 11, "the history has no gap");
        assertEquals(await server.deadLetters(), []);
        await space.end();
      } finally {
        await second.stop();
      }
    }, { url: first.url });
  } finally {
    await first.kill();
    await Deno.remove(storeDir, { recursive: true });
  }
});

Deno.test("an engine whose consumers are deleted under it makes them again and goes on", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const flow: FlowDef = {
      name: "asks",
      nodes: [
        { id: "before", type: "task", invoker: "f" },
        { id: "wait", type: "signal", signalName: "go" },
        { id: "after", type: "task", invoker: "f" },
      ],
      edges: [{ from: "before", to: "wait" }, { from: "wait", to: "after" }],
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    await server.start("asks", {}, { id: "early" });
    await reaches(server, "early", "waiting");
    const jsm = await jetstreamManager(space.nc);
    const stream = space.names.executionStream();
    for (const [from, consumer] of [[stream, "flow-asks"], [space.names.inboxStream, "inbox"]] as const) {
      assertEquals(await jsm.consumers.delete(from, consumer), true);
    }
    await server.start("asks", {}, { id: "later" });
    await reaches(server, "later", "waiting");
    for (const id of ["early", "later"]) {
      await server.signal(id, "go");
      assertEquals((await ended(server, id)).status, "completed");
    }
    const keys = [...new Set(f.keys)].sort();
    assertEquals(keys, ["early.after.3.0", "early.before.1.0", "later.after.3.0", "later.before.1.0"]);
    assertEquals(f.of("after").length, 2, "what was done after the loss was done once");
  }));

Deno.test("an engine that loses its connection for a while keeps what it has in hand", async () => {
  await using nats = await startNatsServer();
  await inSpace(async (space) => {
    const f = new Gate(["n0"]);
    const nc = await space.connect();
    const flows = [chain("two", 2)];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, leaseTtl: "2s" }, nc);
    const id = await server.start("two");
    await until(() => f.held === 1);
    await nc.reconnect();
    f.open({ status: "ok", payload: "done" });
    assertEquals((await ended(await space.server(), id)).payload, "done");
    assertEquals(f.requests.length, 2);
  }, { url: nats.url });
});

Deno.test("an engine whose connection is closed for good ends, and says so", () =>
  inSpace(async (space) => {
    const nc = await space.connect();
    const server = await space.server({ flows: [chain("one", 1)], invokers: { f: () => ({ status: "ok" }) } }, nc);
    const running = server.run();
    await ended(server, await server.start("one"));
    await nc.close();
    await assertRejects(() => running, UnavailableError, "the NATS connection was closed");
  }));

Deno.test("an engine whose connection is closed for good does not wait for what it is at: nobody could be told", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const nc = await space.connect();
    const flow: FlowDef = { name: "one", nodes: [{ id: "held", type: "task", invoker: "f", timeout: "1h" }] };
    const options = { flows: [flow], invokers: { f: f.invoke }, drainTimeout: "1h" };
    const server = await space.server(options, nc);
    const running = server.run();
    await server.start("one");
    await until(() => f.held === 1);
    await nc.close();
    await assertRejects(() => within(running, "the engine to end"), UnavailableError, "connection was closed");
  }));

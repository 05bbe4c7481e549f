/** Payloads too large for a head. @module */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import {
  type FlowDef,
  type InvokeRequest,
  type Json,
  type NodeDef,
  NotFoundError,
  PayloadTooLargeError,
  type Result,
} from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import { chain, ended, inSpace, reaches, Recorder, type Space, until } from "./support/mod.ts";

const KB = 1_024;

/** Text that no two calls share. */
function large(mark: string, bytes = 8 * KB): { mark: string; text: string } {
  return { mark, text: mark.padEnd(bytes, ".") };
}

async function bytesOf(space: Space, stream: "executions" | "data"): Promise<{ messages: number; bytes: number }> {
  const jsm = await jetstreamManager(space.nc);
  const { state } = await jsm.streams.info(`${space.namespace}-${stream}`);
  return { messages: state.messages, bytes: state.bytes };
}

Deno.test("large starts, outputs, signals and branches come back whole, and take no room in the head", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "large",
      nodes: [
        { id: "one", type: "task", invoker: "f" },
        { id: "fan", type: "fanout", branches: ["left", "right"] },
        { id: "left", type: "task", invoker: "f" },
        { id: "right", type: "task", invoker: "f" },
        { id: "join", type: "fanin", waitFor: ["left", "right"], joinPolicy: "all" },
        { id: "wait", type: "signal", signalName: "go" },
        { id: "last", type: "task", invoker: "f" },
      ],
      edges: [
        { from: "one", to: "fan" },
        { from: "fan", to: "join" },
        { from: "join", to: "wait" },
        { from: "wait", to: "last" },
      ],
    };
    const seen: Record<string, Json> = {};
    const f = new Recorder(({ nodeId, payload, context }): Result => {
      if (nodeId === "last") Object.assign(seen, { payload, context: JSON.parse(JSON.stringify(context)) });
      return nodeId === "last" ? { status: "ok" } : { status: "ok", payload: large(nodeId) };
    });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("large", large("input"));
    await reaches(server, id, "waiting");
    await server.signal(id, "go", large("signal"));
    const { payload, signals, branches } = await ended(server, id);
    const expected = {
      ...large("one"),
      branches: { left: large("left"), right: large("right") },
      go: large("signal"),
    };
    assertEquals(payload, expected);
    assertEquals(seen.payload, expected);
    assertEquals(signals, { go: large("signal") });
    assertEquals(branches!.left!.result, large("left"));
    const context = await server.results(id);
    assertEquals(seen.context, { ...context, lastNode: context.lastNode! });
    assertEquals(context.input, large("input"));
    assertEquals(Object.keys(context.results).sort(), ["left", "one", "right"]);
    const jsm = await jetstreamManager(space.nc);
    const head = await jsm.streams.getMessage(space.names.executionStream(), {
      last_by_subj: space.names.headsOf("large", id),
    });
    assert(head!.data.length < 4 * KB, `the head has ${head!.data.length} bytes`);
  }));

Deno.test("a step publishes the same however much came before it", () =>
  inSpace(async (space) => {
    const nodes = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const published: number[] = [];
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: large(nodeId, 64 * KB) }));
    // An engine writes on a connection of its own, whose bytes are counted as it begins each step.
    const nc = await space.connect();
    const counting = (request: InvokeRequest): Promise<Result> | Result => {
      published.push(nc.stats().outBytes);
      return f.invoke(request);
    };
    const { server } = await space.engine({ flows: [chain("hundred", nodes)], invokers: { f: counting } }, nc);
    const id = await server.start("hundred");
    assertEquals((await ended(server, id)).payload, large("n99", 64 * KB));
    const steps = published.slice(1).map((bytes, index) => bytes - published[index]!);
    const [early, late] = [steps.slice(5, 25), steps.slice(-20)].map((some) => some.reduce((a, b) => a + b) / 20);
    assert(early! > 64 * KB && early! < 72 * KB, `an early step publishes ${early} bytes`);
    assert(late! < early! + 6 * KB, `a late step publishes ${late} bytes, an early one ${early}`);
    const { results } = await server.results(id);
    assertEquals(Object.keys(results).length, 100);
    for (const node of nodes) assertEquals((results[node] as { mark: string }).mark, node);
    const { messages } = await bytesOf(space, "data");
    assertEquals(messages, 100);
  }));

Deno.test("an invoker that does not read the context costs the same however much came before, also on a new engine", () =>
  inSpace(async (space) => {
    const nodes = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const f = new Recorder(({ nodeId, payload }) => {
      if (nodeId === "n50") return new Promise<Result>(() => {});
      return {
        status: "ok",
        payload: { ...large(nodeId, 16 * KB), after: (payload as { mark?: string }).mark ?? null },
      };
    });
    const options = { flows: [chain("sixty", nodes)], invokers: { f: { invoke: f.invoke, readsContext: false } } };
    const first = await space.engine({ ...options, drainTimeout: 1 });
    const id = await first.server.start("sixty");
    await f.asked("n50");
    await first.stop();
    const { answer } = f;
    f.answer = (request, call) => answer({ ...request, nodeId: `${request.nodeId}!` } as InvokeRequest, call);
    // Nothing is cached there: what it reads is what its steps need.
    const nc = await space.connect();
    await space.engine(options, nc);
    const reader = await space.server();
    await ended(reader, id);
    const { inBytes } = nc.stats();
    assert(inBytes < 20 * 16 * KB, `ten steps have read ${inBytes} bytes`);
    const { results } = await reader.results(id);
    assertEquals(Object.keys(results).length, 60);
    assertEquals((results.n50 as { after: string }).after, "n49");
  }));

Deno.test("hundreds of small outputs are moved out together, merged, and all found again", () =>
  inSpace(async (space) => {
    const nodes = Array.from({ length: 150 }, (_, index) => `n${index}`);
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: large(nodeId, 1_900) }));
    const { server } = await space.engine({ flows: [chain("many", nodes)], invokers: { f: f.invoke } });
    const id = await server.start("many");
    await ended(server, id);
    const { results } = await server.results(id);
    for (const node of nodes) assertEquals(results[node] as Json, large(node, 1_900));
    assertEquals(Object.keys(f.of("n149")[0]!.context.results).length, 149);
    await until(async () => (await bytesOf(space, "data")).messages <= 33, "chunks that were merged to be removed");
    assert((await bytesOf(space, "executions")).bytes < 64 * KB);
  }));

Deno.test("a cycle that overwrites its large outputs leaves none of them behind", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "cycle",
      nodes: [
        { id: "begin", type: "task", invoker: "f" },
        { id: "big", type: "task", invoker: "f" },
        { id: "small", type: "task", invoker: "f" },
        { id: "again", type: "choice", rules: [{ when: "payload.n < 40", to: "big" }, { default: true, to: "end" }] },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [{ from: "begin", to: "big" }, { from: "big", to: "small" }, { from: "small", to: "again" }],
    };
    let n = 0;
    const f = new Recorder(({ nodeId }) => {
      if (nodeId === "small") return { status: "ok", payload: { n: ++n, ...large(`small-${n}`, 1_800) } };
      return { status: "ok", payload: { n, ...large(`${nodeId}-${n}`) } };
    });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("cycle");
    await ended(server, id);
    const { results } = await server.results(id);
    assertEquals((results.big as { mark: string }).mark, "big-39");
    assertEquals((results.small as { mark: string }).mark, "small-40");
    await until(async () => (await bytesOf(space, "data")).messages <= 36, "what was overwritten to be removed");
    assertEquals((await server.reconcile()).orphans, 0);
  }));

Deno.test("an execution can be read at any time while its outputs are overwritten", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "cycle",
      nodes: [
        { id: "begin", type: "task", invoker: "f" },
        { id: "big", type: "task", invoker: "f" },
        { id: "again", type: "choice", rules: [{ when: "payload.n < 60", to: "big" }, { default: true, to: "end" }] },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [{ from: "begin", to: "big" }, { from: "big", to: "again" }],
    };
    let n = 0;
    const f = new Recorder(() => ({ status: "ok", payload: { n: ++n, ...large(`${n}`) } }));
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const reader = await space.server({}, await space.connect()); // which has nothing cached
    const id = await server.start("cycle");
    for (let status = "running"; status === "running";) {
      const execution = await reader.get(id);
      status = execution.status;
      await reader.results(id);
    }
    assertEquals((await reader.get(id)).status, "completed");
  }));

Deno.test("what is over the limit is refused at the start and for a signal, before anything is written", () =>
  inSpace(async (space) => {
    const server = await space.server({
      flows: [chain("a", 1)],
      invokers: { f: new Recorder().invoke },
      maxPayloadBytes: 1_000,
    });
    const error = await assertRejects(() => server.start("a", large("x")), PayloadTooLargeError);
    assertEquals([error.code, error.limit], ["PAYLOAD_TOO_LARGE", 1_000]);
    assert(error.size > 8 * KB);
    await assertRejects(() => server.start("a", { text: "ü".repeat(600) }), PayloadTooLargeError);
    await assertRejects(() => server.signal("a", "s", "x".repeat(999)), PayloadTooLargeError);
    await assertRejects(() => server.scheduleFlow("s", "a", "0 0 0 1 1 *", large("x")), PayloadTooLargeError);
    assertEquals(await server.list(), []);
    await server.start("a", { text: "x".repeat(989) }); // 1,000 bytes exactly
  }));

Deno.test("an output over the limit fails its node with a reason, at a join its branch, and nothing hangs", () =>
  inSpace(async (space) => {
    const flow = (name: string, joinPolicy: "all" | "any"): FlowDef => ({
      name,
      nodes: [
        { id: "fan", type: "fanout", branches: ["good", "large"] },
        { id: "good", type: "task", invoker: "f" },
        { id: "large", type: "task", invoker: "f" },
        { id: "join", type: "fanin", waitFor: ["good", "large"], joinPolicy },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [{ from: "fan", to: "join" }, { from: "join", to: "end" }],
    });
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: nodeId === "large" ? large("x") : { nodeId } }));
    const flows = [flow("all", "all"), flow("any", "any"), chain("one", ["large"])];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, maxPayloadBytes: 4_000 });
    const one = await ended(server, await server.start("one"));
    assertEquals(one.status, "failed");
    assertMatch(one.error!, /the output of node large is too large: \d+ bytes of JSON, the limit is 4000/);
    const all = await ended(server, await server.start("all"));
    assertEquals([all.status, all.currentNode, all.branches!.large!.status], ["failed", "join", "failed"]);
    assertMatch(
      all.error!,
      /fan-in join needs 2 of 2 branches, 1 failed: large: the output of node large is too large/,
    );
    assertEquals((await ended(server, await server.start("any"))).status, "completed");
  }));

Deno.test("a value that was deleted fails the execution with a reason, at a task and at a choice", () =>
  inSpace(async (space) => {
    const choice: FlowDef = {
      name: "choice",
      nodes: [
        { id: "big", type: "task", invoker: "f" },
        { id: "wait", type: "task", invoker: "f" },
        {
          id: "pick",
          type: "choice",
          rules: [{ when: `results.big.mark == "big"`, to: "end" }, { default: true, to: "end" }],
        },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [{ from: "big", to: "wait" }, { from: "wait", to: "pick" }],
    };
    const held = new Map<string, (result: Result) => void>();
    const f = new Recorder(({ nodeId, executionId }): Result | Promise<Result> => {
      if (nodeId === "big") return { status: "ok", payload: large("big") };
      return nodeId === "wait" ? new Promise((resolve) => held.set(executionId, resolve)) : { status: "ok" };
    });
    const flows = [choice, chain("task", ["big", "wait", "end"])];
    const nc = await space.connect();
    const first = await space.engine({ flows, invokers: { f: f.invoke }, drainTimeout: "100ms" }, nc);
    const ids = [await first.server.start("choice"), await first.server.start("task")];
    await until(() => held.size === 2);
    await first.stop();
    const jsm = await jetstreamManager(space.nc);
    await jsm.streams.purge(space.names.dataStream);
    f.answer = ({ nodeId }) => ({ status: "ok", ...(nodeId === "wait" ? {} : { payload: 1 }) });
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    for (const id of ids) {
      const error = await until(async () => {
        const event = (await server.recent()).find(({ executionId }) => executionId === id);
        return event?.status === "failed" && event.error;
      }, `${id} to fail`);
      assertMatch(error as string, /value \d+ of the data stream is gone/);
      await assertRejects(() => server.get(id), NotFoundError, "of the data stream is gone");
      const letter = (await server.deadLetters()).find(({ key }) => key === id);
      assertEquals([letter?.source, letter?.reason], ["work", error as string]);
    }
    assertEquals(await ended(server, await server.start("task")).then(({ status }) => status), "completed");
  }));

Deno.test("an invoker that changes what it is given changes nothing in the execution", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId, payload, context }): Result => {
      if (nodeId === "one") return { status: "ok", payload: { keep: { small: true } } };
      if (nodeId === "big") return { status: "ok", payload: { keep: large("big") } };
      if (nodeId === "spoil") {
        for (const target of [payload, context.payload, context.input, context.results.one, context.results.big]) {
          const object = target as Record<string, unknown>;
          for (const key of Object.keys(object)) delete object[key];
          object.spoilt = true;
        }
        (context as unknown as Record<string, unknown>).results = {};
        return { status: "ok" };
      }
      return { status: "ok", payload: { payload, input: context.input, results: { ...context.results } } };
    });
    const { server } = await space.engine({
      flows: [chain("a", ["one", "big", "spoil", "end"])],
      invokers: { f: f.invoke },
    });
    const id = await server.start("a", { given: 1 });
    const { payload } = await ended(server, id);
    assertEquals(payload, {
      payload: { keep: large("big") },
      input: { given: 1 },
      results: { one: { keep: { small: true } }, big: { keep: large("big") } },
    });
    const { results } = await server.results(id);
    assertEquals(results.one, { keep: { small: true } });
  }));

const BRANCHES = Array.from({ length: 60 }, (_, index) => `b${index}`);

/** A fan-out whose branches together give more than a small server takes in one message, and whose join is the end. */
const FAN: FlowDef = {
  name: "fan",
  nodes: [
    { id: "out", type: "fanout", branches: BRANCHES },
    ...BRANCHES.map((id): NodeDef => ({ id, type: "task", invoker: "f" })),
    { id: "in", type: "fanin", waitFor: BRANCHES, joinPolicy: "all" },
  ],
  edges: [{ from: "out", to: "in" }],
};

Deno.test("a head that the NATS server does not take fails its execution, and its effect is not made again", async () => {
  await using nats = await startNatsServer({ config: "max_payload: 8192" });
  await inSpace(async (space) => {
    const f = new Recorder(() => ({ status: "ok", payload: "y".repeat(1_990) }));
    const branches = BRANCHES.slice(0, 40);
    const flow: FlowDef = {
      name: "wide",
      nodes: [
        ...["look", "charge"].map((id): NodeDef => ({ id, type: "task", invoker: "f" })),
        { id: "out", type: "fanout", branches },
        ...branches.map((id): NodeDef => ({ id, type: "task", invoker: "f" })),
        { id: "in", type: "fanin", waitFor: branches, joinPolicy: "all" },
      ],
      edges: [{ from: "look", to: "charge" }, { from: "charge", to: "out" }, { from: "out", to: "in" }],
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const { status, currentNode, error, id } = await ended(
      server,
      await server.start("wide", { x: "z".repeat(2_000) }),
    );
    assertEquals([status, currentNode], ["failed", "charge"]);
    assertMatch(error!, /is too large: \d+ bytes of JSON, the limit is 8192/);
    assertEquals(f.keys, [`${id}.look.1.0`, `${id}.charge.2.0`]);
    const [letter] = await server.deadLetters();
    assertEquals([letter!.key, letter!.reason], [id, error!]);
  }, { url: nats.url });
});

Deno.test("where the NATS server takes only small messages its limit holds, with the same clear errors", async () => {
  await using nats = await startNatsServer({ config: "max_payload: 65536" });
  await inSpace(async (space) => {
    const f = new Recorder(({ payload }) => ({
      status: "ok",
      payload: large("out", (payload as { size: number }).size),
    }));
    const { server } = await space.engine({ flows: [chain("a", ["one", "two"]), FAN], invokers: { f: f.invoke } });
    const error = await assertRejects(() => server.start("a", large("x", 70 * KB)), PayloadTooLargeError);
    assertEquals(error.limit, 65_536 - 4_096);
    const fine = await ended(server, await server.start("a", { size: 55 * KB }));
    assertEquals(fine.status, "completed");
    const failed = await ended(server, await server.start("a", { size: 70 * KB }));
    assertEquals([failed.status, failed.currentNode], ["failed", "one"]);
    assertMatch(failed.error!, /the output of node one is too large: \d+ bytes of JSON, the limit is 61440/);
    const many = await ended(server, await server.start("fan", { size: 1_900 }));
    assertEquals([many.status, Object.keys((await server.results(many.id)).results).length], ["completed", 60]);
    space.nc.publish(`${space.namespace}.in.start.a`, "\u0001".repeat(60_000));
    const [letter] = await until(async () => {
      const letters = await server.deadLetters();
      return letters.length > 0 && letters;
    }, "a dead letter") as Awaited<ReturnType<typeof server.deadLetters>>;
    assertEquals(letter!.isCut, true);
    const wide = await space.server({ flows: [chain("wide", 2_000)], invokers: { f: f.invoke } });
    const refused = await assertRejects(() => wide.init(), PayloadTooLargeError);
    assertMatch(refused.message, /^the definition of flow wide is too large: \d+ bytes of JSON, the limit is 65536$/);
    assert(refused.size > refused.limit && refused.limit === 65_536, refused.message);
  }, { url: nats.url });
});

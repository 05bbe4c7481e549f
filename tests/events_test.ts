/** Events, history and listings on a real NATS server. @module */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { headers } from "@nats-io/nats-core";
import { type ExecutionEvent, type FlowDef, NotFoundError, type Server, ValidationError } from "../mod.ts";
import { HEAD_HEADER } from "../src/nats/head.ts";
import { MAX_WAITING } from "../src/nats/events.ts";
import {
  chain,
  ended,
  Gate,
  inSpace,
  reaches,
  Recorder,
  RemoteInvoker,
  type Space,
  startEngineProcess,
  streamsOf,
  until,
  within,
} from "./support/mod.ts";

/** Goes round `rounds` times: a task and a choice each. */
function cycle(rounds: number): FlowDef {
  return {
    name: "cycle",
    nodes: [
      { id: "begin", type: "task", invoker: "f" },
      { id: "step", type: "task", invoker: "f" },
      {
        id: "again",
        type: "choice",
        rules: [{ when: `payload.n < ${rounds}`, to: "step" }, { default: true, to: "end" }],
      },
      { id: "end", type: "task", invoker: "f" },
    ],
    edges: [{ from: "begin", to: "step" }, { from: "step", to: "again" }],
  };
}

const brief = ({ status, node, attempt, error }: ExecutionEvent) => [status, node, attempt ?? null, error ?? null];

Deno.test("history tells every node, attempt, status, error and time in order, visited nodes included", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "all",
      nodes: [
        { id: "try", type: "task", invoker: "f", retry: { maxAttempts: 2, backoff: "fixed" } },
        { id: "choose", type: "choice", rules: [{ default: true, to: "fan" }] },
        { id: "fan", type: "fanout", branches: ["left", "right"] },
        { id: "left", type: "task", invoker: "f" },
        { id: "right", type: "task", invoker: "f" },
        { id: "join", type: "fanin", waitFor: ["left", "right"], joinPolicy: "all" },
        { id: "wait", type: "signal", signalName: "go", timeout: "300ms", onTimeout: "end" },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [
        { from: "try", to: "choose" },
        { from: "fan", to: "join" },
        { from: "join", to: "wait" },
        { from: "wait", to: "end" },
      ],
    };
    const f = new Recorder(({ nodeId, attempt }) => {
      return nodeId === "try" && attempt === 0 ? { status: "retry", error: "first\nof two" } : { status: "ok" };
    });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const before = Date.now();
    const id = await server.start("all");
    const { startedAt, updatedAt, revision } = await ended(server, id);
    const history = await server.history(id);
    const told = history.map(brief);
    assertEquals(told.filter(([, node]) => node !== "join"), [
      ["running", "try", 0, null],
      ["running", "try", 1, "first of two"],
      ["running", "choose", null, null],
      ["running", "fan", null, null],
      ["waiting", "wait", 0, null],
      ["running", "end", 0, null],
      ["completed", "end", 0, null],
    ]);
    const joins = told.filter(([, node]) => node === "join");
    assert(
      joins.length >= 1 && joins.every(([status]) => status === "running"),
      "the execution stands at the join while branches run",
    );
    assertEquals(told[4]!.slice(0, 2), ["running", "join"]);
    assertInOrder(history);
    assertEquals(history[0]!.time, startedAt);
    assertEquals(history.at(-1)!.time, updatedAt);
    assertEquals(history.at(-1)!.revision, revision);
    assert(Math.abs(startedAt.getTime() - before) < 60_000);
    for (const event of history) assertEquals([event.executionId, event.flow], [id, "all"]);
    assertEquals(await server.history(id, { limit: 2 }), history.slice(-2), "the limit keeps the latest");
    assertEquals(await server.history("unknown"), []);
    await assertRejects(() => server.history(id, { limit: 0 }), ValidationError);
  }));

for (const rounds of [10, 20, 60]) {
  Deno.test(`history of a cycle of ${rounds} rounds has no gap and no duplicate`, () =>
    inSpace(async (space) => {
      const f = new Recorder(({ nodeId, payload }) => {
        const { n = 0 } = payload as { n?: number };
        return { status: "ok", payload: { n: nodeId === "step" ? n + 1 : n } };
      });
      const { server } = await space.engine({ flows: [cycle(rounds)], invokers: { f: f.invoke } });
      const watched = watch(server);
      const id = await server.start("cycle");
      await ended(server, id);
      assertEquals(f.of("step").length, rounds);
      const history = await server.history(id);
      const steps = Array.from({ length: rounds }, () => ["step", "again"]).flat();
      assertEquals(history.map(({ node }) => node), ["begin", ...steps, "end", "end"]);
      assertInOrder(history);
      await until(() => watched.events.length === history.length, "all events");
      assertEquals(watched.events.map(plain), history.map(plain), "events and history tell the same");
      await watched.stop();
    }));
}

Deno.test("history goes on without a gap where an engine was killed", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    const nodes = Array.from({ length: 40 }, (_, index) => `n${index}`);
    const flows = [chain("long", nodes, "remote")];
    await using first = await startEngineProcess(space, { flows, leaseTtl: "500ms" });
    const held = Promise.withResolvers<void>();
    remote.answer = ({ owner, node }) => {
      if (node !== "n20" || owner !== first.owner) return { status: "ok" };
      held.resolve();
      return new Promise(() => {});
    };
    const server = await space.server();
    const id = await server.start("long");
    await within(held.promise, "node n20 to be under way");
    await first.kill();
    await using _second = await startEngineProcess(space, { flows, leaseTtl: "500ms" });
    assertEquals((await ended(server, id)).status, "completed");
    const history = await server.history(id);
    assertEquals(history.map(({ node }) => node), [...nodes, "n39"]);
    assertInOrder(history);
  }));

Deno.test("history shows failures, resumes and cancellations", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const { server } = await space.engine({ flows: [chain("a", ["one", "two"])], invokers: { f: f.invoke } });
    const id = await server.start("a");
    await until(() => f.held === 1);
    f.open({ status: "error", error: "broken" });
    await reaches(server, id, "failed");
    await server.resume(id);
    await f.asked("one", 2);
    f.open();
    await f.asked("two");
    await server.cancel(id, "enough");
    await ended(server, id);
    assertEquals((await server.history(id)).map(brief), [
      ["running", "one", 0, null],
      ["failed", "one", 0, "broken"],
      ["running", "one", 0, null],
      ["running", "two", 0, null],
      ["cancelled", "two", 0, "enough"],
    ]);
    f.open();
  }));

Deno.test("a watch gets every event from the call on, and ends when it is aborted", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("a", 2)], invokers: { f: f.invoke } });
    await ended(server, await server.start("a", {}, { id: "before" }));
    const stop = new AbortController();
    const events = server.watchEvents({ signal: stop.signal });
    await ended(server, await server.start("a", {}, { id: "after" }));
    const seen: ExecutionEvent[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.status === "completed") stop.abort();
    }
    assertEquals(seen.map(({ executionId, node, status }) => [executionId, node, status]), [
      ["after", "n0", "running"],
      ["after", "n1", "running"],
      ["after", "n1", "completed"],
    ]);
    for (const event of seen) assertEquals([event.missed, event.writer === undefined], [undefined, false]);
  }));

Deno.test("a watch ends however it is left: broken off, returned from, aborted while waiting, aborted before", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: new Recorder().invoke } });
    const left = server.watchEvents();
    await server.start("a");
    for await (const _event of left) break;
    assertEquals(await left[Symbol.asyncIterator]().next(), { done: true, value: undefined });

    const unread = server.watchEvents()[Symbol.asyncIterator]();
    await unread.return!();
    assertEquals((await unread.next()).done, true);

    const stop = new AbortController();
    const waiting = server.watchEvents({ signal: stop.signal })[Symbol.asyncIterator]();
    const both = [waiting.next(), waiting.next()];
    stop.abort();
    for (const next of both) assertEquals((await within(next, "a watch to end")).done, true);

    const late = server.watchEvents({ signal: stop.signal })[Symbol.asyncIterator]();
    assertEquals((await late.next()).done, true);
    await assertRejects(async () => await server.watchEvents({ sginal: stop.signal } as never), ValidationError);
  }));

Deno.test("a watch ends with its connection, after what has come", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: new Recorder().invoke } });
    await server.init();
    const nc = await space.connect();
    const observer = await space.server({}, nc);
    const events = observer.watchEvents();
    await nc.flush();
    await ended(server, await server.start("a"));
    await nc.flush();
    await nc.close();
    const seen: string[] = [];
    for await (const event of events) seen.push(event.status);
    assertEquals(seen, ["running", "completed"]);
  }));

Deno.test("a reader that is too slow is told how many events it missed, and holds nobody up", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: new Recorder().invoke } });
    await server.init();
    const stop = new AbortController();
    const events = server.watchEvents({ signal: stop.signal })[Symbol.asyncIterator]();
    const total = MAX_WAITING + 2_500;
    await publishEvents(space, total);
    await ended(server, await server.start("a")); // on the watch's connection, after all of them
    const first = (await events.next()).value!;
    assertEquals(first.missed, 2_502, "two more came with the execution");
    assertEquals(first.revision, 2_503, "the oldest are missed, not the latest");
    for (let count = 1; count < MAX_WAITING; count++) {
      const { value } = await events.next();
      assertEquals(value!.missed, undefined);
      if (count === MAX_WAITING - 1) assertEquals(value!.status, "completed");
    }
    await server.start("a");
    assertEquals((await events.next()).value!.missed, undefined);
    stop.abort();
    assertEquals((await events.next()).done, true);
  }));

Deno.test("an observer of a namespace that does not exist sees nothing, and creates nothing", () =>
  inSpace(async (space) => {
    const server = await space.server();
    assertEquals(await server.list(), []);
    assertEquals(await server.recent(), []);
    assertEquals(await server.byStatus("running"), []);
    assertEquals(await server.byFlow("a"), []);
    assertEquals(await server.history("a"), []);
    assertEquals(await server.deadLetters(), []);
    assertEquals(await server.schedules(), []);
    assertEquals(await server.counts(), {});
    assertEquals(await server.reconcile(), { checked: 0, swept: 0, orphans: 0, redriven: 0 });
    assertEquals(await server.unschedule("a"), false);
    await assertRejects(() => server.get("a"), NotFoundError);
    await server.watchEvents()[Symbol.asyncIterator]().return!();
    assertEquals(await streamsOf(space.nc, space.namespace), []);
  }));

Deno.test("recent pages through the latest changes of more executions than fit a page, each once", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ payload }) => ({ status: (payload as { bad?: boolean }).bad ? "error" : "ok" }));
    const { server } = await space.engine({ flows: [chain("a", 2), chain("b", 1)], invokers: { f: f.invoke } });
    const ids = await Promise.all(Array.from({ length: 300 }, (_, index) => {
      return server.start(index % 3 === 0 ? "b" : "a", { bad: index % 10 === 0 });
    }));
    for (const id of ids) await ended(server, id);
    const paged: ExecutionEvent[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await server.recent({ limit: 70, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) break;
      paged.push(...page);
      before = page.at(-1)!.revision;
    }
    assertEquals(paged.map(({ executionId }) => executionId).sort(), [...ids].sort());
    const revisions = paged.map(({ revision }) => revision);
    assertEquals(revisions, [...revisions].sort((left, right) => right - left));
    assertEquals((await server.byStatusEvents("failed")).length, 30);
    assertEquals((await server.byFlowEvents("b")).length, 100);
    assertEquals(await server.byFlowEvents("b", { limit: 7 }), (await server.byFlowEvents("b")).slice(0, 7));
    assertEquals((await server.recent({ flow: "a", status: "completed", limit: 500 })).length, 180);
    const { a, b } = await server.counts();
    assertEquals([a!.completed, a!.failed, b!.completed, b!.failed], [180, 20, 90, 10]);
    assertEquals([a!.running, b!.running], [0, 0], "whether what is superseded was swept or not");
  }));

Deno.test("counts agree with the executions, whatever lingers and whatever holds the sweeping up", () =>
  inSpace(async (space) => {
    const f = new Gate(["held"]);
    const answers = new Map([["shaky", { status: "error" as const, error: "x" }]]);
    const gate = f.answer;
    f.answer = (request, call) => answers.get(request.nodeId) ?? gate(request, call);
    const flow: FlowDef = {
      name: "mix",
      nodes: [
        {
          id: "route",
          type: "choice",
          rules: [
            { when: `payload.to == "held"`, to: "held" },
            { when: `payload.to == "wait"`, to: "wait" },
            { when: `payload.to == "shaky"`, to: "shaky" },
            { default: true, to: "done" },
          ],
        },
        { id: "held", type: "task", invoker: "f", timeout: "1h" },
        { id: "wait", type: "signal", signalName: "go" },
        { id: "shaky", type: "task", invoker: "f" },
        { id: "done", type: "task", invoker: "f" },
      ],
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const start = (to: string, count: number) =>
      Promise.all(Array.from({ length: count }, () => server.start("mix", { to })));
    const held = await start("held", 2);
    await until(() => f.held === 2);
    const [waiting, shaky, done] = [await start("wait", 4), await start("shaky", 5), await start("done", 30)];
    for (const id of [...shaky, ...done]) await ended(server, id);
    const counted = async () => {
      const { running, waiting, completed, failed, cancelled } = (await server.counts()).mix!;
      return [running, waiting, completed, failed, cancelled];
    };
    assertEquals(await counted(), [2, 4, 30, 5, 0]);
    answers.clear();
    await server.resume(shaky[0]!);
    await ended(server, shaky[0]!);
    await server.signal(waiting[0]!, "go");
    await server.cancel(waiting[1]!);
    await server.cancel(held[0]!);
    await ended(server, waiting[0]!);
    assertEquals(await counted(), [1, 2, 32, 4, 2]);
    for (const status of ["running", "waiting", "completed", "failed", "cancelled"] as const) {
      assertEquals((await server.byStatus(status)).length, (await server.counts()).mix![status], status);
    }
    f.open();
    await ended(server, held[1]!);
    assertEquals(await counted(), [0, 2, 33, 4, 2]);
  }));

function assertInOrder(history: readonly ExecutionEvent[]): void {
  for (const [index, event] of history.entries()) {
    const previous = history[index - 1];
    if (previous === undefined) continue;
    assert(previous.revision <= event.revision && previous.time <= event.time, `${index}: ${JSON.stringify(event)}`);
  }
}

function plain({ writer: _writer, ...event }: ExecutionEvent): unknown {
  return event;
}

function watch(server: Server): { events: ExecutionEvent[]; stop(): Promise<void> } {
  const stop = new AbortController();
  const events: ExecutionEvent[] = [];
  const watched = server.watchEvents({ signal: stop.signal });
  const done = (async () => {
    for await (const event of watched) events.push(event);
  })();
  return {
    events,
    stop: () => {
      stop.abort();
      return within(done, "a watch to end");
    },
  };
}

/** Publishes events as the server republishes heads, on the space's connection. */
async function publishEvents(space: Space, count: number): Promise<void> {
  for (let index = 1; index <= count; index++) {
    const note = headers();
    note.set(HEAD_HEADER, JSON.stringify({ v: 1, n: "n0", a: 0, g: 1, t: index, w: "x.y-1" }));
    note.set("Nats-Sequence", String(index));
    space.nc.publish(space.names.events("ready", `e-${index}`, "a"), "", { headers: note });
    if (index % 1_000 === 0) await space.nc.flush();
  }
  await space.nc.flush();
}

import { assert, assertEquals, assertRejects } from "@std/assert";
import { jetstream } from "@nats-io/jetstream";
import { type ExecutionEvent, type FlowDef, type JsonObject, NotFoundError } from "../mod.ts";
import { chain, ended, inSpace, reaches, Recorder, type Space, streamsOf, until, within } from "./support/mod.ts";

const asks: FlowDef = {
  name: "asks",
  nodes: [{ id: "before", type: "task", invoker: "f" }, { id: "wait", type: "signal", signalName: "go" }],
  edges: [{ from: "before", to: "wait" }],
};

/** One execution of each status: completed, failed, cancelled, waiting (`asks`), running (retrying for long). */
async function oneOfEach(space: Space) {
  const f = new Recorder(({ payload }) => {
    return (payload as { fail?: true }).fail ? { status: "error", error: "bad\nluck" } : { status: "ok" };
  });
  const busy: FlowDef = {
    name: "busy",
    nodes: [{ id: "work", type: "task", invoker: "never", retry: { maxAttempts: 60, backoff: "exponential" } }],
  };
  const never = () => ({ status: "retry" as const, error: "not yet" });
  const invokers = { f: f.invoke, never };
  const { server } = await space.engine({ flows: [chain("one", 1), asks, busy], invokers });
  await ended(server, await server.start("one", {}, { id: "completed" }));
  await ended(server, await server.start("one", { fail: true }, { id: "failed" }));
  await server.start("asks", {}, { id: "cancelled" });
  await reaches(server, "cancelled", "waiting");
  await server.cancel("cancelled", "enough");
  await server.start("asks", {}, { id: "waiting" });
  await reaches(server, "waiting", "waiting");
  await server.start("busy", {}, { id: "running" });
  await until(async () => (await server.get("running")).error !== undefined);
  return server;
}

const STATUSES = ["cancelled", "completed", "failed", "running", "waiting"] as const;
const ids = (events: readonly ExecutionEvent[]) => events.map((event) => event.executionId);

Deno.test("executions are listed by status and by flow, and counted", () =>
  inSpace(async (space) => {
    const server = await oneOfEach(space);
    assertEquals(await server.list(), [...STATUSES]);
    for (const status of STATUSES) {
      assertEquals([status, await server.byStatus(status)], [status, [status]]);
      const events = await server.byStatusEvents(status);
      assertEquals(events.map((event) => [event.executionId, event.status]), [[status, status]]);
      assertEquals((await server.get(status)).status, status);
    }
    assertEquals(await server.byFlow("asks"), ["cancelled", "waiting"]);
    assertEquals(await server.byFlow("none"), []);
    assertEquals(ids(await server.byFlowEvents("one")), ["failed", "completed"], "newest change first");
    const none = { running: 0, waiting: 0, completed: 0, failed: 0, cancelled: 0 };
    assertEquals(await server.counts(), {
      asks: { ...none, waiting: 1, cancelled: 1 },
      busy: { ...none, running: 1 },
      one: { ...none, completed: 1, failed: 1 },
    });
    const [failed] = await server.byStatusEvents("failed");
    assertEquals([failed!.error, failed!.node, failed!.flow], ["bad luck", "n0", "one"]);
    assert(failed!.time instanceof Date && failed!.revision > 0);
  }));

Deno.test("work that was superseded before any engine acked it is not counted as running", () =>
  inSpace(async (space) => {
    const engine = await space.engine({ flows: [chain("one", 1)], invokers: { f: () => ({ status: "ok" }) } });
    await ended(engine.server, await engine.server.start("one"));
    await engine.stop();
    const [left] = [await engine.server.start("one"), await engine.server.start("one")];
    const { names, nc } = space;
    const taken = await (await jetstream(nc).consumers.get(names.executionStream(), names.flowConsumer("one"))).next();
    assertEquals(names.parseHead(taken!.subject)?.id, left);
    // A crash between the last commit and its ack.
    const body = JSON.stringify({ ...taken!.json<JsonObject>(), phase: "completed" });
    await jetstream(nc).publish(taken!.subject.replace(".ready.", ".completed."), body);
    assertEquals(await engine.server.counts(), {
      one: { running: 1, waiting: 0, completed: 2, failed: 0, cancelled: 0 },
    });
  }));

Deno.test("recent changes come newest first, page by page, by status and flow", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("one", 1), asks], invokers: { f: f.invoke } });
    const expected: string[] = [];
    for (let n = 0; n < 25; n++) {
      const [flow, status] = n % 2 ? ["one", "completed"] as const : ["asks", "waiting"] as const;
      const id = await server.start(flow, {}, { id: `e${n}` });
      await reaches(server, id, status);
      expected.unshift(id);
    }
    assertEquals(ids(await server.recent()), expected);
    assertEquals(ids(await server.recent({ limit: 4 })), expected.slice(0, 4));
    const paged: ExecutionEvent[] = [];
    for (let before: number | undefined;; before = paged.at(-1)!.revision) {
      const page = await server.recent({ limit: 10, ...(before === undefined ? {} : { before }) });
      paged.push(...page);
      if (page.length < 10) break;
    }
    assertEquals(ids(paged), expected);
    assert(paged.every((event, index) => index === 0 || event.revision < paged[index - 1]!.revision));
    const odd = expected.filter((_, index) => index % 2 === 1);
    assertEquals(ids(await server.recent({ status: "completed" })), odd);
    assertEquals(ids(await server.recent({ flow: "one", limit: 3 })), odd.slice(0, 3));
    assertEquals(await server.recent({ flow: "asks", status: "completed" }), []);
    assertEquals(ids(await server.byStatusEvents("completed", { limit: 2 })), odd.slice(0, 2));
    assertEquals(ids(await server.byFlowEvents("one", { limit: 2 })), odd.slice(0, 2));
  }));

Deno.test("recent changes have no gap and nothing twice, whether much or little of what there is matches", () =>
  inSpace(async (space) => {
    const rare: FlowDef = { ...asks, name: "rare" };
    const { server } = await space.engine({
      flows: [chain("one", 1), rare],
      invokers: { f: () => ({ status: "ok" }) },
    });
    await server.init();
    const ids = { one: [] as string[], rare: [] as string[] };
    for (let round = 0; round < 30; round++) {
      ids.rare.push(await server.start("rare"));
      ids.one.push(...await Promise.all(Array.from({ length: 25 }, () => server.start("one"))));
    }
    await until(async () => {
      const counts = await server.counts();
      return counts.one?.completed === ids.one.length && counts.rare?.waiting === ids.rare.length;
    }, "all to come to rest");
    const pages = async (filter: Parameters<typeof server.recent>[0], limit: number) => {
      const seen: ExecutionEvent[] = [];
      for (let before = Infinity;;) {
        const page = await server.recent({ ...filter, limit, ...(before === Infinity ? {} : { before }) });
        seen.push(...page);
        if (page.length < limit) break;
        before = page.at(-1)!.revision;
      }
      assertEquals(seen, seen.toSorted((left, right) => right.revision - left.revision));
      return seen.map(({ executionId }) => executionId).sort();
    };
    const all = [...ids.one, ...ids.rare].sort();
    assertEquals(await pages({}, 1_000), all);
    assertEquals(await pages({}, 100), all);
    assertEquals(await pages({ flow: "one" }, 70), ids.one.toSorted());
    assertEquals(await pages({ flow: "rare" }, 7), ids.rare.toSorted());
    assertEquals(await pages({ status: "completed" }, 300), ids.one.toSorted());
    assertEquals(await pages({ status: "waiting" }, 7), ids.rare.toSorted());
    assertEquals(await pages({ status: "cancelled" }, 7), []);
  }));

Deno.test("what does not exist is not found; its history is empty", () =>
  inSpace(async (space) => {
    const server = await oneOfEach(space);
    for (const call of [() => server.get("nobody"), () => server.results("nobody")]) {
      const error = await assertRejects(call, NotFoundError, "there is no execution nobody");
      assertEquals(error.code, "NOT_FOUND");
    }
    await assertRejects(() => server.flowGraph("nothing"), NotFoundError, "nothing");
    assertEquals(await server.history("nobody"), []);
    assertEquals(await server.unschedule("nothing"), false);
  }));

Deno.test("an observer sees what there is, and creates nothing", () =>
  inSpace(async (space) => {
    const observer = await space.server({}, await space.connect());
    const watching = new AbortController();
    const events = observer.watchEvents({ signal: watching.signal });
    const readAll = async () => [
      await observer.list(),
      await observer.byStatus("running"),
      await observer.byFlow("one"),
      await observer.byStatusEvents("failed"),
      await observer.byFlowEvents("one"),
      await observer.recent(),
      await observer.history("x"),
      await observer.listFlows(),
      await observer.deadLetters(),
      await observer.schedules(),
    ];
    for (const result of await readAll()) assertEquals(result, []);
    assertEquals([await observer.counts(), observer.flows()], [{}, []]);
    await assertRejects(() => observer.get("x"), NotFoundError);
    await assertRejects(() => observer.results("x"), NotFoundError);
    await assertRejects(() => observer.flowGraph("one"), NotFoundError);
    assertEquals(await streamsOf(space.nc, space.namespace), []);
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } });
    await ended(server, await server.start("one", {}, { id: "x" }));
    const seen = (await Array.fromAsync(firstOf(events, 2))).map((event) => event.status);
    watching.abort();
    assertEquals(seen, ["running", "completed"]);
    assertEquals([await observer.list(), await observer.listFlows()], [["x"], ["one"]]);
    assertEquals((await observer.get("x")).status, "completed");
    assertEquals((await observer.flowGraph("one")).nodes.map((node) => node.id), ["n0"]);
  }));

/** The first events of a watch. */
async function* firstOf(events: AsyncIterable<ExecutionEvent>, count: number): AsyncGenerator<ExecutionEvent> {
  for await (const event of events) {
    yield event;
    if (--count === 0) return;
  }
}

Deno.test("events are watched from the call itself, in order, and the watch ends when it is aborted", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("three", 3)], invokers: { f: f.invoke } });
    await ended(server, await server.start("three", {}, { id: "before" }));
    const watching = new AbortController();
    const events = server.watchEvents({ signal: watching.signal });
    await space.nc.flush();
    await ended(server, await server.start("three", {}, { id: "after" })); // before anybody reads
    const seen: ExecutionEvent[] = [];
    const reading = (async () => {
      for await (const event of events) seen.push(event);
    })();
    await until(() => seen.at(-1)?.status === "completed");
    watching.abort();
    await within(reading, "the watch to end");
    assertEquals(seen.map(({ executionId, node, status }) => [executionId, node, status]), [
      ["after", "n0", "running"],
      ["after", "n1", "running"],
      ["after", "n2", "running"],
      ["after", "n2", "completed"],
    ]);
    const watched = seen.map(({ writer: _writer, ...event }) => event);
    assertEquals(watched, await server.history("after"), "what is watched is what the history says");
    for await (const _event of server.watchEvents({ signal: AbortSignal.abort() })) assert(false);
  }));

Deno.test("a watch that is left ends by itself", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } });
    const events = server.watchEvents();
    await server.start("one");
    for await (const event of events) {
      assertEquals(event.flow, "one");
      break;
    }
  }));

Deno.test("a flow's graph says what the flow is", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      version: "1.0",
      name: "drawn",
      nodes: [
        { id: "ask", type: "signal", signalName: "go", timeout: "1h", onTimeout: "late" },
        { id: "route", type: "choice", rules: [{ when: "payload.go == 1", to: "late" }, { default: true, to: "end" }] },
        { id: "late", type: "task", invoker: "f", target: "t" },
        { id: "end", type: "task", subject: "tasks.end" },
      ],
      edges: [{ from: "ask", to: "route" }],
    };
    const server = await space.server({ flows: [flow], invokers: { f: () => ({ status: "ok" }) } });
    await server.init();
    const observer = await space.server();
    const graph = await server.flowGraph("drawn");
    assertEquals(await observer.flowGraph("drawn"), graph);
    assertEquals(graph.nodes.map(({ id, type }) => [id, type]), [
      ["ask", "signal"],
      ["route", "choice"],
      ["late", "task"],
      ["end", "task"],
    ]);
    const edges = graph.edges.map(({ from, to }) => `${from}>${to}`);
    for (const edge of ["ask>route", "ask>late", "route>late", "route>end"]) assert(edges.includes(edge), edge);
  }));

Deno.test("a server never owns its connection", () =>
  inSpace(async (space) => {
    const nc = await space.connect();
    {
      await using server = await space.server(
        { flows: [chain("one", 1)], invokers: { f: () => ({ status: "ok" }) } },
        nc,
      );
      const running = server.run();
      await server.handle("tasks.x", () => ({ status: "ok" }));
      await ended(server, await server.start("one"));
      await server.close();
      await running;
      await server.close();
    }
    assertEquals(nc.isClosed(), false);
    await nc.flush();
    const answer = await nc.request(space.names.task("tasks.x"), "{}", { timeout: 5_000 }).catch((error) =>
      error.message
    );
    assertEquals(String(answer).includes("no responders"), true, "its handlers are gone");
  }));

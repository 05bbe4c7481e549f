import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import {
  consoleLogger,
  createServer,
  type FlowDef,
  NotFoundError,
  type ServerOptions,
  ValidationError,
} from "../mod.ts";
import { checkOptions } from "../src/server/options.ts";
import { chain, ended, Gate, inSpace, Recorder, type Space, until, untouchable } from "./support/mod.ts";

const BAD_COUNTS: unknown[] = [0, -1, NaN, Infinity, -Infinity, 1.5, "5", null, {}, [], true, 2 ** 53];
const BAD_DURATIONS: unknown[] = [0, -1, NaN, Infinity, "", "soon", "10", "-5s", "0s", "1d", "5 s", null, {}, true];
const BAD_NAMES: unknown[] = ["", "a.b", "a b", "a*", ">", "a\r\nb", "ü", "x".repeat(129), 7, null, {}];
const BAD_TABLES: unknown[] = [null, [], "x", 7, true];

/** Expects a server not to be made of options, with an error that names the field, and without any I/O. */
async function assertRefused(space: Space, options: unknown, path: string): Promise<void> {
  const { nc, touches } = untouchable(space.nc);
  const label = `${path}: ${Deno.inspect(options, { depth: 1 })}`;
  const error = await createServer(nc, options as ServerOptions).then(
    () => assert(false, `accepted ${label}`),
    (error) => error,
  );
  assert(error instanceof ValidationError, `${label}: ${error}`);
  assertEquals(error.code, "VALIDATION");
  assertEquals(error.issues[0]?.path, path, label);
  assertStringIncludes(error.message, error.issues[0]!.message, label);
  assertEquals(touches, [], label);
}

Deno.test("a bad value of an option is refused before any I/O, with the option's name", () =>
  inSpace(async (space) => {
    const f = () => ({ status: "ok" });
    const bad: [string, unknown[]][] = [
      ["namespace", [...BAD_NAMES, "x".repeat(65)]],
      ["flowsDir", [7, null, {}, ["flows"]]],
      ["flows", ["text", {}, null, 7]],
      ["invokers", BAD_TABLES],
      ["asyncInvokers", BAD_TABLES],
      ["resultCache", [null, 7, "yes", []]],
      ["reconcile", [true, null, 7, "", "* * * * *", "* * * * * * *", "61 * * * * *", "x y z a b c", {}]],
      ["ownerId", BAD_NAMES],
      ["maxConcurrency", BAD_COUNTS],
      ["maxDeliver", BAD_COUNTS],
      ["maxPayloadBytes", BAD_COUNTS],
      ["leaseTtl", [...BAD_DURATIONS, 1, "50ms"]],
      ["defaultTimeout", BAD_DURATIONS],
      ["drainTimeout", BAD_DURATIONS],
      ["retention", BAD_TABLES],
      ["logger", [null, {}, console.log, "x", { debug() {}, info() {}, warn() {} }]],
    ];
    for (const [path, values] of bad) {
      for (const value of values) await assertRefused(space, { [path]: value }, path);
    }
    for (const field of ["completed", "failed", "cancelled", "events"]) {
      for (const value of BAD_DURATIONS) {
        await assertRefused(space, { retention: { [field]: value } }, `retention.${field}`);
      }
    }
    for (const ttl of BAD_DURATIONS) {
      await assertRefused(space, { resultCache: { ttl } }, "resultCache.ttl");
    }
    for (const kind of ["", "a.b", "a b", "x".repeat(129)]) {
      await assertRefused(space, { invokers: { [kind]: f } }, "invokers");
      await assertRefused(space, { asyncInvokers: { [kind]: { invoker: f } } }, "asyncInvokers");
    }
    for (const invoker of [null, 7, {}, "f", { invoke: 1 }]) {
      await assertRefused(space, { invokers: { f: invoker } }, "invokers.f");
    }
    for (const value of BAD_COUNTS) {
      await assertRefused(
        space,
        { asyncInvokers: { f: { invoker: f, concurrency: value } } },
        "asyncInvokers.f.concurrency",
      );
      await assertRefused(
        space,
        { asyncInvokers: { f: { invoker: f, maxQueued: value } } },
        "asyncInvokers.f.maxQueued",
      );
    }
    for (const timeout of BAD_DURATIONS) {
      await assertRefused(space, { asyncInvokers: { f: { invoker: f, timeout } } }, "asyncInvokers.f.timeout");
    }
  }));

Deno.test("options that do not exist are refused, with those that do", () =>
  inSpace(async (space) => {
    await assertRefused(space, { maxConcurency: 7 }, "options.maxConcurency");
    await assertRefused(space, { retention: { completd: "1h" } }, "retention.completd");
    await assertRefused(space, { resultCache: { tll: "1h" } }, "resultCache.tll");
    for (const options of [null, [], "x", 7]) await assertRefused(space, options, "options");
    const error = await assertRejects(() => createServer(space.nc, { lease: "1s" } as ServerOptions), ValidationError);
    assertStringIncludes(error.message, "leaseTtl");
  }));

Deno.test("options have the defaults of the contract", () => {
  const { logger: _logger, ownerId, ...defaults } = checkOptions({});
  assertEquals(defaults, {
    ...defaults,
    namespace: "packtrail",
    flows: [],
    invokers: {},
    asyncInvokers: {},
    leaseMs: 30_000,
    maxConcurrency: 64,
    defaultTimeoutMs: 30_000,
    maxDeliver: 10,
    drainTimeoutMs: 30_000,
    maxPayloadBytes: 512 * 1024,
    retention: {},
  });
  assertEquals([defaults.flowsDir, defaults.resultTtlMs, defaults.reconcile], [undefined, undefined, undefined]);
  assert(ownerId !== checkOptions({}).ownerId, "an owner's id is random");
  assertEquals(checkOptions({ resultCache: true }).resultTtlMs, 24 * 3_600_000);
  assertEquals(checkOptions({ leaseTtl: "1m30s", drainTimeout: 250 }).leaseMs, 90_000);
});

Deno.test("creating a server does no I/O, whatever it is told to do later", () =>
  inSpace(async (space) => {
    const { nc, touches } = untouchable(space.nc);
    const server = await createServer(nc, {
      flows: [chain("one", 1)],
      invokers: { f: () => ({ status: "ok" }) },
      reconcile: "0 0 * * * *",
      resultCache: { ttl: "1h" },
      retention: { completed: "1h", events: "1h" },
    });
    assertEquals([server.namespace, server.flows(), touches], ["packtrail", ["one"], []]);
    await server.close();
    assertEquals(touches, []);
  }));

Deno.test("flows come from a folder, from text and from values", () =>
  inSpace(async (space) => {
    const folder = await Deno.makeTempDir();
    const yaml = (name: string) => `name: ${name}\nnodes:\n  - {id: a, type: task, subject: tasks.a}\n`;
    await Deno.writeTextFile(join(folder, "first.yaml"), yaml("first"));
    await Deno.writeTextFile(join(folder, "second.yml"), yaml("second"));
    await Deno.writeTextFile(join(folder, "notes.txt"), "no: flow: at: all");
    await Deno.mkdir(join(folder, "more.yaml"));
    const flows = [yaml("third"), { name: "fourth", nodes: [{ id: "a", type: "task", subject: "x" }] } as FlowDef];
    const server = await space.server({ flowsDir: folder, flows });
    assertEquals(server.flows(), ["first", "fourth", "second", "third"]);
    const twice = await assertRejects(
      () => createServer(space.nc, { flowsDir: folder, flows: [yaml("first")] }),
      ValidationError,
      "flow first is defined twice",
    );
    assertStringIncludes(twice.message, "first.yaml");
    await Deno.writeTextFile(join(folder, "third.yaml"), "name: third\nnodes:\n  - {id: a, type: tusk}\n");
    const broken = await assertRejects(() => createServer(space.nc, { flowsDir: folder }), ValidationError);
    assertStringIncludes(broken.message, join(folder, "third.yaml"));
    assertEquals(broken.issues[0]!.line, 3);
    await assertRejects(() => createServer(space.nc, { flowsDir: join(folder, "none") }), ValidationError, "none");
    await Deno.remove(folder, { recursive: true });
  }));

Deno.test("a flow whose kind of invoker is not registered is refused, with those that are", () =>
  inSpace(async (space) => {
    const invokers = { f: () => ({ status: "ok" as const }) };
    const error = await assertRejects(
      () => createServer(space.nc, { flows: [chain("one", 1, "missing")], invokers }),
      ValidationError,
    );
    for (const part of ["one", "nodes[0].invoker", `"missing"`, "nats-task", "f"]) {
      assertStringIncludes(error.message, part);
    }
  }));

Deno.test("maxConcurrency is 64 unless told otherwise", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const { server } = await space.engine({ flows: [chain("many", 1)], invokers: { f: f.invoke } });
    const ids = await Promise.all(Array.from({ length: 70 }, () => server.start("many")));
    await until(() => f.held === 64);
    f.open({ status: "ok" }, "n0");
    await until(() => f.requests.length === 70);
    f.open();
    for (const id of ids) await ended(server, id);
  }));

Deno.test("leaseTtl is the ack wait of a flow's consumer; another one replaces it", () =>
  inSpace(async (space) => {
    const jsm = await jetstreamManager(space.nc);
    const options = { flows: [chain("leased", 1)], invokers: { f: () => ({ status: "ok" as const }) } };
    for (const [leaseTtl, seconds] of [[undefined, 30], ["45s", 45]] as const) {
      const engine = await space.engine({ ...options, ...(leaseTtl === undefined ? {} : { leaseTtl }) });
      await ended(engine.server, await engine.server.start("leased"));
      const info = await jsm.consumers.info(space.names.executionStream(), "flow-leased");
      assertEquals(info.config.ack_wait, seconds * 1e9);
      await engine.stop();
    }
  }));

Deno.test("ended executions are kept as long as retention says, others for good", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ payload }) => {
      return (payload as { fail?: true }).fail ? { status: "error", error: "bad" } : { status: "ok" };
    });
    const asks: FlowDef = { name: "asks", nodes: [{ id: "w", type: "signal", signalName: "go" }] };
    const retention = { completed: "1s", failed: "1s", cancelled: "1s", events: "2h" };
    const { server } = await space.engine({ flows: [chain("one", 1), asks], invokers: { f: f.invoke }, retention });
    await server.start("one", {}, { id: "completed" });
    await server.start("one", { fail: true }, { id: "failed" });
    await server.start("asks", {}, { id: "cancelled" });
    await server.start("asks", {}, { id: "waiting" });
    await server.cancel("cancelled");
    await until(async () => (await server.list()).length === 1, "ended executions to be removed");
    for (const id of ["completed", "failed", "cancelled"]) await assertRejects(() => server.get(id), NotFoundError);
    assertEquals((await server.get("waiting")).status, "waiting");
    const jsm = await jetstreamManager(space.nc);
    assertEquals((await jsm.streams.info(space.names.eventStream)).config.max_age, 2 * 3_600 * 1e9);
    assertEquals(await server.start("one", { again: true }, { id: "completed" }), "completed", "its id is free again");
  }));

Deno.test("a logger is told what the engine does, and who it is", () =>
  inSpace(async (space) => {
    const engine = await space.engine({
      flows: [chain("one", 1)],
      invokers: { f: () => ({ status: "ok" }) },
      ownerId: "me",
    });
    await ended(engine.server, await engine.server.start("one"));
    await engine.stop();
    const told = space.log.filter(({ fields }) => fields.ownerId === "me").map((
      { level, message },
    ) => [level, message]);
    assertEquals(told, [["info", "engine started"], ["info", "engine stopped"]]);
    assertEquals(space.log.filter(({ level }) => level === "warn" || level === "error"), []);
  }));

Deno.test("the default logger writes JSON lines", () => {
  const lines: string[] = [];
  const saved = { log: console.log, warn: console.warn, error: console.error };
  const logger = consoleLogger();
  try {
    console.log = console.warn = console.error = (line: string) => void lines.push(line);
    logger.debug("not shown");
    logger.info("started", { ownerId: "me" });
    logger.warn("odd");
    logger.error("bad", { id: "x" });
  } finally {
    Object.assign(console, saved);
  }
  const parsed = lines.map((line) => JSON.parse(line));
  assertEquals(parsed.map(({ time: _time, ...rest }) => rest), [
    { level: "info", message: "started", ownerId: "me" },
    { level: "warn", message: "odd" },
    { level: "error", message: "bad", id: "x" },
  ]);
  assert(parsed.every(({ time }) => !Number.isNaN(Date.parse(time))));
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createServer, PacktrailError, type Server, ValidationError } from "../mod.ts";
import { chain, inSpace, until, untouchable } from "./support/mod.ts";

const BAD_NAMES: unknown[] = [
  "",
  "a.b",
  "a b",
  " a",
  "a*",
  "*",
  ">",
  "a.>",
  "a\r\nPUB x 0",
  "a\n",
  "\0",
  "ü",
  "a/b",
  "$a",
  "x".repeat(129),
  undefined,
  null,
  7,
  {},
  ["a"],
  Symbol.iterator,
];

class Point {
  readonly x = 1;
}

/** What is not JSON, and the part of it that is not. */
function badPayloads(): [unknown, string][] {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  return [
    [{ a: NaN }, "payload.a"],
    [{ a: { b: [1, Infinity] } }, "payload.a.b[1]"],
    [{ a: 1n }, "payload.a"],
    [{ a: () => 1 }, "payload.a"],
    [{ a: Symbol.iterator }, "payload.a"],
    [{ a: new Date() }, "payload.a"],
    [{ a: new Map() }, "payload.a"],
    [{ a: new Uint8Array(2) }, "payload.a"],
    [{ a: new Point() }, "payload.a"],
    [{ a: [undefined] }, "payload.a[0]"],
    [{ toJSON: () => 1 }, "payload.toJSON"],
    [circle, "payload"],
  ];
}

const NOT_OBJECTS: unknown[] = [null, 7, "x", true, [], [{}]];

/** Runs a step with a server on a connection whose use would show. */
async function withUntouched(step: (server: Server) => Promise<void>): Promise<void> {
  await inSpace(async (space) => {
    const { nc, touches } = untouchable(space.nc);
    const invokers = { f: () => ({ status: "ok" as const }) };
    await using server = await createServer(nc, { namespace: space.namespace, flows: [chain("one", 1)], invokers });
    await step(server);
    assertEquals(touches, []);
  });
}

/** Expects a call to be refused with an error that names the field. */
async function assertInvalid(call: () => Promise<unknown>, path: string, label: unknown): Promise<void> {
  const error = await call().then(() => assert(false, `accepted ${Deno.inspect(label)}`), (error) => error);
  assert(error instanceof ValidationError, `${Deno.inspect(label)}: ${error}`);
  assert(error instanceof PacktrailError && error.code === "VALIDATION");
  const found = error.issues[0]!.path;
  const isNamed = found === path || found.startsWith(`${path}.`) || found.startsWith(`${path}[`);
  assert(isNamed, `${found} names ${path}: ${Deno.inspect(label)}`);
}

Deno.test("bad names and ids are refused before any I/O, with the field that holds them", () =>
  withUntouched(async (server) => {
    for (const bad of BAD_NAMES) {
      const name = bad as string;
      const calls: [() => Promise<unknown>, string][] = [
        [() => server.start(name), "flow"],
        [() => server.signal(name, "go"), "id"],
        [() => server.signal("x", name), "name"],
        [() => server.completeActivity(name, "n", 0, { status: "ok" }), "id"],
        [() => server.completeActivity("x", name, 0, { status: "ok" }), "node"],
        [() => server.resume(name), "id"],
        [() => server.cancel(name), "id"],
        [() => server.get(name), "id"],
        [() => server.results(name), "id"],
        [() => server.history(name), "id"],
        [() => server.byFlow(name), "flow"],
        [() => server.byFlowEvents(name), "flow"],
        [() => server.flowGraph(name), "name"],
        [() => server.scheduleFlow(name, "one", "0 0 * * * *"), "name"],
        [() => server.scheduleFlow("s", name, "0 0 * * * *"), "flow"],
        [() => server.unschedule(name), "name"],
      ];
      if (bad !== undefined) {
        calls.push(
          [() => server.start("one", {}, { id: name }), "options.id"],
          [() => server.signal("x", "go", 1, { id: name }), "options.id"],
          [() => server.recent({ flow: name }), "options.flow"],
        );
      }
      for (const [call, path] of calls) await assertInvalid(call, path, [bad, path]);
    }
  }));

Deno.test("payloads that are not JSON are refused before any I/O, with the part that is not", () =>
  withUntouched(async (server) => {
    for (const [bad, path] of badPayloads()) {
      const payload = bad as Record<string, never>;
      await assertInvalid(() => server.start("one", payload), path, bad);
      await assertInvalid(() => server.start("one", payload, { id: "x" }), path, bad);
      await assertInvalid(() => server.signal("x", "go", payload), path, bad);
      await assertInvalid(() => server.scheduleFlow("s", "one", "0 0 * * * *", payload), path, bad);
    }
    for (const bad of NOT_OBJECTS) {
      await assertInvalid(() => server.start("one", bad as Record<string, never>), "payload", bad);
      await assertInvalid(() => server.scheduleFlow("s", "one", "0 0 * * * *", bad as never), "payload", bad);
    }
    for (const bad of [NaN, Infinity, 1n, () => 1, Symbol.iterator]) {
      await assertInvalid(() => server.signal("x", "go", bad as number), "payload", bad);
    }
  }));

Deno.test("bad numbers, statuses and options of calls are refused before any I/O", () =>
  withUntouched(async (server) => {
    for (const bad of [0, -1, NaN, Infinity, 1.5, "5", null, {}]) {
      const limit = bad as number;
      await assertInvalid(() => server.history("x", { limit }), "options.limit", bad);
      await assertInvalid(() => server.recent({ limit }), "options.limit", bad);
      await assertInvalid(() => server.byStatusEvents("running", { limit }), "options.limit", bad);
      await assertInvalid(() => server.byFlowEvents("one", { limit }), "options.limit", bad);
      await assertInvalid(() => server.deadLetters({ limit }), "options.limit", bad);
    }
    for (const bad of [-1, NaN, Infinity, 0.5, "0", null, {}]) {
      const count = bad as number;
      await assertInvalid(() => server.discard(count), "sequence", bad);
      await assertInvalid(() => server.completeActivity("x", "n", count, { status: "ok" }), "attempt", bad);
      await assertInvalid(() => server.recent({ before: count }), "options.before", bad);
      const generation = { generation: count };
      await assertInvalid(
        () => server.completeActivity("x", "n", 0, { status: "ok" }, generation),
        "options.generation",
        bad,
      );
    }
    for (const bad of ["done", "", "Running", "__proto__", null, 7]) {
      const status = bad as "running";
      await assertInvalid(() => server.byStatus(status), "status", bad);
      await assertInvalid(() => server.byStatusEvents(status), "status", bad);
      await assertInvalid(() => server.recent({ status }), "options.status", bad);
    }
    for (const cron of ["", "* * * * *", "x * * * * *", "60 * * * * *", "0 0 0 32 1 *", null, 7]) {
      await assertInvalid(() => server.scheduleFlow("s", "one", cron as string), "cron", cron);
    }
    for (const timeZone of ["", "Mars/Olympus", 7, null]) {
      const options = { timeZone: timeZone as string };
      await assertInvalid(() => server.scheduleFlow("s", "one", "0 0 * * * *", {}, options), "timeZone", timeZone);
    }
    for (const result of [null, 7, "ok", [], { statuss: "ok" }]) {
      await assertInvalid(() => server.completeActivity("x", "n", 0, result as never), "result", result);
    }
  }));

Deno.test("options of calls that do not exist are refused before any I/O", () =>
  withUntouched(async (server) => {
    for (const bad of [{ idd: "x" }, null, 7, [], "x"]) {
      const options = bad as unknown as Record<string, never>;
      const calls = [
        () => server.start("one", {}, options),
        () => server.signal("x", "go", null, options),
        () => server.completeActivity("x", "n", 0, { status: "ok" }, options),
        () => server.history("x", options),
        () => server.recent(options),
        () => server.byStatusEvents("running", options),
        () => server.byFlowEvents("one", options),
        () => server.deadLetters(options),
        () => server.scheduleFlow("s", "one", "0 0 * * * *", {}, options),
        () => server.run(options),
      ];
      for (const [index, call] of calls.entries()) await assertInvalid(call, "options", [bad, index]);
      assertThrows(() => server.watchEvents(options), ValidationError);
    }
  }));

Deno.test("handlers and subjects that make no sense are refused before any I/O", () =>
  withUntouched(async (server) => {
    const handler = () => ({ status: "ok" as const });
    for (const subject of ["", "a b", "a..b", "a.", "a.>.b", "exec.ready.x", "in.start.x", null, 7]) {
      await assertRejects(() => server.handle(subject as string, handler), ValidationError);
    }
    for (const bad of [null, "f", {}]) {
      await assertRejects(() => server.handle("tasks.a", bad as unknown as typeof handler), ValidationError);
    }
  }));

Deno.test("legal names are taken, however odd", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({
      flows: [chain("-", 1), chain("_", 1), chain("constructor", 1)],
      invokers: { f: () => ({ status: "ok" }) },
    });
    for (const flow of ["-", "_", "constructor"]) {
      for (const id of ["toString", "__proto__", "-", "0"]) await server.start(flow, {}, { id: `${flow}${id}` });
    }
    await until(async () => (await server.byStatus("completed")).length === 12);
    const counts = await server.counts();
    assertEquals(Object.keys(counts).sort(), ["-", "_", "constructor"]);
    assertEquals(counts.constructor as unknown, { running: 0, waiting: 0, completed: 4, failed: 0, cancelled: 0 });
  }));

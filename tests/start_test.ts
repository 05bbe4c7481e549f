import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import {
  ConflictError,
  type Json,
  type JsonObject,
  NotFoundError,
  PayloadTooLargeError,
  UnavailableError,
} from "../mod.ts";
import { chain, ended, inSpace, Recorder, until } from "./support/mod.ts";

Deno.test("an execution starts with the payload it is given, or with an empty one, under an id of its own", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } });
    const ids = [
      await server.start("one"),
      await server.start("one"),
      await server.start("one", { a: [1, { b: null }] }),
    ];
    assertEquals(new Set(ids).size, 3);
    for (const id of ids) assertMatch(id, /^exec-[A-Za-z0-9_-]+$/);
    assertEquals((await ended(server, ids[0]!)).payload, {});
    assertEquals((await ended(server, ids[2]!)).payload, { a: [1, { b: null }] });
    const longest = "x".repeat(128);
    assertEquals(await server.start("one", {}, { id: longest }), longest);
    assertEquals((await ended(server, longest)).status, "completed");
  }));

Deno.test("the same start again is the same execution: while it runs, and after it has ended", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("one", 1)], invokers: { f: f.invoke } };
    const server = await space.server(options);
    const other = await space.server(options, await space.connect());
    const payload = { a: 1, b: { c: [1, 2], d: null } };
    const reordered = { b: { d: null, c: [1, 2] }, a: 1 };
    assertEquals(await server.start("one", payload, { id: "same" }), "same");
    assertEquals(await other.start("one", reordered, { id: "same" }), "same");
    space.run(server);
    const { revision } = await ended(server, "same");
    assertEquals(await server.start("one", payload, { id: "same" }), "same");
    assertEquals(await other.start("one", reordered, { id: "same" }), "same");
    assertEquals((await server.get("same")).revision, revision);
    assertEquals([f.keys, await server.list()], [["same.n0.1.0"], ["same"]]);
  }));

Deno.test("twenty clients that start the same at once start one execution", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("two", 2)], invokers: { f: f.invoke } };
    await space.engine(options);
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => space.server(options, await space.connect())),
    );
    const ids = await Promise.all(clients.map((client) => client.start("two", { n: 1, list: [1] }, { id: "once" })));
    assertEquals(new Set(ids), new Set(["once"]));
    assertEquals((await ended(clients[0]!, "once")).status, "completed");
    assertEquals(f.keys, ["once.n0.1.0", "once.n1.2.0"]);
    assertEquals((await clients[0]!.history("once")).length, 3);
  }));

Deno.test("of twenty clients that start different things under one id, one wins and the others are told", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("two", 2)], invokers: { f: f.invoke } };
    const { server } = await space.engine(options);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => server.start("two", { n }, { id: "contested" })),
    );
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results) if (result.status === "rejected") assert(result.reason instanceof ConflictError);
    const winner = results.findIndex(({ status }) => status === "fulfilled");
    assertEquals((await ended(server, "contested")).payload, { n: winner });
    assertEquals(f.requests.length, 2);
  }));

Deno.test("of clients that start executions of different flows under one id at once, one wins, and one execution runs", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const names = ["a", "b", "c", "d"];
    const options = { flows: names.map((name) => chain(name, 1)), invokers: { f: f.invoke } };
    const { server } = await space.engine(options);
    const clients = await Promise.all(names.map(async () => space.server(options, await space.connect())));
    const ids = Array.from({ length: 10 }, (_, index) => `once-${index}`);
    for (const id of ids) {
      const starts = await Promise.allSettled(clients.map((client, index) => client.start(names[index]!, {}, { id })));
      const refused = starts.flatMap((start) => start.status === "rejected" ? [start.reason] : []);
      assertEquals(refused.length, 3);
      for (const error of refused) assert(error instanceof ConflictError, String(error));
    }
    for (const id of ids) await ended(server, id);
    assertEquals(await server.list(), ids);
    assertEquals(f.requests.length, ids.length);
  }));

Deno.test("an id that was used for another flow or payload is a conflict, whatever became of it", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("one", 1), chain("other", 1)], invokers: { f: f.invoke } };
    const { server } = await space.engine(options);
    await server.start("one", { n: 1, list: [1, 2] }, { id: "taken" });
    const different: [string, JsonObject][] = [
      ["other", { n: 1, list: [1, 2] }],
      ["one", { n: 2, list: [1, 2] }],
      ["one", { n: 1, list: [2, 1] }],
      ["one", { n: 1 }],
      ["one", { n: 1, list: [1, 2], more: null }],
      ["one", { n: "1", list: [1, 2] }],
      ["one", {}],
    ];
    const check = async () => {
      for (const [flow, payload] of different) {
        const error = await assertRejects(() => server.start(flow, payload, { id: "taken" }), ConflictError, "taken");
        assertEquals(error.code, "CONFLICT");
      }
    };
    await check();
    await ended(server, "taken");
    await check();
    assertEquals([(await server.get("taken")).payload, f.requests.length], [{ n: 1, list: [1, 2] }, 1]);
  }));

Deno.test("a large payload is compared as a whole", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } });
    const large = (last: string): JsonObject => ({ text: "x".repeat(30_000) + last });
    await server.start("one", large("a"), { id: "large" });
    assertEquals(await server.start("one", large("a"), { id: "large" }), "large");
    await assertRejects(() => server.start("one", large("b"), { id: "large" }), ConflictError);
    assertEquals((await ended(server, "large")).payload, large("a"));
    await assertRejects(() => server.start("one", large("b"), { id: "large" }), ConflictError);
  }));

/**
 * Lets the next write of a head be refused although there is none: so answers a server that is cut off from its cluster
 * while an earlier write, of which nothing is known, waits there.
 */
function refuseNextHead(nc: NatsConnection, prefix: string): () => boolean {
  const publish = nc.publish.bind(nc);
  let isRefused = false;
  nc.publish = (subject, data, options) => {
    if (!isRefused && subject.startsWith(prefix)) {
      isRefused = true;
      options?.headers?.set("Nats-Expected-Last-Subject-Sequence", "7");
    }
    publish(subject, data, options);
  };
  return () => isRefused;
}

Deno.test("a start that is refused although nothing is there is unavailable: it may be tried again", () =>
  inSpace(async (space) => {
    const nc = await space.connect();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: () => ({ status: "ok" }) } }, nc);
    const isRefused = refuseNextHead(nc, space.names.head("ready", "one", "e"));
    const start = () => server.start("one", { n: 1 }, { id: "e" });
    await assertRejects(start, UnavailableError, "another write to it is under way");
    assertEquals(isRefused(), true);
    await start();
    assertEquals((await ended(server, "e")).payload, { n: 1 });
  }));

Deno.test("a start from the inbox that is refused although nothing is there is not given up on", () =>
  inSpace(async (space) => {
    const nc = await space.connect();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: () => ({ status: "ok" }) } }, nc);
    await server.init();
    const isRefused = refuseNextHead(nc, space.names.head("ready", "one", "e"));
    await space.nc.request(space.names.command("start", "one", "e"), "{}");
    await until(async () => (await server.list()).includes("e"), "the start to be tried again");
    assertEquals([isRefused(), (await ended(server, "e")).status], [true, "completed"]);
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("a flow that nobody has loaded is not found; one that another instance has loaded is started", () =>
  inSpace(async (space) => {
    const client = await space.server();
    const error = await assertRejects(() => client.start("one"), NotFoundError, "one");
    assertEquals(error.code, "NOT_FOUND");
    const f = new Recorder();
    const { server } = await space.engine(
      { flows: [chain("one", 1)], invokers: { f: f.invoke } },
      await space.connect(),
    );
    await until(async () => (await client.listFlows()).includes("one"));
    const id = await client.start("one", { by: "a client" });
    assertEquals((await ended(server, id)).payload, { by: "a client" });
    await assertRejects(() => client.start("One"), NotFoundError);
  }));

Deno.test("a payload over the limit is refused, with its size, before any I/O", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("one", 1)], invokers: { f: f.invoke }, maxPayloadBytes: 100 };
    const { server } = await space.engine(options);
    const sized = (bytes: number): JsonObject => ({ a: "x".repeat(bytes - 8) });
    assertEquals(JSON.stringify(sized(100)).length, 100);
    assertEquals((await ended(server, await server.start("one", sized(100)))).status, "completed");
    const refusals: [() => Promise<unknown>, string][] = [
      [() => server.start("one", sized(101)), "payload"],
      [() => server.start("one", { a: "ü".repeat(47) }), "payload"],
      [() => server.signal("x", "go", "x".repeat(99)), "payload"],
    ];
    for (const [call, path] of refusals) {
      const error = await assertRejects(call, PayloadTooLargeError, path);
      assertEquals([error.code, error.limit], ["PAYLOAD_TOO_LARGE", 100]);
      assert(error.size > 100);
    }
    assertEquals((await server.list()).length, 1);
  }));

Deno.test("payloads keep every kind of JSON value", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ payload }) => ({ status: "ok", payload }));
    const { server } = await space.engine({ flows: [chain("two", 2)], invokers: { f: f.invoke } });
    const odd = JSON.parse(
      `{"__proto__": {"polluted": true}, "constructor": 1, "": "empty", "a.b": "\\u0000\\ud83d\\ude00"}`,
    );
    const values: Json[] = [null, true, 0, -0.5, 1e300, "", "line\r\nbreak", [], [[]], {}, odd];
    for (const value of values) {
      const { payload } = await ended(server, await server.start("two", { value }));
      assertEquals(JSON.stringify(payload), JSON.stringify({ value }));
    }
    assertEquals(({} as { polluted?: true }).polluted, undefined);
  }));

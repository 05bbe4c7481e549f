import { assert, assertEquals, assertRejects } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { errors, type NatsConnection } from "@nats-io/nats-core";
import { Proxy } from "../faults/proxy.ts";
import { createServer, type FlowDef, type Result, ValidationError } from "../mod.ts";
import { KvResults, provisionResults } from "../src/engine/result_records.ts";
import { ResultCache, type ResultKey } from "../src/invoker/cache.ts";
import { natsOf } from "../src/nats/client.ts";
import { startCrashProcess } from "./support/crash_process.ts";
import {
  chain,
  connectTo,
  ended,
  inSpace,
  reaches,
  Recorder,
  RemoteInvoker,
  type Space,
  until,
} from "./support/mod.ts";

const HOUR_MS = 3_600_000;
const LEASE = "1s";
const KEY: ResultKey = { name: "engine.e.work.1.0", born: 1 };
const AGAIN = { isFirst: false, isStopped: () => false };
const FIRST = { ...AGAIN, isFirst: true };

/** A cache of its own, as another process has it, and what it could not do. */
async function cacheOf(space: Space, { claimMs = HOUR_MS, nc = space.nc } = {}) {
  const nats = await natsOf(nc, space.names);
  await provisionResults(nats, HOUR_MS, 1);
  const records = new KvResults<Result>(nats);
  const failures: unknown[] = [];
  const cache = new ResultCache<Result>({ records, claimMs, failed: (_key, error) => failures.push(error) });
  return { cache, records, failures };
}

/** The keys of the bucket, sorted. */
async function keysOf(space: Space): Promise<string[]> {
  const bucket = await new Kvm(space.nc).open(space.names.resultBucket);
  const keys: string[] = [];
  for await (const key of await bucket.keys()) keys.push(key);
  return keys.sort();
}

/** How many attempts have a recorded result: a claim is none. */
async function countResults(space: Space): Promise<number> {
  const bucket = await new Kvm(space.nc).open(space.names.resultBucket);
  let count = 0;
  for (const key of await keysOf(space)) {
    const entry = (await bucket.get(key))?.json<Record<string, unknown>>();
    if (entry !== undefined && "result" in entry) count++;
  }
  return count;
}

/** The subjects that a connection publishes to from now on. */
function publishesOf(nc: NatsConnection): string[] {
  const subjects: string[] = [];
  const publish = nc.publish.bind(nc);
  nc.publish = (subject, ...rest) => {
    subjects.push(subject);
    publish(subject, ...rest);
  };
  return subjects;
}

Deno.test("twelve concurrent callers of one key make one call, whoever they are", () =>
  inSpace(async (space) => {
    const caches = await Promise.all(
      Array.from({ length: 4 }, async () => (await cacheOf(space, { nc: await space.connect() })).cache),
    );
    let calls = 0;
    const open = Promise.withResolvers<void>();
    const results = Array.from({ length: 12 }, (_, n) =>
      caches[n % 4]!.through(KEY, AGAIN, async () => {
        calls++;
        await open.promise;
        return { status: "ok", payload: n };
      }));
    await until(() => calls > 0);
    open.resolve();
    const [first, ...others] = await Promise.all(results);
    for (const other of others) assertEquals(other, first!);
    assertEquals(calls, 1);
    const late = await caches[3]!.through(KEY, AGAIN, () => Promise.reject(new Error("called again")));
    assertEquals(late, first!);
  }));

Deno.test("twelve callers of a first delivery in one process make one call", () =>
  inSpace(async (space) => {
    const { cache } = await cacheOf(space);
    let calls = 0;
    const run = () => Promise.resolve<Result>({ status: "ok", payload: ++calls });
    const results = await Promise.all(Array.from({ length: 12 }, () => cache.through(KEY, FIRST, run)));
    assertEquals([calls, new Set(results).size], [1, 1]);
  }));

Deno.test("what is thrown is not recorded, and its claim is given back at once", () =>
  inSpace(async (space) => {
    const [one, other] = [await cacheOf(space), await cacheOf(space, { nc: await space.connect() })];
    for (const options of [FIRST, AGAIN, AGAIN]) {
      await assertRejects(
        () => one.cache.through(KEY, options, () => Promise.reject(new Error("thrown"))),
        Error,
        "thrown",
      );
    }
    const result = await other.cache.through(KEY, AGAIN, () => Promise.resolve({ status: "ok" }));
    assertEquals(result, { status: "ok" });
    assertEquals([...one.failures, ...other.failures], []);
  }));

Deno.test("pending, error and retry are recorded as ok is", () =>
  inSpace(async (space) => {
    const { cache } = await cacheOf(space);
    const results: Result[] = [
      { status: "pending" },
      { status: "error", error: "for good" },
      { status: "retry", error: "later" },
      { status: "ok", payload: null },
    ];
    for (const [n, result] of results.entries()) {
      const key = { name: `engine.e.work.1.${n}`, born: 1 };
      await cache.through(key, n % 2 === 0 ? FIRST : AGAIN, () => Promise.resolve(result));
      assertEquals(await cache.through(key, AGAIN, () => Promise.reject(new Error("called again"))), result);
    }
  }));

Deno.test("a claim whose holder is gone expires, and one that is renewed does not", () =>
  inSpace(async (space) => {
    const gone = await cacheOf(space);
    const nc = await space.connect();
    const holder = (await cacheOf(space, { nc, claimMs: 2_000 })).cache;
    const waiting = (await cacheOf(space, { nc: await space.connect() })).cache;
    assert(await gone.records.write(KEY, { claimMs: 150 }, 0));
    let calls = 0;
    const open = Promise.withResolvers<void>();
    const held = holder.through(KEY, AGAIN, async () => {
      calls++;
      await open.promise;
      return { status: "ok", payload: "of the holder" };
    });
    await until(() => calls === 1, "the claim to expire");
    const waited = waiting.through(KEY, AGAIN, () => Promise.reject(new Error("called twice")));
    const before = (await gone.records.find(KEY)).revision;
    await until(async () => (await gone.records.find(KEY)).revision >= before + 4, "more than a claim's time to pass");
    open.resolve();
    assertEquals(await held, { status: "ok", payload: "of the holder" });
    assertEquals(await waited, await held);
    assertEquals(calls, 1);
  }));

Deno.test("nobody waits for a claim when its result is not wanted any more", () =>
  inSpace(async (space) => {
    const { cache, records } = await cacheOf(space);
    await records.write(KEY, { claimMs: HOUR_MS }, 0);
    let isStopped = false;
    const waiting = cache.through(
      KEY,
      { ...AGAIN, isStopped: () => isStopped },
      () => Promise.resolve({ status: "ok" }),
    );
    isStopped = true;
    await assertRejects(() => waiting, Error, "aborted");
  }));

Deno.test("the first record stays: who comes second takes it for its own", () =>
  inSpace(async (space) => {
    const [one, other] = [await cacheOf(space), await cacheOf(space, { nc: await space.connect() })];
    const open = Promise.withResolvers<void>();
    const paused = one.cache.through(KEY, FIRST, async () => {
      await open.promise;
      return { status: "ok", payload: "of the paused one" };
    });
    const result = await other.cache.through(KEY, AGAIN, () => Promise.resolve({ status: "ok", payload: "first" }));
    open.resolve();
    assertEquals(await paused, result);
  }));

Deno.test("a record of an earlier execution of the same id is not used", () =>
  inSpace(async (space) => {
    const { cache } = await cacheOf(space);
    await cache.through(KEY, FIRST, () => Promise.resolve({ status: "ok", payload: "old" }));
    for (const options of [FIRST, AGAIN]) {
      const key = { ...KEY, born: options.isFirst ? 2 : 3 };
      const result = await cache.through(key, options, () => Promise.resolve({ status: "ok", payload: key.born }));
      assertEquals(result, { status: "ok", payload: key.born });
    }
  }));

Deno.test("a result that cannot be recorded is used all the same, and reported", () =>
  inSpace(async (space) => {
    const { cache, failures } = await cacheOf(space);
    const large: Result = { status: "ok", payload: "x".repeat(2_000_000) };
    assertEquals(await cache.through(KEY, FIRST, () => Promise.resolve(large)), large);
    assertEquals([failures.length, String(failures[0]).includes("max_payload")], [1, true]);
    await (await jetstreamManager(space.nc)).streams.delete(`KV_${space.names.resultBucket}`);
    for (const options of [FIRST, FIRST]) {
      assertEquals(await cache.through(KEY, options, () => Promise.resolve({ status: "ok" })), { status: "ok" });
    }
    assertEquals(failures.length, 3);
  }));

Deno.test("a record whose value is gone is run again", () =>
  inSpace(async (space) => {
    const nats = await natsOf(space.nc, space.names);
    await provisionResults(nats, HOUR_MS, 1);
    const cache = new ResultCache<string>({
      records: new KvResults(nats),
      claimMs: HOUR_MS,
      isUsable: (result) => Promise.resolve(result !== "gone"),
      failed: () => {},
    });
    assertEquals(await cache.through(KEY, FIRST, () => Promise.resolve("gone")), "gone");
    assertEquals(await cache.through(KEY, AGAIN, () => Promise.resolve("here")), "here");
    assertEquals(await cache.through(KEY, AGAIN, () => Promise.reject(new Error("called again"))), "here");
  }));

Deno.test("on the hot path a step costs one write to the cache, and no look", () =>
  inSpace(async (space) => {
    const nc = await space.connect();
    const recorder = new Recorder();
    const options = { flows: [chain("ten", 10)], invokers: { f: recorder }, resultCache: true };
    const { server } = await space.engine(options, nc);
    await server.init();
    const subjects = publishesOf(nc);
    await (await space.server({ flows: options.flows, invokers: options.invokers })).start("ten", {}, { id: "e" });
    const reader = await space.server();
    await ended(reader, "e");
    const bucket = space.names.resultBucket;
    const touching = subjects.filter((subject) => subject.includes(bucket));
    const expected = Array.from({ length: 10 }, (_, n) => `$KV.${bucket}.engine.e.n${n}.${n + 1}.0`);
    assertEquals(touching, expected);
    assertEquals(await keysOf(space), expected.map((subject) => subject.slice(`$KV.${bucket}.`.length)).sort());
  }));

/** Lets the next requests for a subject go unanswered. Returns how many are left of them. */
function leaveUnanswered(nc: NatsConnection, subject: string, count: number): () => number {
  const request = nc.request.bind(nc);
  let left = count;
  nc.request = (asked, ...rest) => {
    if (asked !== subject || left === 0) return request(asked, ...rest);
    left--;
    return Promise.reject(new errors.TimeoutError());
  };
  return () => left;
}

Deno.test("a look at the cache that is not answered is repeated: it is no failed attempt", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const options = { flows: [chain("one", 1)], invokers: { f: f.invoke }, resultCache: true };
    const client = await space.server(options);
    await client.start("one", {}, { id: "e" });
    // A consumer that is younger than its work: its engine cannot know whether somebody was at it before.
    const jsm = await jetstreamManager(space.nc);
    await jsm.consumers.delete(space.names.executionStream(), space.names.flowConsumer("one"));
    const nc = await space.connect();
    const left = leaveUnanswered(nc, `$JS.API.STREAM.MSG.GET.KV_${space.names.resultBucket}`, 3);
    await space.engine(options, nc);
    const { status, attempt, error } = await ended(client, "e");
    assertEquals([left(), status, attempt, error], [0, "completed", 0, undefined]);
    assertEquals(f.requests.length, 1);
  }));

Deno.test("a first delivery that comes when its lease is over is looked up: another has done the work meanwhile", () =>
  inSpace(async (space) => {
    await using proxy = new Proxy(Number(new URL(space.url).port));
    const f = new Recorder();
    const options = { flows: [chain("one", 1)], invokers: { f: f.invoke }, resultCache: true, leaseTtl: LEASE };
    const nc = await connectTo(proxy.url);
    const slow = await space.engine(options, nc);
    const client = await space.server();
    await ended(client, await slow.server.start("one", {}, { id: "before" }));
    // Nothing reaches the engine any more; what the server sends it comes later.
    proxy.turn("stalled");
    await client.start("one", {}, { id: "e" });
    const jsm = await jetstreamManager(space.nc);
    const consumer = () => jsm.consumers.info(space.names.executionStream(), space.names.flowConsumer("one"));
    const { revision } = await client.get("e");
    await until(async () => (await consumer()).delivered.stream_seq >= revision, "the work to be on its way");
    const quick = await space.engine(options, await space.connect());
    await ended(client, "e");
    await quick.stop();
    proxy.turn("open");
    await ended(client, await client.start("one", {}, { id: "after" }));
    assertEquals(f.keys, ["before.n0.1.0", "e.n0.1.0", "after.n0.1.0"]);
    await slow.stop();
    await slow.server.close();
    await nc.close();
  }));

Deno.test("without the option there is no cache", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: new Recorder() } });
    await server.start("one", {}, { id: "e" });
    await ended(server, "e");
    const names = (await jetstreamManager(space.nc)).streams.names();
    for await (const name of names) assert(name !== `KV_${space.names.resultBucket}`);
  }));

Deno.test("the time that results are kept is the bucket's, and follows the option", () =>
  inSpace(async (space) => {
    const jsm = await jetstreamManager(space.nc);
    const age = async () => (await jsm.streams.info(`KV_${space.names.resultBucket}`)).config.max_age / 1e6;
    await (await space.server({ resultCache: true })).init();
    assertEquals(await age(), 24 * HOUR_MS);
    await (await space.server({ resultCache: { ttl: "1m" } })).init();
    assertEquals(await age(), 60_000);
    await (await space.server({ resultCache: { ttl: "2h" } })).init();
    assertEquals(await age(), 2 * HOUR_MS);
    for (const resultCache of [{ ttl: 0 }, { ttl: -1 }, { ttl: "x" }, { tl: "1m" }, null, 3]) {
      await assertRejects(() => createServer(space.nc, { resultCache } as never), ValidationError, "resultCache");
    }
  }));

Deno.test("an engine killed between a recorded result and the head: the invoker is not called again", async (test) => {
  const large = "x".repeat(300_000);
  const fan: FlowDef = {
    name: "one",
    nodes: [
      { id: "fan", type: "fanout", branches: ["x", "y"] },
      { id: "x", type: "task", invoker: "remote" },
      { id: "y", type: "task", invoker: "remote" },
      { id: "join", type: "fanin", waitFor: ["x", "y"] },
    ],
    edges: [{ from: "fan", to: "join" }],
  };
  const cases = [
    { name: "a small result", flow: chain("one", 1, "remote"), payload: { a: 1 }, records: 1 },
    { name: "a large result", flow: chain("one", 1, "remote"), payload: { large }, records: 1 },
    { name: "branches", flow: fan, payload: { b: 2 }, records: 2 },
  ];
  for (const { name, flow, payload, records } of cases) {
    await test.step(name, () =>
      inSpace(async (space) => {
        const remote = new RemoteInvoker(space.nc, space.namespace, () => ({ status: "ok", payload }));
        const engine = { flows: [flow], leaseTtl: LEASE, resultCache: true };
        await using first = await startCrashProcess(space, { engine, holds: "exec" });
        const server = await space.server();
        await server.start("one", {}, { id: "e" });
        await until(async () => await countResults(space) === records, "the results to be recorded");
        assertEquals((await server.get("e")).status, "running");
        await first.kill();
        await using _second = await startCrashProcess(space, { engine });
        const { status, payload: output } = await ended(server, "e");
        const expected = records === 1 ? payload : { branches: { x: payload, y: payload } };
        assertEquals([status, output], ["completed", expected]);
        assertEquals(remote.attempts.length, records);
      }));
  }
});

Deno.test("work that reconcile drives again is looked up, too", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    const engine = { flows: [chain("one", 1, "remote")], leaseTtl: LEASE, resultCache: true };
    await using first = await startCrashProcess(space, { engine, holds: "exec" });
    const server = await space.server();
    await server.start("one", {}, { id: "e" });
    await until(async () => await countResults(space) === 1, "the result to be recorded");
    await first.kill();
    // Somebody acks the work by mistake: nothing would ever deliver it again.
    const consumer = await jetstream(space.nc).consumers.get(
      space.names.executionStream(),
      space.names.flowConsumer("one"),
    );
    const delivery = await consumer.next({ expires: 30_000 });
    assert(await delivery!.ackAck());
    assertEquals((await server.reconcile()).redriven, 1);
    await using _second = await startCrashProcess(space, { engine });
    assertEquals((await ended(server, "e")).status, "completed");
    assertEquals(remote.keys, ["e.n0.1.0"]);
  }));

Deno.test("without a cache an engine killed at the same point calls the invoker again", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    const engine = { flows: [chain("one", 1, "remote")], leaseTtl: LEASE };
    await using first = await startCrashProcess(space, { engine, holds: "exec" });
    const server = await space.server();
    await server.start("one", {}, { id: "e" });
    await until(() => remote.attempts.length === 1);
    await first.kill();
    await using _second = await startCrashProcess(space, { engine });
    await ended(server, "e");
    assertEquals(remote.keys, ["e.n0.1.0", "e.n0.1.0"]);
  }));

Deno.test("async workers record under keys of their own; one killed before its completion does not run the job again", () =>
  inSpace(async (space) => {
    const flow: FlowDef = { name: "one", nodes: [{ id: "work", type: "task", invoker: "slow" }] };
    const remote = new RemoteInvoker(space.nc, space.namespace, () => ({ status: "ok", payload: "once" }));
    const asyncInvokers = { slow: { invoker: "elsewhere" as const } };
    const { server } = await space.engine({ flows: [flow], asyncInvokers, resultCache: true });
    const worker = { kind: "slow", leaseTtl: LEASE, resultCache: true };
    await using first = await startCrashProcess(space, { worker, holds: "in" });
    await server.start("one", {}, { id: "e" });
    await until(async () => (await keysOf(space)).includes("async.e.work.1.0"), "the result to be recorded");
    await reaches(server, "e", "waiting", "work");
    await first.kill();
    await using _second = await startCrashProcess(space, { worker });
    assertEquals((await ended(server, "e")).payload, "once");
    assertEquals(remote.keys, ["e.work.1.0"]);
    assertEquals(await keysOf(space), ["async.e.work.1.0", "engine.e.work.1.0"]);
  }));

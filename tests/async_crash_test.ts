import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import {
  createServer,
  type Execution,
  type FlowDef,
  PermissionError,
  permissionsBlock,
  type Result,
  serveAsync,
  type Server,
  ValidationError,
} from "../mod.ts";
import { type NatsServer, startNatsServer } from "../tools/nats.ts";
import { startCrashProcess } from "./support/crash_process.ts";
import { connectTo, ended, Gate, inSpace, reaches, Recorder, RemoteInvoker, type Space, until } from "./support/mod.ts";

const KIND = "slow";
const LEASE = "1s";
const NEVER = new Promise<Result>(() => {});
const FLOW: FlowDef = { name: "one", nodes: [{ id: "work", type: "task", invoker: KIND, timeout: "1h" }] };
const ELSEWHERE = { flows: [FLOW], asyncInvokers: { [KIND]: { invoker: "elsewhere" as const } }, leaseTtl: LEASE };

async function held(space: Space): Promise<number> {
  const { state } = await (await jetstreamManager(space.nc)).streams.info(space.names.asyncStream(KIND));
  return state.messages;
}

Deno.test("a worker process killed in the middle of a job: another one finishes it", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    const worker = { kind: KIND, leaseTtl: LEASE };
    await using first = await startCrashProcess(space, { worker });
    remote.answer = ({ owner }) => owner === first.owner ? NEVER : { status: "ok", payload: { owner } };
    const { server } = await space.engine(ELSEWHERE);
    await server.start("one", {}, { id: "e" });
    await until(() => remote.attempts.length === 1);
    await reaches(server, "e", "waiting", "work");
    await first.kill();
    await using second = await startCrashProcess(space, { worker });
    assertEquals((await ended(server, "e")).payload, { owner: second.owner });
    assertEquals(remote.keys, ["e.work.1.0", "e.work.1.0"]);
    await until(async () => await held(space) === 0);
    assertEquals(await second.stop(), 0);
  }));

Deno.test("an engine process that hosts workers is killed in the middle of a job: another one finishes it", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    const engine = { flows: [FLOW], hosted: [KIND], leaseTtl: LEASE };
    await using first = await startCrashProcess(space, { engine });
    remote.answer = ({ owner }) => owner === first.owner ? NEVER : { status: "ok", payload: "second" };
    const server = await space.server();
    await server.start("one", {}, { id: "e" });
    await reaches(server, "e", "waiting", "work");
    await until(() => remote.attempts.length === 1);
    await first.kill();
    await using _second = await startCrashProcess(space, { engine });
    assertEquals((await ended(server, "e")).payload, "second");
  }));

Deno.test("a job that its workers never survive is dead-lettered, and its node fails with a reason", () =>
  inSpace(async (space) => {
    const recorder = new Recorder(() => NEVER);
    const { server } = await space.engine(ELSEWHERE);
    await server.start("one", { a: 1 }, { id: "e" });
    await until(async () => await held(space) === 1);
    for (let crash = 1; crash <= 2; crash++) {
      const nc = await space.connect();
      await serveAsync(nc, { ...quiet(space), kind: KIND, invoker: recorder, leaseTtl: LEASE });
      await until(() => recorder.requests.length === crash);
      await nc.close(); // as a crash: nothing is given back
    }
    const options = { ...quiet(space), kind: KIND, invoker: recorder, leaseTtl: LEASE, maxDeliver: 2 };
    await using _worker = await serveAsync(space.nc, options);
    const { status, error } = await ended(server, "e");
    assertEquals([status, error], ["failed", "the job was given up on after 2 deliveries"]);
    const [letter] = await server.deadLetters();
    assertEquals([letter!.source, letter!.key, letter!.deliveries], ["async", "e", 2]);
    assertStringIncludes(JSON.stringify(letter!.body), `"node":"work"`);
    assertEquals(recorder.requests.length, 2);
    await until(async () => await held(space) === 0);
    await server.resume("e");
    recorder.answer = () => ({ status: "ok", payload: "resumed" });
    assertEquals((await ended(server, "e")).payload, "resumed");
  }));

Deno.test("an engine killed between queueing a job and parking: another one parks, and the job is run once", () =>
  inSpace(async (space) => {
    const engine = { flows: [FLOW], leaseTtl: LEASE, elsewhere: [KIND] };
    const gate = new Gate();
    await using first = await startCrashProcess(space, { engine, holds: "exec" });
    await using _worker = await serveAsync(space.nc, { ...quiet(space), kind: KIND, invoker: gate });
    const client = await space.server();
    await client.start("one", {}, { id: "e" });
    await gate.asked("work");
    assertEquals((await client.get("e")).status, "running");
    await first.kill();
    await using _second = await startCrashProcess(space, { engine });
    await reaches(client, "e", "waiting", "work");
    assertEquals([gate.held, await held(space)], [1, 1], "the job was queued once");
    gate.open({ status: "ok", payload: "done" });
    assertEquals((await ended(client, "e")).payload, "done");
    assertEquals(gate.keys, ["e.work.1.0"]);
  }));

Deno.test("a job that is done before its engine is killed, unparked, is not lost", () =>
  inSpace(async (space) => {
    const engine = { flows: [FLOW], leaseTtl: LEASE, elsewhere: [KIND] };
    const recorder = new Recorder(() => ({ status: "ok", payload: "early" }));
    await using first = await startCrashProcess(space, { engine, holds: "exec" });
    await using _worker = await serveAsync(space.nc, { ...quiet(space), kind: KIND, invoker: recorder });
    const client = await space.server();
    await client.start("one", {}, { id: "e" });
    await recorder.asked("work");
    await until(async () => await held(space) === 0, "the job to be acked");
    await first.kill();
    await using _second = await startCrashProcess(space, { engine });
    assertEquals((await ended(client, "e")).payload, "early");
    assertEquals(new Set(recorder.keys).size, 1);
    await until(async () => await held(space) === 0, "the job that was queued again to be dropped or done");
  }));

function quiet(space: Space) {
  return { namespace: space.namespace, logger: space.logger() };
}

Deno.test("serveAsync: stops when told, gives back what it cannot finish, refuses what is not valid", () =>
  inSpace(async (space) => {
    const [first, second] = [new Gate(), new Gate()];
    const { server } = await space.engine(ELSEWHERE);
    const worker = await serveAsync(space.nc, { ...quiet(space), kind: KIND, invoker: first, drainTimeout: "50ms" });
    await server.start("one", {}, { id: "e" });
    const { signal } = await first.asked("work");
    await worker.stop();
    await worker.stop();
    assertEquals([await worker.closed, signal.aborted], [undefined, true]);
    await using _other = await serveAsync(space.nc, { ...quiet(space), kind: KIND, invoker: second.invoke });
    await second.asked("work");
    second.open({ status: "ok", payload: 2 });
    first.open({ status: "ok", payload: 1 });
    assertEquals((await ended(server, "e")).payload, 2);
    const bad: [Record<string, unknown>, string][] = [
      [{ kind: "a b", invoker: first }, "kind"],
      [{ kind: KIND }, "options.invoker"],
      [{ kind: KIND, invoker: "elsewhere" }, "options.invoker"],
      [{ kind: KIND, invoker: first, concurrency: -1 }, "options.concurrency"],
      [{ kind: KIND, invoker: first, timeout: "x" }, "options.timeout"],
      [{ kind: KIND, invoker: first, flows: [] }, "options.flows"],
      [{ kind: KIND, invoker: first, namespace: "a.b" }, "namespace"],
      [{ kind: "nats-task", invoker: first }, "kind"],
    ];
    for (const [options, path] of bad) {
      const error = await assertRejects(() => serveAsync(space.nc, options as never), ValidationError);
      assertEquals(error.issues[0]!.path, path);
    }
  }));

Deno.test("an async worker does its part with only its own permissions, and is refused what is not its own", async () => {
  const users = (["engine", "async-worker"] as const).map((role) => {
    return `{ user: ${role}, password: secret, ${permissionsBlock(role, { asyncKinds: [KIND] })} }`;
  });
  await using nats = await startNatsServer({ config: `authorization { users: [ ${users.join("\n")} ] }` });
  const [engineNc, workerNc] = await Promise.all(["engine", "async-worker"].map((user) => {
    return connectTo(nats.url, { user, pass: "secret" });
  }));
  const options = { logger: { debug() {}, info() {}, warn() {}, error() {} }, resultCache: true };
  const { flows, asyncInvokers } = ELSEWHERE;
  const engine = await createServer(engineNc!, { ...options, flows, asyncInvokers });
  await engine.init();
  const running = engine.run();
  const recorder = new Recorder(({ payload }) => ({ status: "ok", payload: { got: payload } }));
  const warnings: string[] = [];
  const logger = { ...options.logger, warn: (message: string) => void warnings.push(message) };
  const worker = await serveAsync(workerNc!, { ...options, kind: KIND, invoker: recorder, logger });
  const large = "x".repeat(10_000);
  await engine.start("one", { large }, { id: "e" });
  assertEquals((await ended(engine, "e")).payload, { got: { large } });
  workerNc!.publish("packtrail.async.slow", "no job of mine");
  engineNc!.publish("packtrail.async.slow", "no JSON");
  await until(async () => (await engine.deadLetters()).length === 1, "the bad job to be dead-lettered");
  await until(() => warnings.includes("given up on: a dead letter"), "the worker to say so");
  await assertRejects(() => serveAsync(workerNc!, { ...options, kind: "other", invoker: recorder }), PermissionError);
  await worker.stop();
  await engine.close();
  await running;
  await Promise.all([engineNc!.close(), workerNc!.close()]);
});

Deno.test("a NATS server that is killed while a job runs: its result is not lost, and jobs go on after the restart", async () => {
  const storeDir = await Deno.makeTempDir();
  const first = await startNatsServer({ storeDir });
  let second: NatsServer | undefined;
  try {
    await inSpace(async (space) => {
      const gate = new Gate();
      const { server } = await space.engine({ flows: [FLOW], asyncInvokers: { [KIND]: { invoker: gate } } });
      await server.start("one", {}, { id: "a" });
      await gate.asked("work");
      await reaches(server, "a", "waiting", "work");
      await first.kill();
      gate.open({ status: "ok", payload: "done while the server was away" });
      second = await startNatsServer({ storeDir, port: first.port });
      assertEquals((await endedAfterOutage(server, "a")).payload, "done while the server was away");
      gate.answer = () => ({ status: "ok", payload: "after" });
      await server.start("one", {}, { id: "b" });
      assertEquals((await ended(server, "b")).payload, "after");
      assertEquals(gate.keys, ["a.work.1.0", "b.work.1.0"]);
    }, { url: first.url });
  } finally {
    await second?.stop();
    await first.stop();
    await Deno.remove(storeDir, { recursive: true });
  }
});

async function endedAfterOutage(server: Server, id: string): Promise<Execution> {
  return await until(async () => {
    const execution = await server.get(id).catch(() => undefined);
    return execution?.status === "completed" && execution;
  }, `execution ${id} to complete`) as Execution;
}

Deno.test("a queue that is deleted under its engine is made anew", () =>
  inSpace(async (space) => {
    const recorder = new Recorder(() => ({ status: "ok", payload: "done" }));
    const flow: FlowDef = {
      name: "one",
      nodes: [{ id: "work", type: "task", invoker: KIND, retry: { maxAttempts: 9 } }],
    };
    const { server } = await space.engine({ flows: [flow], asyncInvokers: { [KIND]: { invoker: recorder } } });
    await server.start("one", {}, { id: "a" });
    await ended(server, "a");
    await (await jetstreamManager(space.nc)).streams.delete(space.names.asyncStream(KIND));
    await server.start("one", {}, { id: "b" });
    assertEquals((await ended(server, "b")).payload, "done");
  }));

Deno.test("a job that is delivered again while its worker is at it is not run twice by that worker", () =>
  inSpace(async (space) => {
    const gate = new Gate();
    const { server } = await space.engine({ flows: [FLOW], asyncInvokers: { [KIND]: { invoker: gate } } });
    await server.start("one", {}, { id: "e" });
    await gate.asked("work");
    await reaches(server, "e", "waiting", "work");
    const jsm = await jetstreamManager(space.nc);
    const stream = space.names.asyncStream(KIND);
    // As after a restart of the NATS server that has lost what was delivered: the worker makes a consumer that knows of
    // nothing. (Made by the test, it would meet the server's own removal of the old one, which goes on for a moment.)
    await jsm.consumers.delete(stream, "workers");
    const deliveredAgain = async () => {
      const info = await jsm.consumers.info(stream, "workers").catch(() => undefined);
      return info?.num_ack_pending === 1;
    };
    await until(deliveredAgain, "a delivery by another consumer");
    gate.open({ status: "ok", payload: "once" });
    assertEquals((await ended(server, "e")).payload, "once");
    await until(async () => await held(space) === 0, "the redelivery to be acked");
    assertEquals(gate.keys, ["e.work.1.0"]);
  }));

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { type FlowDef, type Result, serveAsync, ValidationError } from "../mod.ts";
import { startCrashProcess } from "./support/crash_process.ts";
import { ended, Gate, inSpace, reaches, Recorder, RemoteInvoker, type Space, until } from "./support/mod.ts";

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

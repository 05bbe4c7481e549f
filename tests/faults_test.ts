import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { crashEverywhere } from "../faults/crash_points.ts";
import { playRound } from "../faults/random_schedules.ts";
import { StoppedProcess } from "../faults/stopped_process.ts";
import type { FlowDef } from "../mod.ts";
import { chain, ended, inSpace, reaches, Recorder, RemoteInvoker, type Space, until } from "./support/mod.ts";

Deno.test("an engine that dies at any effect loses nothing, and another comes to the same outcome", async () => {
  const failures = await crashEverywhere({ kinds: ["die"], from: 2, step: 5 });
  assert(failures >= 4, `only ${failures} crash points`);
});

Deno.test("an engine that sleeps past its lease at any effect changes nothing when it wakes up", async () => {
  const failures = await crashEverywhere({ kinds: ["freeze-before"], from: 3, step: 8 });
  assert(failures >= 3, `only ${failures} crash points`);
});

Deno.test("random flows under random faults come to what the reference interpreter says", async () => {
  const { compared, faults } = await playRound({ seed: 1, flows: 3, executions: 2, faults: 4, serverKills: 0 });
  assert(compared > 0 && Object.keys(faults).length > 1, `${compared} were compared, ${JSON.stringify(faults)}`);
});

/** A head as an engine writes it, to be spoilt. */
function headOf(space: Space, id: string, changes: Record<string, unknown>): string {
  return JSON.stringify({
    schema: 1,
    id,
    flow: "one",
    definition: "none",
    version: 1,
    phase: "ready",
    node: "n0",
    generation: 1,
    attempt: 0,
    startedAt: Date.now(),
    updatedAt: Date.now(),
    input: { value: { of: space.namespace } },
    payload: {},
    results: {},
    inlineBytes: 0,
    ...changes,
  });
}

Deno.test("poison in the stream is dead-lettered with a reason, and harms nobody else", () =>
  inSpace(async (space) => {
    const f = new Recorder(() => ({ status: "ok", payload: "fine" }));
    const options = { flows: [chain("one", 2)], invokers: { f: f.invoke }, maxDeliver: 2, leaseTtl: "1s" };
    const { server } = await space.engine(options);
    await ended(server, await server.start("one", {}, { id: "before" }));
    const definition = (await server.get("before")).definition;
    const poison: Record<string, string> = {
      "not-json": "{",
      "empty": "",
      "no-object": "[1]",
      "from-the-future": headOf(space, "from-the-future", { schema: 2 }),
      "another-id": headOf(space, "somebody-else", {}),
      "another-flow": headOf(space, "another-flow", { flow: "two" }),
      "another-phase": headOf(space, "another-phase", { phase: "waiting" }),
      "unknown-phase": headOf(space, "unknown-phase", { phase: "dancing" }),
      "unknown-definition": headOf(space, "unknown-definition", {}),
      "unknown-node": headOf(space, "unknown-node", { definition, node: "nowhere" }),
      "special-node": headOf(space, "special-node", { definition, node: "__proto__" }),
      "bad-trail": headOf(space, "bad-trail", { definition, trail: 5 }),
      "bad-branches": headOf(space, "bad-branches", { definition, branches: { n0: 7 } }),
      "bad-version": headOf(space, "bad-version", { definition, version: -1 }),
    };
    for (const [id, body] of Object.entries(poison)) {
      const note = headers();
      note.set("Packtrail-Head", id.length % 2 === 0 ? "{not json" : '{"v":"one"}');
      await space.nc.request(space.names.head("ready", "one", id), body, { headers: note, timeout: 5_000 });
    }
    await space.nc.request(space.names.head("due", "one", "due-poison"), "nothing");
    await space.nc.request(space.names.head("waiting", "one", "parked-poison"), "nothing");
    await space.nc.request(space.names.head("completed", "one", "ended-poison"), "nothing");
    await space.nc.request(`${space.namespace}.exec.dancing.one.no-phase`, "nothing");
    await space.nc.request(`${space.namespace}.exec.ready.one`, "nothing");
    await space.nc.request(space.names.head("ready", "nobody", "no-flow"), "nothing");
    const after = await Promise.all([1, 2, 3].map(() => server.start("one")));
    for (const id of after) assertEquals((await ended(server, id)).payload, "fine");
    const wanted = [...Object.keys(poison), "due-poison"].sort();
    const letters = await until(async () => {
      const found = await server.deadLetters({ limit: 100 });
      const keys = new Set(found.map(({ key }) => key));
      return wanted.every((key) => keys.has(key)) && found;
    }, `dead letters of ${wanted}`);
    for (const { key, reason, source } of letters) {
      assert(wanted.includes(key) && reason.length > 10 && source === "work", `${key}: ${reason}`);
    }
    assertEquals(f.requests.filter(({ executionId }) => wanted.includes(executionId)), []);
    const jsm = await jetstreamManager(space.nc);
    await until(async () => {
      const info = await jsm.consumers.info(space.names.executionStream(), space.names.flowConsumer("one"));
      return info.num_pending === 0 && info.num_ack_pending === 1;
    }, "the poison to be out of the way, but for what a newer engine will understand");
    await checkReaders(space, server, [...after, "before"]);
  }));

/** Whatever is read of a namespace is read with poison in it, and who is well is well. */
async function checkReaders(
  space: Space,
  server: Awaited<ReturnType<Space["server"]>>,
  healthy: readonly string[],
): Promise<void> {
  const ids = new Set(await server.list());
  const completed = new Set(await server.byStatus("completed"));
  for (const id of healthy) assert(ids.has(id) && completed.has(id), `${id} is listed`);
  for (const status of ["running", "waiting", "failed", "cancelled"] as const) {
    for (const id of healthy) assert(!(await server.byStatus(status)).includes(id));
    await server.byStatusEvents(status);
  }
  const recent = (await server.recent({ limit: 200 })).map(({ executionId }) => executionId);
  for (const id of healthy) assertEquals(recent.filter((one) => one === id).length, 1, `${id} is recent, once`);
  assert((await server.counts()).one!.completed >= healthy.length);
  await server.backlog();
  for (const id of healthy) assertEquals((await server.get(id)).status, "completed");
  for (const id of ["not-json", "parked-poison", "due-poison"]) {
    const error = await server.get(id).then(() => undefined, (cause) => cause);
    assert(error instanceof Error && error.message.length > 10, `${id}: ${error}`);
  }
  await server.reconcile();
  await ended(server, await server.start("one", {}, { id: "at-last" }));
  assertEquals(space.log.filter(({ message }) => message.includes("crash")), []);
}

Deno.test("an engine process that is stopped past its lease does no harm when it goes on", () =>
  inSpace(async (space) => {
    const held = Promise.withResolvers<void>();
    let first: string | undefined;
    const remote = new RemoteInvoker(space.nc, space.namespace, async ({ node, owner }) => {
      first ??= owner;
      if (owner === first && node === "n1") await held.promise;
      return { status: "ok", payload: { node, by: owner === first ? "first" : "second" } };
    });
    const options = { flows: [chain("slow", 3, "remote")], leaseTtl: "1s" };
    await using stopped = await StoppedProcess.start(space, options);
    const server = await space.server();
    await server.start("slow", {}, { id: "e" });
    await until(() => remote.attempts.some(({ node }) => node === "n1"));
    stopped.stop();
    held.resolve();
    await using _second = await StoppedProcess.start(space, options);
    const { payload, revision } = await ended(server, "e");
    assertEquals(payload, { node: "n2", by: "second" });
    stopped.go();
    // It works again: only what it did too late has come to nothing.
    const count = remote.attempts.length;
    await until(async () => {
      await ended(server, await server.start("slow"));
      return remote.attempts.slice(count).some(({ owner }) => owner === stopped.owner);
    }, "the first engine to take work again");
    assertEquals((await server.get("e")).revision, revision);
    assertEquals((await server.history("e")).map(({ node }) => node), ["n0", "n1", "n2", "n2"]);
    // The attempt of the stopped engine was made again. Others are where this machine is slower than a lease.
    const keys = remote.keys.filter((key) => key.startsWith("e."));
    assertEquals([...new Set(keys)], ["e.n0.1.0", "e.n1.2.0", "e.n2.3.0"]);
    assert(keys.filter((key) => key === "e.n1.2.0").length >= 2, `${keys}`);
    assertEquals(await server.deadLetters(), []);
  }));

/** What the server writes when a schedule fires in the instant it is cancelled: its body, with no check (R2). */
async function fireStale(space: Space, flow: string, id: string, body: string): Promise<void> {
  await space.nc.request(space.names.head("due", flow, id), body);
}

Deno.test("a schedule that fires in the instant it is cancelled changes nothing (R2)", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ attempt, nodeId }) =>
      nodeId === "retried" && attempt === 0 ? { status: "retry", error: "busy" } : { status: "ok" }
    );
    const flow: FlowDef = {
      name: "parks",
      nodes: [
        { id: "wait", type: "signal", signalName: "go", timeout: "10m", onTimeout: "late" },
        { id: "retried", type: "task", invoker: "f", retry: { maxAttempts: 2 } },
        { id: "late", type: "task", invoker: "f" },
      ],
      edges: [{ from: "wait", to: "retried" }],
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const jsm = await jetstreamManager(space.nc);
    const parkedBody = async (id: string) => {
      const subject = space.names.head("waiting", "parks", id);
      return (await jsm.streams.getMessage(space.names.executionStream(), { last_by_subj: subject }))!.string();
    };
    for (const id of ["cancelled", "signalled"]) {
      await server.start("parks", {}, { id });
      await reaches(server, id, "waiting", "wait");
    }
    const cancelled = await parkedBody("cancelled");
    await server.cancel("cancelled", "enough");
    await fireStale(space, "parks", "cancelled", cancelled);
    const signalled = await parkedBody("signalled");
    await server.signal("signalled", "go");
    await until(async () => (await server.get("signalled")).currentNode === "retried");
    await fireStale(space, "parks", "signalled", signalled);
    assertEquals((await ended(server, "signalled")).currentNode, "retried");
    const info = () => jsm.consumers.info(space.names.executionStream(), space.names.flowConsumer("parks"));
    await until(async () => {
      const { num_pending, num_ack_pending } = await info();
      return num_pending + num_ack_pending === 0;
    });
    assertEquals((await server.get("cancelled")).status, "cancelled");
    assertEquals(await server.byStatus("cancelled"), ["cancelled"]);
    assertEquals(await server.byStatus("completed"), ["signalled"]);
    assertEquals(f.keys, ["signalled.retried.2.0", "signalled.retried.2.1"]);
    assertEquals((await server.history("cancelled")).map(({ status }) => status), ["waiting", "cancelled"]);
    const statuses = (await server.history("signalled")).map(({ status }) => status);
    assertEquals([statuses[0], statuses.at(-1)], ["waiting", "completed"]);
    assertEquals(await server.deadLetters(), []);
  }));

/** A server that is lost with its disk, and what a backup brings back. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { type FlowDef, NotFoundError, type Server } from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import {
  chain,
  ended,
  inSpace,
  reaches,
  Recorder,
  type RunningEngine,
  type Space,
  streamsOf,
  until,
} from "./support/mod.ts";
import { backUpStream, restoreStream, type StreamBackup } from "./support/stream_backup.ts";

const FLOWS: FlowDef[] = [
  {
    name: "approval",
    nodes: [
      { id: "ask", type: "task", invoker: "f" },
      { id: "wait", type: "signal", signalName: "go" },
      { id: "pay", type: "task", invoker: "f" },
    ],
    edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "pay" }],
  },
  {
    name: "reminder",
    nodes: [
      { id: "wait", type: "signal", signalName: "never", timeout: "3s", onTimeout: "remind" },
      { id: "remind", type: "task", invoker: "f" },
    ],
  },
  chain("activity", ["send", "book"]),
  chain("report", ["write"]),
];

/** More than a head carries: it is kept in the stream of data. */
const LARGE = "x".repeat(5_000);

/** What invokers do: `remind` hangs until the disaster is over, so that the reminder is open when it comes. */
function worker(): { f: Recorder; disasterIsOver: () => void } {
  const over = Promise.withResolvers<void>();
  const f = new Recorder(async ({ nodeId }) => {
    if (nodeId === "send") return { status: "pending" };
    if (nodeId === "remind") await over.promise;
    return { status: "ok", payload: nodeId === "ask" ? { asked: LARGE } : { done: nodeId } };
  });
  return { f, disasterIsOver: over.resolve };
}

/** An engine with a connection of its own, which outlives a server. */
async function engineOn(space: Space, f: Recorder): Promise<RunningEngine> {
  const options = { flows: FLOWS, invokers: { f: f.invoke }, leaseTtl: "2s", drainTimeout: "1s" };
  return await space.engine(options, await space.connect());
}

/** Executions in every kind of waiting, and a schedule. */
async function populate(server: Server): Promise<void> {
  for (const id of ["a", "b"]) await server.start("approval", { of: id }, { id });
  await server.start("activity", {}, { id: "p" });
  await server.scheduleFlow("often", "report", "*/2 * * * * *", { every: "two seconds" });
  for (const id of ["a", "b"]) await reaches(server, id, "waiting", "wait");
  await reaches(server, "p", "waiting", "send");
  await server.start("reminder", {}, { id: "r" });
  await until(async () => (await server.history("r")).length > 0, "the reminder to be set");
}

/** After the restore: each of them goes on, by what it had. */
async function assertAllGoOn(server: Server, f: Recorder): Promise<void> {
  const reports = f.of("write").length;
  await server.signal("a", "go");
  assertEquals((await ended(server, "a")).status, "completed");
  assertEquals((await server.results("a")).results, { ask: { asked: LARGE }, pay: { done: "pay" } });
  assertEquals((await server.history("a")).map(({ node }) => node), ["ask", "wait", "pay", "pay"]);
  await server.completeActivity("p", "send", 0, { status: "ok", payload: { sent: true } });
  assertEquals((await ended(server, "p")).payload, { done: "book" });
  assertEquals((await ended(server, "r")).currentNode, "remind");
  assertEquals((await server.schedules()).map(({ name, payload }) => [name, payload]), [
    ["often", { every: "two seconds" }],
  ]);
  await until(() => f.of("write").length >= reports + 2, "the schedule to go on");
}

Deno.test("a copy of a stopped server's store brings everything back as it was, and effects after it run again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "packtrail-backup-" });
  const [store, copy, restored] = ["store", "copy", "restored"].map((name) => `${folder}/${name}`);
  let nats = await startNatsServer({ storeDir: store! });
  const { port, url } = nats;
  try {
    await inSpace(async (space) => {
      const { f, disasterIsOver } = worker();
      const before = await engineOn(space, f);
      await populate(before.server);

      await nats.stop();
      await copyFolder(store!, copy!);
      nats = await startNatsServer({ storeDir: store!, port });

      // What happens after the backup is lost with the server.
      await reaches(before.server, "b", "waiting", "wait"); // the engine is connected again
      await before.server.signal("b", "go");
      assertEquals((await ended(before.server, "b")).status, "completed");
      assertEquals((await ended(before.server, await before.server.start("report", {}, { id: "late" }))).id, "late");
      await nats.kill();
      await Deno.remove(store!, { recursive: true });
      await before.stop().catch(() => {}); // it says that the server is away
      const done = f.requests.length;
      assertEquals(f.keys.filter((key) => key.startsWith("b.pay.")).length, 1);

      await copyFolder(copy!, restored!);
      nats = await startNatsServer({ storeDir: restored!, port });
      disasterIsOver();
      const { server } = await engineOn(space, f);
      assertEquals((await server.get("b")).status, "waiting");
      await assertRejects(() => server.get("late"), NotFoundError);
      await assertAllGoOn(server, f);

      // Whoever sends it again has the same effects, by the same keys.
      await server.signal("b", "go");
      assertEquals((await ended(server, "b")).status, "completed");
      await ended(server, await server.start("report", {}, { id: "late" }));
      for (const effect of ["b.pay.", "late.write."]) {
        const keys = f.keys.filter((key) => key.startsWith(effect));
        assertEquals([keys.length, new Set(keys).size], [2, 1], effect);
      }
      assertEquals((await server.reconcile()).redriven, 0, "nothing had to be driven again");
      assert(f.keys.slice(done).every((key) => !key.startsWith("a.ask.")), "what the backup holds is not done again");
      assertEquals(await server.deadLetters(), []);
      await space.end();
    }, { url });
  } finally {
    await nats.kill();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("snapshots of the streams, taken while no engine runs, bring everything back on another server", async () => {
  const { f, disasterIsOver } = worker();
  const backups: StreamBackup[] = [];
  const namespace = "backed-up";
  {
    await using lost = await startNatsServer();
    await inSpace(async (space) => {
      const before = await engineOn(space, f);
      await populate(before.server);
      await before.stop();
      const names = await streamsOf(space.nc, namespace);
      assert(names.includes(space.names.executionStream()), names.join());
      for (const name of names) backups.push(await backUpStream(space.nc, name));
    }, { url: lost.url, namespace });
  }
  await using nats = await startNatsServer();
  await inSpace(async (space) => {
    for (const backup of backups) await restoreStream(space.nc, backup);
    const jsm = await jetstreamManager(space.nc);
    for (const { config, state } of backups) {
      const found = (await jsm.streams.info(config.name)).state;
      assertEquals([config.name, found.messages], [config.name, state.messages]);
    }
    disasterIsOver();
    const { server } = await engineOn(space, f);
    await assertAllGoOn(server, f);
    await server.signal("b", "go");
    assertEquals((await ended(server, "b")).status, "completed");
    assertEquals(await server.deadLetters(), []);
  }, { url: nats.url, namespace });
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

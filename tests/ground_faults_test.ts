import { assert, assertEquals, assertRejects } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { account, raisedLimit } from "../faults/ground/account.ts";
import { ChangingServer } from "../faults/ground/changing_server.ts";
import { wrongClocks } from "../faults/ground/clocks.ts";
import { slowServer } from "../faults/ground/disk.ts";
import { lowButEnough, reachedAtSetUp, smallMessages, TOO_LOW } from "../faults/ground/limits.ts";
import { lostByEngines, lostByOthers, users } from "../faults/ground/permissions.ts";
import { NotFoundError } from "../mod.ts";
import { natsOf } from "../src/nats/client.ts";
import { reviveRemovals, reviveSchedules } from "../src/nats/revive.ts";
import { chain, ended, inSpace, newNamespace, Recorder, until } from "./support/mod.ts";

const SMALL = { flows: 3, executions: 3, hostileMs: 1_500 };
/** Signals of Unix, and where servers are sent them. */
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "no room, a lost permission, a server that does not answer: engines wait, say why, lose nothing and go on",
  ignore,
  fn: async () => {
    await Promise.all([
      raisedLimit({ ...SMALL, seed: 4 }),
      lostByEngines({ ...SMALL, seed: 3, only: ["heads"] }),
      slowServer({ ...SMALL, seed: 5, bursts: 2, burstMs: 3_000 }),
    ]);
  },
});

Deno.test({
  name: "limits of the account that are too low to set up say what they are; low ones that are enough do",
  ignore,
  fn: async () => {
    await Promise.all([
      ...TOO_LOW.map(([limits, says]) => reachedAtSetUp(limits, says)),
      lowButEnough(),
    ]);
  },
});

Deno.test({
  name: "a head that is too large for the server fails its execution with a reason, and nobody else's",
  ignore,
  fn: smallMessages,
});

Deno.test({
  name: "a client and a worker that lose their permissions are told which, and go on when they have them again",
  ignore,
  fn: lostByOthers,
});

Deno.test({
  name: "a signal and a cancel that come before a start which no engine can make yet wait for it",
  ignore,
  fn: async () => {
    const namespace = newNamespace();
    const heads = { name: "heads", operation: "publish", subject: `${namespace}.exec.>` } as const;
    await using nats = await ChangingServer.start({ changing: users(namespace, { engine: heads }) });
    const [own, outside] = [await nats.connect("engine"), await nats.connect("client")];
    try {
      await inSpace(async (space) => {
        const flow = { name: "asks", nodes: [{ id: "ask", type: "signal" as const, signalName: "go" }] };
        const { server } = await space.engine({ flows: [flow], maxDeliver: 2 }, own);
        await server.init();
        const client = await space.server({}, outside);
        const from = space.log.length;
        for (const id of ["signalled", "cancelled"]) await client.start("asks", {}, { id });
        await client.signal("signalled", "go", 7);
        await client.cancel("cancelled", "enough");
        const postponed = (of: string) =>
          space.log.slice(from).filter(({ fields }) => `${fields.subject}`.includes(`.in.${of}.`)).length;
        await until(() => postponed("signal") > 2 && postponed("cancel") > 2, "both to wait");
        const hindrances = space.log.slice(from).filter(({ message }) => message.startsWith("work "));
        assertEquals(
          new Set(hindrances.map(({ message }) => message)),
          new Set(["work is held up until this is mended"]),
        );
        await nats.change(users(namespace));
        await until(() => server.get("signalled").then(({ status }) => status === "completed", () => false));
        await until(() => server.get("cancelled").then(({ status }) => status === "cancelled", () => false));
        assertEquals((await server.get("signalled")).payload, { go: 7 });
        assertEquals(await server.deadLetters(), []);
      }, { url: nats.url, namespace });
    } finally {
      for (const nc of [own, outside]) await nc.close();
    }
  },
});

Deno.test("engines whose clocks are an hour apart, and jump, come to the same, and no timer is early", async () => {
  const { schedules } = await wrongClocks({ ...SMALL, seed: 6, jumps: 4 });
  assert(schedules > 5, `${schedules} schedules were seen`);
});

Deno.test({
  name: "nats-server forgets a schedule that falls due when there is no room for it; reconcile drives it on",
  ignore,
  fn: async () => {
    await using nats = await ChangingServer.start({ changing: account("max_file: 8M") });
    await inSpace(async (space) => {
      const js = jetstream(space.nc);
      const jsm = await jetstreamManager(space.nc);
      const schedule = async (name: string, when: string) => {
        const note = headers();
        note.set("Nats-Schedule", when);
        note.set("Nats-Schedule-Target", `raw.fired.${name}`);
        await js.publish(`raw.${name}`, "x", { headers: note });
      };
      await jsm.streams.add({ name: "raw", subjects: ["raw.>"], allow_msg_schedules: true, max_msgs_per_subject: 1 });
      const { server } = await space.engine({
        flows: [chain("one", 1)],
        invokers: { f: new Recorder().invoke },
        retention: { completed: "3s" },
      });
      const { updatedAt } = await ended(server, await server.start("one", {}, { id: "done" }));
      await server.scheduleFlow("every", "one", "* * * * * *");
      await until(async () => (await server.schedules())[0]?.last, "a first tick");
      await schedule("lost", `@at ${new Date(Date.now() + 1_000).toISOString()}`);
      await nats.change(account("max_file: 1"));
      await until(() => js.publish("raw.full", "").then(() => false, () => true), "the account to be full");
      await until(() => Date.now() > updatedAt.getTime() + 4_000, "all of them to fall due");
      await nats.change(account("max_file: 8M"));
      await until(() => js.publish("raw.full", "").then(() => true, () => false), "room");
      await schedule("next", `@at ${new Date(Date.now() + 500).toISOString()}`);
      const fired = async (name: string) =>
        await jsm.streams.getMessage("raw", { last_by_subj: `raw.fired.${name}` }).catch(() => null) !== null;
      await until(() => fired("next"), "a later schedule to fire");
      assertEquals(await fired("lost"), false, "nats-server tries again now: the workaround may go");
      // An engine looks by itself only where it was refused something, and has not been for a while.
      const { last } = (await server.schedules())[0]!;
      const parts = await natsOf(space.nc, space.names);
      assertEquals(
        (await server.get("done")).status,
        "completed",
        "nats-server tries again now: the workaround may go",
      );
      await reviveRemovals(parts, 1_000);
      await assertRejects(() => server.get("done"), NotFoundError);
      const revived = await reviveSchedules(parts, 1_000);
      assert(revived <= 1, `${revived}`);
      await until(async () => (await server.schedules())[0]!.last! > last!, "the schedule to fire again");
      await server.unschedule("every");
    }, { url: nats.url });
  },
});

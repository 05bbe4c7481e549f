/** Recurring schedules on a real NATS server. @module */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { createServer, NotFoundError, ValidationError } from "../mod.ts";
import { chain, ended, inSpace, Recorder, type Space, streamsOf, until } from "./support/mod.ts";

const EVERY_SECOND = "* * * * * *";
const NEVER_SOON = "0 0 0 29 2 *";

Deno.test("a schedule starts its flow again and again with its payload", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("report", 1)], invokers: { f: f.invoke } });
    await server.scheduleFlow("nightly", "report", EVERY_SECOND, { for: "all" });
    await until(() => f.requests.length >= 2, "two ticks");
    assertEquals(await server.unschedule("nightly"), true);
    const ids = await server.list();
    for (const id of ids) {
      assert(id.startsWith("nightly-"), id);
      assertEquals((await server.results(id)).input, { for: "all" });
      await ended(server, id);
    }
    assertEquals(new Set(f.keys).size, f.keys.length, "no execution ran twice");
  }));

Deno.test("schedules are listed by name with their next firing in their time zone, replaced and removed", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({
      flows: [chain("a", 1), chain("b", 1)],
      invokers: { f: new Recorder().invoke },
    });
    assertEquals(await server.schedules(), []);
    await server.scheduleFlow("z", "a", "0 30 9 1 1 *", {}, { timeZone: "Asia/Tokyo" });
    await server.scheduleFlow("y", "b", "  0 0  12 * * MON-FRI ", { deep: { n: 1 } });
    const [y, z] = await server.schedules();
    assertEquals([y!.name, y!.flow, y!.cron, y!.timeZone, y!.payload], ["y", "b", "0 0 12 * * MON-FRI", "UTC", {
      deep: { n: 1 },
    }]);
    assertEquals([y!.next.getUTCHours(), y!.next.getUTCMinutes(), y!.next.getUTCSeconds()], [12, 0, 0]);
    assertEquals([z!.name, z!.timeZone, z!.next.toISOString().slice(5)], ["z", "Asia/Tokyo", "01-01T00:30:00.000Z"]);
    assert(z!.next.getTime() > Date.now(), "next is in the future");

    await server.scheduleFlow("z", "b", NEVER_SOON, { other: true });
    const replaced = (await server.schedules())[1]!;
    assertEquals([replaced.flow, replaced.cron, replaced.timeZone, replaced.payload], ["b", NEVER_SOON, "UTC", {
      other: true,
    }]);
    assertEquals(await server.unschedule("z"), true);
    assertEquals(await server.unschedule("z"), false);
    assertEquals((await server.schedules()).map(({ name }) => name), ["y"]);
  }));

Deno.test("a schedule that was replaced starts only what it was replaced with", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({
      flows: [chain("old", ["o"]), chain("new", ["n"])],
      invokers: { f: f.invoke },
    });
    await server.scheduleFlow("s", "old", EVERY_SECOND);
    await f.asked("o");
    await server.scheduleFlow("s", "new", EVERY_SECOND);
    const before = f.of("o").length;
    await f.asked("n", 2);
    assert(f.of("o").length <= before + 1, "but for a tick that was on its way");
    assert((await server.schedules())[0]!.last instanceof Date);
  }));

Deno.test("what the server would refuse is refused before anything is written", () =>
  inSpace(async (space) => {
    const server = await space.server({ flows: [chain("a", 1)], invokers: { f: new Recorder().invoke } });
    const crons = [
      "* * * * *",
      "* * * * * * *",
      "61 * * * * *",
      "0 0 24 * * *",
      "0 0 0 * * 7",
      "0 0 0 L * *",
      "H * * * * *",
      "0 0 0 * * 1#2",
      "0 0 0 31 2 *",
      "0 0 0 * FEB-JAN *",
      "0 0 0 * january *",
      "@every 1s",
      "@daily",
      "@at 2030-01-01T00:00:00Z",
      "0 0 0 * * *\r\nNats-TTL: 1s",
      "",
      "every day at nine",
      undefined as unknown as string,
      7 as unknown as string,
    ];
    for (const cron of crons) {
      const error = await assertRejects(() => server.scheduleFlow("s", "a", cron), ValidationError);
      assertEquals(error.issues[0]!.path, "cron", cron);
      await assertRejects(() => createServer(space.nc, { reconcile: cron === undefined ? "" : cron }), ValidationError);
    }
    for (const timeZone of ["Europe/Atlantis", "+01:00", "Local", "", 7 as unknown as string]) {
      const error = await assertRejects(
        () => server.scheduleFlow("s", "a", NEVER_SOON, {}, { timeZone }),
        ValidationError,
      );
      assertEquals(error.issues[0]!.path, "timeZone");
    }
    for (const name of ["", "a.b", "a b", "*", ">", "x".repeat(129), "a\r\nb"]) {
      await assertRejects(() => server.scheduleFlow(name, "a", NEVER_SOON), ValidationError);
      await assertRejects(() => server.scheduleFlow("s", name, NEVER_SOON), ValidationError);
      await assertRejects(() => server.unschedule(name), ValidationError);
    }
    await assertRejects(() => server.scheduleFlow("s", "a", NEVER_SOON, [] as never), ValidationError);
    await assertRejects(() => server.scheduleFlow("s", "a", NEVER_SOON, {}, { zone: "UTC" } as never), ValidationError);
    assertEquals(await streamsOf(space.nc, space.namespace), [], "nothing was written");
    await assertRejects(() => server.scheduleFlow("s", "nobody", NEVER_SOON), NotFoundError);
  }));

Deno.test("every cron expression and time zone that passes the check is one the NATS server takes", () =>
  inSpace(async (space) => {
    const server = await space.server({ flows: [chain("a", 1)], invokers: { f: new Recorder().invoke } });
    const crons = [
      "*/5 0-30/10 1,2 ? JAN,mar-JUN 1-5",
      "0 0 0 1-15,20 * SUN-SAT",
      "59 59 23 31 12 *",
      "0 0 0 */31 * *",
    ];
    for (const cron of crons) {
      for (const timeZone of ["UTC", "europe/rome", "America/New_York", "Asia/Calcutta", "EST5EDT"]) {
        await server.scheduleFlow("s", "a", cron, {}, { timeZone });
        assertEquals((await server.schedules()).length, 1, `${cron} ${timeZone}`);
      }
    }
  }));

Deno.test("a flow that only another instance has loaded can be scheduled", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const bare = await space.server({}, await space.connect());
    await assertRejects(() => bare.scheduleFlow("s", "a", EVERY_SECOND), NotFoundError);
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke } });
    await server.init();
    await bare.scheduleFlow("s", "a", EVERY_SECOND);
    await f.asked("n0");
    assertEquals((await bare.schedules()).map(({ name }) => name), ["s"]);
  }));

Deno.test("two engines, one of which lacks the flow, start one execution for each tick, also when it is delivered again", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke } });
    await space.engine({ flows: [chain("b", 1)], invokers: { f: f.invoke } }, await space.connect());
    await until(() => server.backlog().then(({ flows }) => flows.a !== undefined), "the engine to take work");
    // What the server writes when a schedule is due.
    const tick = { name: "s", flow: "a", cron: NEVER_SOON, timeZone: "UTC", payload: { n: 1 } };
    const js = jetstream(space.nc);
    for (let count = 1; count <= 5; count++) {
      await js.publish(space.names.tick("a", "s"), JSON.stringify(tick));
      await until(async () => (await server.list()).length === count, `tick ${count}`);
    }
    await redeliverLastTick(space);
    await until(() => f.requests.length >= 5);
    for (const id of await server.list()) await ended(server, id);
    assertEquals((await server.list()).length, 5);
    assertEquals(new Set(f.requests.map(({ executionId }) => executionId)).size, 5);
    assertEquals(f.requests.length, 5);
  }));

Deno.test("a tick of a flow that no engine has is a dead letter with a reason, however soon the next one comes", () =>
  inSpace(async (space) => {
    const gone = await space.server({ flows: [chain("gone", 1)], invokers: { f: new Recorder().invoke } });
    await gone.scheduleFlow("s", "gone", EVERY_SECOND, { n: 1 });
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("here", 1)], invokers: { f: f.invoke } });
    const letter = await until(async () => (await server.deadLetters())[0], "a dead letter");
    assertEquals([letter.source, letter.key], ["schedule", "s"]);
    assertStringIncludes(letter.reason, "no engine that runs has flow gone");
    assertEquals((letter.body as { payload: unknown }).payload, { n: 1 });
    assertEquals(await server.list(), []);
    // The next ticks go where they should as soon as an engine has the flow.
    await space.engine({ flows: [chain("gone", 1)], invokers: { f: f.invoke } }, await space.connect());
    await f.asked("n0");
  }));

Deno.test("a tick that makes no sense is a dead letter, and the next one is not held up", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke } });
    await until(() => server.backlog().then(({ flows }) => flows.a !== undefined));
    const js = jetstream(space.nc);
    const bodies = [
      "",
      "null",
      "[]",
      "7",
      "{",
      `{"flow":7}`,
      `{"flow":"a"}`,
      `{"flow":"a","cron":"${NEVER_SOON}","payload":[]}`,
    ];
    for (const [index, body] of bodies.entries()) await js.publish(space.names.tick("a", `bad-${index}`), body);
    await js.publish(space.names.tick("a", "good"), JSON.stringify({ flow: "a", cron: NEVER_SOON, timeZone: "UTC" }));
    await f.asked("n0");
    const letters = await until(async () => {
      const found = await server.deadLetters();
      return found.length === bodies.length && found;
    }, "a dead letter for each") as Awaited<ReturnType<typeof server.deadLetters>>;
    assertEquals(letters.map(({ source }) => source), bodies.map(() => "schedule"));
    assertEquals(letters.map(({ key }) => key).sort(), bodies.map((_, index) => `bad-${index}`));
    for (const { reason } of letters) assert(reason.length > 10, reason);
  }));

Deno.test("reconcile runs on its own schedule, changes with the option, stays where it says nothing, goes with false", () =>
  inSpace(async (space) => {
    const flows = [chain("a", 1)];
    const invokers = { f: new Recorder().invoke };
    const first = await space.engine({ flows, invokers, reconcile: EVERY_SECOND });
    await until(() => space.log.some(({ message }) => message === "reconciled"), "a reconciliation");
    await first.stop();
    assertEquals(await housekeeping(space), EVERY_SECOND);
    await (await space.server({ flows, invokers })).init();
    assertEquals(await housekeeping(space), EVERY_SECOND, "an instance that says nothing leaves it");
    await (await space.server({ flows, invokers, reconcile: " 0 0  3 * * * " })).init();
    assertEquals(await housekeeping(space), "0 0 3 * * *");
    await (await space.server({ flows, invokers, reconcile: false })).init();
    assertEquals(await housekeeping(space), undefined);
    await (await space.server({ flows, invokers, reconcile: false })).init();
    assertEquals((await first.server.schedules()).length, 0, "it is no schedule of a flow");
  }));

/** Makes the consumer of ticks deliver the last tick once more, as after a lost ack. */
async function redeliverLastTick(space: Space): Promise<void> {
  const jsm = await jetstreamManager(space.nc);
  const stream = space.names.executionStream();
  const message = await jsm.streams.getMessage(stream, { last_by_subj: space.names.tick("a", "s") });
  const { delivered } = await jsm.consumers.info(stream, "ticks");
  await jsm.consumers.delete(stream, "ticks"); // the engines make it anew, and get everything that is still there
  await until(async () => {
    const info = await jsm.consumers.info(stream, "ticks").catch(() => undefined);
    return info !== undefined && info.delivered.stream_seq >= message!.seq && info.num_ack_pending === 0;
  }, `tick ${message!.seq} to be delivered again (it was ${delivered.stream_seq})`);
}

async function housekeeping(space: Space): Promise<string | undefined> {
  const jsm = await jetstreamManager(space.nc);
  const filter = { last_by_subj: space.names.housekeeping("schedule") };
  const message = await jsm.streams.getMessage(space.names.executionStream(), filter).catch(() => null);
  return message?.header?.get("Nats-Schedule");
}

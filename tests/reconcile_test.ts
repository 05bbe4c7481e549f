/** Reconciliation: what it repairs, and what it leaves alone. @module */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { type FlowDef, NotFoundError, type Result, type Server } from "../mod.ts";
import { chain, ended, Gate, inSpace, reaches, Recorder, type Space, until } from "./support/mod.ts";

/** Short, so that what is left over is old enough soon. */
const LEASE = 400;

const EVERY_SECOND = "* * * * * *";

const WAITING: FlowDef = {
  name: "waiting",
  nodes: [
    { id: "work", type: "task", invoker: "f" },
    { id: "wait", type: "signal", signalName: "go" },
    { id: "end", type: "task", invoker: "f" },
  ],
  edges: [{ from: "work", to: "wait" }, { from: "wait", to: "end" }],
};

const large = (mark: string) => ({ text: mark.padEnd(8_192, ".") });

/** Reconciles until something has been repaired. */
async function repaired(server: Server, what: "swept" | "orphans" | "redriven"): Promise<number> {
  return await until(async () => (await server.reconcile())[what], `${what} to be repaired`);
}

Deno.test("on a healthy namespace there is nothing to do, whatever state its executions are in", () =>
  inSpace(async (space) => {
    const f = new Gate(["held"]);
    const gate = f.answer;
    f.answer = (request, call): Result | Promise<Result> => {
      if (request.nodeId === "bad") return { status: "error", error: "x" };
      return request.nodeId === "held" ? gate(request, call) : { status: "ok", payload: large(request.nodeId) };
    };
    const flows = [WAITING, chain("held", ["held"]), chain("bad", ["one", "bad"]), chain("good", 5)];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, leaseTtl: LEASE });
    await server.scheduleFlow("s", "good", "0 0 0 29 2 *");
    for (const flow of ["waiting", "held", "bad", "good"]) await server.start(flow, large(flow), { id: flow });
    await until(() => f.held === 1);
    await reaches(server, "waiting", "waiting");
    for (const id of ["bad", "good"]) await ended(server, id);
    const healthy = { checked: 2, swept: 0, orphans: 0, redriven: 0 };
    // The only thing to find: when it is old enough to be removed, so is all the rest.
    await jetstream(space.nc).publish(space.names.data("nobody", "lost"), "{}");
    for (let report = await server.reconcile(); report.orphans === 0; report = await server.reconcile()) {
      assertEquals(report, healthy);
    }
    assertEquals(await server.reconcile(), healthy);
    f.open();
    await server.signal("waiting", "go", large("signal"));
    for (const id of ["waiting", "held"]) assertEquals((await ended(server, id)).status, "completed");
    for (const id of ["waiting", "bad", "good", "held"]) await server.results(id);
    assertEquals((await server.list()).length, 4);
    assertEquals((await server.schedules()).length, 1);
  }));

Deno.test("messages that an engine has left over are swept", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server, stop } = await space.engine({ flows: [chain("a", 2)], invokers: { f: f.invoke }, leaseTtl: LEASE });
    const id = await server.start("a");
    await ended(server, id);
    await stop();
    // Superseded work that lies behind what was acked, as an engine that died before it has swept leaves it.
    const jsm = await jetstreamManager(space.nc);
    const stream = space.names.executionStream();
    const completed = await jsm.streams.getMessage(stream, { last_by_subj: space.names.headsOf("a", id) });
    // An ack on its way when an engine sweeps for the last time may leave one, too.
    const left = (await jsm.streams.info(stream)).state.messages - 1;
    const old = JSON.stringify({ ...completed!.json<object>(), phase: "ready", version: 1 });
    await jetstream(space.nc).publish(space.names.head("ready", "a", "gone"), old.replaceAll(id, "gone"));
    const consumer = await jetstream(space.nc).consumers.get(stream, space.names.flowConsumer("a"));
    const taken = await consumer.next({ expires: 5_000 });
    await taken!.ackAck();
    await jetstream(space.nc).publish(
      space.names.head("completed", "a", "gone"),
      old.replaceAll(id, "gone").replace(`"ready"`, `"completed"`).replace(`"version":1`, `"version":2`),
    );
    assertEquals(await repaired(server, "swept"), 1 + left);
    assertEquals(await server.list(), [id, "gone"].sort());
    assertEquals((await server.get("gone")).status, "completed");
    assertEquals(await server.reconcile(), { checked: 0, swept: 0, orphans: 0, redriven: 0 });
  }));

Deno.test("values and mail of executions that are gone or have ended are removed, those in use are not", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: large(nodeId) }));
    const { server } = await space.engine({
      flows: [WAITING, chain("a", 2)],
      invokers: { f: f.invoke },
      leaseTtl: LEASE,
    });
    await server.start("waiting", large("input"), { id: "live" });
    await reaches(server, "live", "waiting");
    await ended(server, await server.start("a", large("input"), { id: "done" }));
    const js = jetstream(space.nc);
    for (const id of ["live", "done", "gone"]) {
      await js.publish(space.names.data(id, "lost-1"), JSON.stringify(large("lost")));
      await js.publish(space.names.signalMail(id, "later"), "{}");
    }
    let orphans = 0;
    await until(async () => (orphans += (await server.reconcile()).orphans) === 4, "two values and two pieces of mail");
    assertEquals((await server.reconcile()).orphans, 0);
    const jsm = await jetstreamManager(space.nc);
    const mail = await jsm.streams.info(space.names.executionStream(), { subjects_filter: space.names.mailOf() });
    assertEquals(Object.keys(mail.state.subjects ?? {}), [space.names.signalMail("live", "later")]);
    const values = await jsm.streams.info(space.names.dataStream, {
      subjects_filter: space.names.data("live", "lost-1"),
    });
    assertEquals(
      Object.keys(values.state.subjects ?? {}).length,
      1,
      "a live execution's may be about to be referred to",
    );
    await server.signal("live", "go");
    assertEquals((await ended(server, "live")).status, "completed");
    const { input, results } = await server.results("live");
    assertEquals([input, results.work], [large("input"), large("work")]);
    assertEquals((await server.results("done")).results.n1, large("n1"));
  }));

Deno.test("work that was acked although nobody has done it is driven again", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server, stop } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke }, leaseTtl: LEASE });
    const jsm = await jetstreamManager(space.nc);
    const stream = space.names.executionStream();
    await until(() => jsm.consumers.info(stream, space.names.flowConsumer("a")).then(() => true, () => false));
    await stop();
    const id = await server.start("a", { n: 1 });
    const consumer = await jetstream(space.nc).consumers.get(stream, space.names.flowConsumer("a"));
    await (await consumer.next({ expires: 5_000 }))!.ackAck();
    const again = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke }, leaseTtl: LEASE });
    await ended(again.server, await again.server.start("a", { n: 2 }));
    assertEquals(await again.server.get(id).then(({ status }) => status), "running", "nobody delivers it");
    const report = await again.server.reconcile();
    assertEquals([report.redriven, report.orphans], [1, 0]);
    assertEquals((await ended(again.server, id)).status, "completed");
    assertEquals(new Set(f.keys).size, 2);
    assertEquals((await again.server.reconcile()).redriven, 0);
  }));

Deno.test("a parked execution whose schedule was lost is woken, and still gets its signal", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [WAITING], invokers: { f: f.invoke }, leaseTtl: LEASE });
    await server.start("waiting", {}, { id: "w" });
    await reaches(server, "w", "waiting");
    await loseSchedule(space, "waiting", "w");
    assertEquals((await server.reconcile()).redriven, 1);
    assertEquals((await server.reconcile()).redriven, 0, "it has its schedule again");
    await until(async () => (await server.get("w")).status === "waiting", "it to wait on");
    await server.signal("w", "go", { n: 1 });
    assertEquals((await ended(server, "w")).payload, { go: { n: 1 } });
  }));

Deno.test("reconcile harms nobody while engines are at work", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: large(nodeId) }));
    const flows = [chain("a", 6), WAITING];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, leaseTtl: LEASE });
    const other = await space.engine({ flows, invokers: { f: f.invoke }, leaseTtl: LEASE }, await space.connect());
    const ids: string[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const started = Array.from({ length: 10 }, async (_, index) => {
        const flow = index % 2 === 0 ? "a" : "waiting";
        const id = await server.start(flow, large(`${batch}-${index}`), { id: `${flow}-${batch}-${index}` });
        if (flow === "waiting") await other.server.signal(id, "go", large("signal"));
        return id;
      });
      const [report] = await Promise.all([other.server.reconcile(), ...started]);
      assertEquals(report.redriven, 0, JSON.stringify(report));
      ids.push(...await Promise.all(started));
    }
    for (const id of ids) {
      assertEquals((await ended(server, id)).status, "completed");
      const { results, input } = await server.results(id);
      assertEquals(Object.keys(results).length, id.startsWith("a") ? 6 : 2);
      assertEquals(input, large(id.split("-").slice(1).join("-")));
    }
    assertEquals(new Set(f.keys).size, 50 * 6 + 50 * 2, "every step ran; again only where a lease ran out");
    assertEquals(await server.deadLetters(), []);
    const { running, completed } = (await server.counts()).a!;
    assertEquals([running, completed], [0, 50]);
  }));

Deno.test("a head that cannot be read is left alone, with its values, and the others are looked at", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [WAITING], invokers: { f: f.invoke }, leaseTtl: LEASE });
    await server.start("waiting", {}, { id: "w" });
    await reaches(server, "w", "waiting");
    const js = jetstream(space.nc);
    await js.publish(space.names.head("waiting", "waiting", "odd"), `{"schema":99}`);
    await js.publish(space.names.data("odd", "value"), "{}");
    await js.publish(space.names.data("gone", "value"), "{}");
    assertEquals(await repaired(server, "orphans"), 1);
    const report = await server.reconcile();
    assertEquals([report.checked, report.orphans, report.redriven], [2, 0, 0]);
    await js.publish(space.names.head("ready", "waiting", "odder"), "no JSON");
    const letter = await until(async () => (await server.deadLetters())[0], "a dead letter");
    assertEquals([letter.source, letter.key], ["work", "odder"]);
    assertMatch(letter.reason, /the head's body is not JSON/);
    assert((await server.reconcile()).redriven === 0);
    await js.publish(space.names.deadLetter("work"), `{"source":"work","key":"x"}`);
    const [unreadable] = await server.deadLetters();
    assertMatch(unreadable!.reason, /^a record that cannot be read: /);
    await server.discard(unreadable!.sequence);
    await server.discard(letter.sequence);
    assertEquals(await server.deadLetters(), []);
    await assertRejects(() => server.discard(letter.sequence), NotFoundError, "there is no dead letter");
  }));

Deno.test("ticks that come while an engine reconciles begin no other reconciliation", () =>
  inSpace(async (space) => {
    const slow = await slowReconcile(space);
    await space.engine(
      { flows: [chain("a", 1)], invokers: { f: new Recorder().invoke }, reconcile: EVERY_SECOND },
      slow.nc,
    );
    const jsm = await jetstreamManager(space.nc);
    const sys = () => jsm.consumers.info(space.names.executionStream(), "sys").catch(() => undefined);
    await until(async () => (await sys())?.delivered.consumer_seq! >= 3, "three ticks to be delivered");
    const { begun } = slow;
    slow.goOn();
    assertEquals(begun, 1);
    await until(() => slow.begun > 1, "the next one, when that is done");
  }));

Deno.test("an engine that stops does not wait for a reconciliation, which then looks at nothing more", () =>
  inSpace(async (space) => {
    const slow = await slowReconcile(space);
    const options = { flows: [WAITING], invokers: { f: new Recorder().invoke }, drainTimeout: "100ms" };
    const { server, stop } = await space.engine({ ...options, reconcile: EVERY_SECOND }, slow.nc);
    await server.start("waiting", {}, { id: "w" });
    await reaches(server, "w", "waiting");
    await until(() => slow.begun > 0, "a reconciliation");
    await stop().finally(slow.goOn);
    const { message, fields } = await until(() => space.log.find(({ message }) => message.startsWith("reconciled")));
    assertEquals([message, fields.checked], ["reconciled in part", 0]);
    await space.engine(options);
    await until(() => space.log.some(({ message }) => message === "reconciled"), "another engine to reconcile");
  }));

/** A connection on which reconciliations wait, before they look at anything, until they are told to go on. */
async function slowReconcile(space: Space) {
  const nc = await space.connect();
  const slow = { nc, begun: 0, goOn: () => {} };
  const told = new Promise<void>((resolve) => slow.goOn = resolve);
  const request = nc.request.bind(nc);
  nc.request = async (subject, data, options) => {
    // It begins with the names of the flows.
    if (
      subject === `$JS.API.STREAM.INFO.KV_${space.names.flowBucket}` &&
      new TextDecoder().decode(data as Uint8Array).includes("subjects_filter")
    ) {
      slow.begun++;
      await told;
    }
    return await request(subject, data, options);
  };
  return slow;
}

/** Writes a parked head again as it is, without its schedule, as a restored backup might. */
async function loseSchedule(space: Space, flow: string, id: string): Promise<void> {
  const jsm = await jetstreamManager(space.nc);
  const filter = { last_by_subj: space.names.headsOf(flow, id) };
  const head = await jsm.streams.getMessage(space.names.executionStream(), filter);
  const note = headers();
  note.set("Packtrail-Head", head!.header.get("Packtrail-Head"));
  await jetstream(space.nc).publish(head!.subject, head!.data, { headers: note });
}

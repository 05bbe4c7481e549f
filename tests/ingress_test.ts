/** Commands by a plain publish, as from any NATS client in any language. @module */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import fc from "fast-check";
import type { DeadLetter, FlowDef, Result, Server } from "../mod.ts";
import { chain, ended, Gate, inSpace, type LogLine, reaches, Recorder, type Space, until } from "./support/mod.ts";

const APPROVAL: FlowDef = {
  name: "approval",
  nodes: [
    { id: "ask", type: "task", invoker: "f" },
    { id: "wait", type: "signal", signalName: "approved" },
    { id: "act", type: "task", invoker: "f" },
  ],
  edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "act" }],
};

/** Publishes as any NATS client would, with no reply and no header. */
function send(space: Space, subject: string, body?: string): void {
  space.nc.publish(`${space.namespace}.in.${subject}`, body);
}

async function letters(server: Server, count: number): Promise<DeadLetter[]> {
  return await until(async () => {
    const found = await server.deadLetters({ limit: 1_000 });
    return found.length >= count && found;
  }, `${count} dead letters`) as DeadLetter[];
}

Deno.test("plain publishes start, signal, complete, cancel and resume executions", () =>
  inSpace(async (space) => {
    const answers: Record<string, Result> = {
      slow: { status: "pending" },
      shaky: { status: "error", error: "broken" },
    };
    const f = new Recorder(({ nodeId }) => answers[nodeId] ?? { status: "ok" });
    const flows = [APPROVAL, chain("pending", ["slow", "after"]), chain("fails", ["shaky"])];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    await server.init();

    send(space, "start.approval.a-1", `{"n":1}`);
    send(space, "start.approval");
    send(space, "signal.a-1.approved", `{"by":"ann"}`);
    const done = await until(async () => {
      const execution = await server.get("a-1").catch(() => undefined);
      return execution?.status === "completed" && execution;
    }, "a-1 to complete") as Awaited<ReturnType<Server["get"]>>;
    assertEquals(done.payload, { n: 1, approved: { by: "ann" } });
    const other = await until(async () => (await server.byFlow("approval")).find((id) => id !== "a-1"));
    assertMatch(other, /^exec-/);
    assertEquals((await server.results(other)).input, {});

    send(space, `signal.${other}.approved`);
    assertEquals((await ended(server, other)).payload, { approved: null });

    for (const [id, generation] of [["p-1", ""], ["p-2", ".1"]] as const) {
      await server.start("pending", {}, { id });
      await reaches(server, id, "waiting", "slow");
      send(space, `complete.${id}.slow.0${generation}`, `{"status":"ok","payload":{"done":true}}`);
      assertEquals((await ended(server, id)).payload, { done: true });
    }

    await server.start("approval", {}, { id: "c-1" });
    await reaches(server, "c-1", "waiting");
    send(space, "cancel.c-1", `{"reason":"changed my mind"}`);
    const cancelled = await ended(server, "c-1");
    assertEquals([cancelled.status, cancelled.error], ["cancelled", "changed my mind"]);

    await server.start("fails", {}, { id: "r-1" });
    assertEquals((await ended(server, "r-1")).status, "failed");
    answers.shaky = { status: "ok" };
    send(space, "resume.r-1");
    await reaches(server, "r-1", "completed");
    assertEquals(await server.deadLetters(), []);
    assertEquals((await server.backlog()).commands, 0, "every command was acked");
  }));

Deno.test("a start that is delivered again, with an id or without, is one execution and one run", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server, stop } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke } });
    const jsm = await jetstreamManager(space.nc);
    await until(() => jsm.consumers.info(space.names.inboxStream, "inbox").then(() => true, () => false));
    await stop();
    const js = jetstream(space.nc);
    await js.publish(`${space.namespace}.in.start.a`, `{"n":1}`);
    await js.publish(`${space.namespace}.in.start.a.own`, `{"n":2}`);
    // Another engine takes both, carries them out, and dies before it has acked: they are given back by hand.
    const consumer = await js.consumers.get(space.names.inboxStream, "inbox");
    const taken = await consumer.fetch({ max_messages: 2, expires: 5_000 });
    const messages = [];
    for await (const message of taken) messages.push(message);
    assertEquals(messages.length, 2);
    const seq = messages[0]!.seq;
    const id = `exec-${Math.floor(messages[0]!.info.timestampNanos / 1e6).toString(36)}-${seq.toString(36)}`;
    await server.start("a", { n: 1 }, { id });
    await server.start("a", { n: 2 }, { id: "own" });
    for (const message of messages) message.nak();
    const again = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke } });
    for (const each of [id, "own"]) await ended(again.server, each);
    await until(async () => (await server.backlog()).commands === 0, "the commands to be acked");
    assertEquals(await server.list(), [id, "own"].sort());
    assertEquals(f.requests.length, 2);
    const { num_redelivered, num_ack_pending } = await jsm.consumers.info(space.names.inboxStream, "inbox");
    assertEquals([num_redelivered, num_ack_pending], [0, 0]);
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("what makes no sense is a dead letter with its reason, its neighbours are unharmed and nothing is blocked", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: nodeId === "slow" ? "pending" : "ok" }));
    const flows = [APPROVAL, chain("pending", ["slow"])];
    const options = { flows, invokers: { f: f.invoke }, maxDeliver: 2, maxPayloadBytes: 10_000 };
    const { server } = await space.engine(options);
    await server.start("approval", {}, { id: "w-1" });
    await reaches(server, "w-1", "waiting");
    await server.start("pending", {}, { id: "p-1" });
    await reaches(server, "p-1", "waiting");
    const big = JSON.stringify({ text: "x".repeat(20_000) });
    const bad: [string, string | undefined, DeadLetter["source"], RegExp][] = [
      ["nonsense", undefined, "ingress", /is not the subject of a command/],
      ["start", undefined, "ingress", /is not the subject of a command/],
      ["start.approval.a.b", undefined, "ingress", /is not the subject of a command/],
      ["start.approval", "{", "ingress", /the body is not JSON: "\{"/],
      ["start.approval", "[1]", "ingress", /must be a JSON object, it is \[1\]/],
      ["start.approval", "\u0000\u0001", "ingress", /the body is not JSON: "\\u0000/],
      ["start.approval", big, "ingress", /the payload is too large: 20011 bytes of JSON, the limit is 10000/],
      ["start.nobody", "{}", "ingress", /there is no flow nobody/],
      ["start.approval.w-1", `{"other":1}`, "ingress", /execution w-1 exists with another payload/],
      ["start.pending.w-1", undefined, "ingress", /execution w-1 exists with flow approval, not pending/],
      ["signal.w-1.other", "{}", "signal", /flow approval has no node that waits for signal other/],
      ["signal.w-1.approved", "not JSON", "ingress", /the body is not JSON/],
      ["signal.w-1.approved", big, "signal", /the payload is too large/],
      ["signal.unknown.approved", "{}", "signal", /there is no execution unknown/],
      ["complete.unknown.slow.0", `{"status":"ok"}`, "ingress", /there is no execution unknown/],
      ["complete.p-1.elsewhere.0", `{"status":"ok"}`, "ingress", /flow pending has no task elsewhere/],
      ["complete.p-1.slow.0", `{"status":"pending"}`, "ingress", /a completion cannot be pending/],
      ["complete.p-1.slow.x", `{"status":"ok"}`, "ingress", /the attempt must be a number/],
      ["cancel.w-1", `{"reason":{}}`, "ingress", /the reason must be text/],
      ["resume.w-1", undefined, "ingress", /execution w-1 is waiting, not failed/],
      ["resume.unknown", undefined, "ingress", /there is no execution unknown/],
    ];
    for (const [subject, body] of bad) send(space, subject, body);
    send(space, "start.approval.good", "{}");
    await reaches(server, "w-1", "waiting");
    await until(() => server.get("good").then(() => true, () => false), "the neighbour to start");
    const found = await letters(server, bad.length);
    for (const [subject, body, source, reason] of bad) {
      const full = `${space.namespace}.in.${subject}`;
      const same = found.filter((letter) => letter.subject === full && reason.test(letter.reason));
      assertEquals(same.length, 1, `${subject} ${body?.slice(0, 20)} ${JSON.stringify(found.map((l) => l.reason))}`);
      assertEquals(same[0]!.source, source, subject);
      assert(same[0]!.time instanceof Date && same[0]!.deliveries! >= 1);
    }
    assertEquals(found.length, bad.length);
    const isTold = ({ level, message }: LogLine) => level === "warn" && message === "given up on: a dead letter";
    const told = await until(() => {
      const lines = space.log.filter(isTold);
      return lines.length >= found.length && lines;
    }, "a line of the log for each") as LogLine[];
    const essence = ({ source, key, reason }: Record<string, unknown>) => [source, key, reason].join(" ");
    assertEquals(
      told.map(({ fields }) => essence(fields)).sort(),
      found.map((letter) => essence({ ...letter })).sort(),
    );
    assertEquals(await server.list(), ["good", "p-1", "w-1"]);
    assertEquals((await server.get("p-1")).status, "waiting");
    send(space, "signal.good.approved");
    assertEquals((await ended(server, "good")).status, "completed");
    await until(async () => (await server.backlog()).commands === 0, "the inbox to be empty");
  }));

Deno.test("late, duplicate and stale completions, and cancels of what is not there, change nothing and are no dead letters", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: nodeId === "slow" ? "pending" : "ok" }));
    const { server } = await space.engine({ flows: [chain("pending", ["slow", "after"])], invokers: { f: f.invoke } });
    await server.start("pending", {}, { id: "p" });
    await reaches(server, "p", "waiting");
    send(space, "complete.p.slow.7", `{"status":"ok","payload":"wrong attempt"}`);
    send(space, "complete.p.slow.0.9", `{"status":"ok","payload":"wrong generation"}`);
    // Commands are dealt with side by side: of two that come at once, either may be first.
    for (let times = 0; times < 2; times++) send(space, "complete.p.slow.0", `{"status":"ok","payload":"right"}`);
    send(space, "cancel.nobody");
    assertEquals((await ended(server, "p")).payload, "right");
    send(space, "complete.p.slow.0", `{"status":"ok","payload":"twice"}`);
    send(space, "cancel.p");
    send(space, "complete.p.slow.0", `{"status":"error","error":"late"}`);
    await until(async () => (await server.backlog()).commands === 0);
    const { status, payload } = await server.get("p");
    assertEquals([status, payload], ["completed", "right"]);
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("a result that is too large or makes no sense fails the node with a reason", () =>
  inSpace(async (space) => {
    const f = new Recorder(() => ({ status: "pending" }));
    const options = { flows: [chain("pending", ["slow"])], invokers: { f: f.invoke }, maxPayloadBytes: 10_000 };
    const { server } = await space.engine(options);
    const cases: [string, string, RegExp][] = [
      ["large", JSON.stringify({ status: "ok", payload: "x".repeat(20_000) }), /the output of node slow is too large/],
      ["odd", `{"status":"done"}`, /has status "done", not ok, error, retry or pending/],
      ["none", "", /is null, not an object with a status/],
    ];
    for (const [id, body, reason] of cases) {
      await server.start("pending", {}, { id });
      await reaches(server, id, "waiting");
      send(space, `complete.${id}.slow.0`, body);
      const { status, error } = await ended(server, id);
      assertEquals(status, "failed");
      assertMatch(error!, reason);
    }
  }));

Deno.test("a dead letter's body is bounded, and the newest come first", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke } });
    await server.init();
    const bodies = [
      "\u0000".repeat(400_000),
      "x".repeat(900_000),
      JSON.stringify({ x: "ü".repeat(300_000) }),
      `"whole"`,
    ];
    for (const body of bodies) send(space, "start.a", body);
    const found = await letters(server, bodies.length);
    assertEquals(found.filter(({ isCut }) => isCut).length, 3);
    for (const { body } of found) assert(JSON.stringify(body).length <= 300_000);
    assertEquals(found.find(({ isCut }) => !isCut)!.body, "whole");
    const newest = await server.deadLetters({ limit: 2 });
    assertEquals(newest.map(({ sequence }) => sequence), [4, 3], "the newest first");
  }));

Deno.test("whatever is published to the inbox, every message is dealt with and the engine goes on", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [chain("a", 1)], invokers: { f: f.invoke }, maxDeliver: 1 });
    await server.init();
    const token = fc.oneof(
      fc.constantFrom("start", "signal", "complete", "cancel", "resume", "a", "x", "n0", "0", "1", "__proto__"),
      fc.stringMatching(/^[!-)+-\-/-=?-~]{1,12}$/),
    );
    const message = fc.tuple(
      fc.array(token, { minLength: 1, maxLength: 6 }).map((tokens) => tokens.join(".")),
      fc.oneof(fc.json(), fc.string(), fc.constantFrom("", "{}", `{"status":"ok"}`)),
    );
    const messages = fc.sample(message, 300);
    for (const [subject, body] of messages) send(space, subject, body);
    send(space, "start.a.last");
    await ended(server, await until(() => server.get("last").then(({ id }) => id, () => ""), "the last start"));
    await until(async () => (await server.backlog()).commands === 0, "the inbox to be empty");
    for (const { reason, key } of await server.deadLetters({ limit: 1_000 })) {
      assert(reason.length > 0 && key.length > 0);
    }
    for (const id of await server.list()) await ended(server, id);
  }));

Deno.test("a command that comes while the flow's engine is busy is carried out all the same", () =>
  inSpace(async (space) => {
    const f = new Gate(["busy"]);
    const flows = [chain("busy", ["busy"]), APPROVAL];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, maxConcurrency: 1 });
    await server.start("busy", {}, { id: "b" });
    await f.asked("busy");
    send(space, "start.approval.later");
    await until(() => server.get("later").then(() => true, () => false));
    send(space, "cancel.b");
    assertEquals((await ended(server, "b")).status, "cancelled");
    await reaches(server, "later", "waiting", "wait");
    f.open();
  }));

import { assertEquals, assertMatch } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { FrailConnection } from "../faults/frail_connection.ts";
import { type FlowDef, type Json, type NodeDef, UnavailableError } from "../mod.ts";
import { natsOf } from "../src/nats/client.ts";
import { Mailbox } from "../src/nats/mail.ts";
import { ended, Gate, inSpace, reaches, Recorder, type Space, until } from "./support/mod.ts";

const task = (id: string): NodeDef => ({ id, type: "task", invoker: "f" });

/** A flow that works, then waits for `go`, then works again. */
function asking(name: string, more: { timeout?: string; onTimeout?: string } = {}): FlowDef {
  const wait: NodeDef = { id: "wait", type: "signal", signalName: "go", ...more };
  const nodes = [task("before"), wait, task("after")];
  if (more.onTimeout !== undefined) nodes.push(task(more.onTimeout));
  return { name, nodes, edges: [{ from: "before", to: "wait" }, { from: "wait", to: "after" }] };
}

Deno.test("an execution waits for its signal, takes its payload along, and goes on", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [asking("asks")], invokers: { f: f.invoke } });
    const cases: [string, Json | undefined, Json][] = [
      ["object", { approved: true }, { approved: true }],
      ["null", null, null],
      ["nothing", undefined, null],
      ["text", "yes", "yes"],
      ["large", "x".repeat(50_000), "x".repeat(50_000)],
    ];
    for (const [id, sent, expected] of cases) {
      await server.start("asks", { base: 1 }, { id });
      const waiting = await reaches(server, id, "waiting", "wait");
      assertEquals([waiting.waitSignal, waiting.signals, waiting.payload], ["go", undefined, { base: 1 }]);
      await server.signal(id, "go", sent);
      const execution = await ended(server, id);
      assertEquals([execution.status, execution.payload], ["completed", { base: 1, go: expected }]);
      assertEquals([execution.signals, execution.waitSignal], [{ go: expected }, undefined]);
      const after = f.of("after").at(-1)!;
      assertEquals([after.payload, after.context.signals], [{ base: 1, go: expected }, { go: expected }]);
    }
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("a signal that comes before its node is kept; of several the latest counts", () =>
  inSpace(async (space) => {
    const f = new Gate(["before"]);
    const { server } = await space.engine({ flows: [asking("early")], invokers: { f: f.invoke } });
    const id = await server.start("early");
    await until(() => f.held === 1);
    for (const value of [1, 2, 3]) await server.signal(id, "go", value);
    await until(async () => (await inboxSize(space)) === 0, "the signals to be taken");
    assertEquals(await keptMail(space), 1, "and kept as one");
    f.open();
    assertEquals((await ended(server, id)).payload, { go: 3 });
    await until(async () => (await keptMail(space)) === 0, "what was consumed to be removed");
  }));

/** How many pieces of mail the namespace keeps. */
async function keptMail({ nc, names }: Space): Promise<number> {
  const jsm = await jetstreamManager(nc);
  const info = await jsm.streams.info(names.executionStream(), { subjects_filter: names.mailOf() });
  return Object.keys(info.state.subjects ?? {}).length;
}

/** How many commands no engine has dealt with yet. */
async function inboxSize({ nc, names }: Space): Promise<number> {
  return (await (await jetstreamManager(nc)).streams.info(names.inboxStream)).state.messages;
}

Deno.test("a signal sent just before its execution exists is delivered to it", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { server } = await space.engine({ flows: [asking("soon")], invokers: { f: f.invoke } });
    await server.signal("soon-1", "go", "sent before");
    await server.start("soon", {}, { id: "soon-1" });
    assertEquals((await ended(server, "soon-1")).payload, { go: "sent before" });
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("a signal sent while no engine runs is not lost", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const flows = [asking("later")];
    const server = await space.server({ flows, invokers: { f: f.invoke } });
    const id = await server.start("later");
    await server.signal(id, "go", 7);
    space.run(server);
    assertEquals((await ended(server, id)).payload, { go: 7 });
  }));

Deno.test("signals with the same id count once; those without or with others each count", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const flow: FlowDef = {
      name: "twice",
      nodes: [
        task("begin"),
        { id: "first", type: "signal", signalName: "go" },
        { id: "second", type: "signal", signalName: "go" },
      ],
      edges: [{ from: "begin", to: "first" }, { from: "first", to: "second" }],
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("twice");
    await reaches(server, id, "waiting", "first");
    for (let time = 0; time < 3; time++) await server.signal(id, "go", "one", { id: "publish-1" });
    await reaches(server, id, "waiting", "second");
    await server.signal(id, "go", "one", { id: "publish-1" });
    await server.start("twice", {}, { id: "other" });
    await reaches(server, "other", "waiting", "first");
    await server.signal("other", "go", "theirs", { id: "publish-1" });
    await reaches(server, "other", "waiting", "second");
    assertEquals((await server.get(id)).currentNode, "second", "the repeated one did nothing");
    await server.signal(id, "go", "two", { id: "publish-2" });
    const { status, payload } = await ended(server, id);
    assertEquals([status, payload], ["completed", { go: "two" }]);
  }));

Deno.test("a signal that is consumed is consumed: going round waits for another", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "round",
      nodes: [
        task("begin"),
        { id: "wait", type: "signal", signalName: "go" },
        {
          id: "more",
          type: "choice",
          rules: [{ when: "payload.go == 'stop'", to: "end" }, { default: true, to: "wait" }],
        },
        task("end"),
      ],
      edges: [{ from: "begin", to: "wait" }, { from: "wait", to: "more" }],
    };
    const f = new Recorder();
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("round");
    let generation = 0;
    for (const value of ["a", "b", "stop"]) {
      const waiting = await until(async () => {
        const execution = await server.get(id);
        return execution.status === "waiting" && execution.generation > generation && execution;
      });
      generation = waiting.generation;
      await server.signal(id, "go", value);
    }
    assertEquals((await ended(server, id)).payload, { go: "stop" });
    assertEquals(f.nodes, ["begin", "end"]);
  }));

Deno.test("a time limit leads to its node, or fails the execution", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const flows = [asking("led", { timeout: "300ms", onTimeout: "late" }), asking("failing", { timeout: "300ms" })];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    const [led, failing] = [await server.start("led", { n: 1 }), await server.start("failing")];
    const completed = await ended(server, led);
    assertEquals([completed.status, completed.currentNode, completed.payload], ["completed", "late", { n: 1 }]);
    const failed = await ended(server, failing);
    assertEquals([failed.status, failed.currentNode], ["failed", "wait"]);
    assertEquals(failed.error, "signal go did not come within 300 ms");
    assertEquals(f.of("after").length, 0);
    await server.resume(failing);
    await reaches(server, failing, "waiting", "wait");
    await server.signal(failing, "go");
    assertEquals((await ended(server, failing)).status, "completed");
  }));

Deno.test("a signal in time stops the clock", () =>
  inSpace(async (space) => {
    const f = new Gate(["after"]);
    const flow = asking("intime", { timeout: "700ms", onTimeout: "late" });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("intime");
    await reaches(server, id, "waiting");
    const since = performance.now();
    await server.signal(id, "go");
    await until(() => f.held === 1);
    await until(() => performance.now() - since > 1_500, "the time limit to pass");
    assertEquals((await server.get(id)).currentNode, "after");
    f.open();
    assertEquals((await ended(server, id)).status, "completed");
    assertEquals(f.nodes, ["before", "after"]);
  }));

Deno.test("what no execution can ever take ends as a dead letter, and blocks nothing", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const flows = [asking("dead")];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke }, maxDeliver: 3 });
    const id = await server.start("dead", {}, { id: "known" });
    await server.signal("nobody", "go", { lost: true });
    await server.signal(id, "wrong-name", 1);
    await reaches(server, id, "waiting");
    await server.signal(id, "go", "fine");
    assertEquals((await ended(server, id)).payload, { go: "fine" });
    await server.signal(id, "go", "after the end");
    const letters = await until(async () => {
      const all = await server.deadLetters();
      return all.length === 3 && all;
    }, "three dead letters");
    const byBody = (body: Json) => letters.find((letter) => JSON.stringify(letter.body) === JSON.stringify(body))!;
    assertEquals(letters.every(({ source, time }) => source === "signal" && time instanceof Date), true);
    const [unknown, wrong, late] = [byBody({ lost: true }), byBody(1), byBody("after the end")];
    assertEquals([unknown.key, unknown.reason, unknown.deliveries], ["nobody", "there is no execution nobody", 3]);
    assertEquals([wrong.key, wrong.deliveries], ["known", 1]);
    assertMatch(wrong.reason, /flow dead has no node that waits for signal wrong-name/);
    assertEquals([late.key, late.reason], ["known", "execution known is completed"]);
    assertEquals((await server.deadLetters({ limit: 1 })).length, 1);
  }));

Deno.test("a signal that was kept is found by whoever comes after an engine that died before it looked (R7)", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "two",
      nodes: [
        { id: "first", type: "signal", signalName: "one" },
        { id: "second", type: "signal", signalName: "other" },
      ],
      edges: [{ from: "first", to: "second" }],
    };
    const { server, stop } = await space.engine({ flows: [flow] });
    const id = await server.start("two");
    await server.signal(id, "one");
    await reaches(server, id, "waiting", "second");
    await stop();
    // What an engine leaves that is killed between parking and its look into the mail: the signal kept, its cause unacked.
    const nats = await natsOf(space.nc, space.names);
    await new Mailbox(nats).keep(space.names.signalMail(id, "other"), `"kept"`, 2);
    await jetstream(space.nc).publish(space.names.command("complete", id, "first", 0), `{"status":"ok"}`);
    const again = await space.engine({ flows: [flow] });
    const letter = await until(async () => (await again.server.deadLetters())[0], "the completion to be given up on");
    assertEquals(letter.reason.includes("no task first"), true);
    assertEquals((await ended(again.server, id)).signals, { one: null, other: "kept" });
  }));

const WAITS: FlowDef = {
  name: "waits",
  nodes: [task("ask"), { id: "wait", type: "signal", signalName: "go" }, task("act")],
  edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "act" }],
};

async function mailIsGone(space: Space): Promise<void> {
  const jsm = await jetstreamManager(space.nc);
  await until(async () => {
    const filter = { subjects_filter: space.names.mailOf() };
    return Object.keys((await jsm.streams.info(space.names.executionStream(), filter)).state.subjects ?? {}).length ===
      0;
  }, "the mail to be removed");
}

Deno.test("mail that was consumed is removed by whoever takes over from an engine that died before it removed it", () =>
  inSpace(async (space) => {
    const f = new Gate(["ask"]);
    const options = { flows: [WAITS], invokers: { f: f.invoke }, leaseTtl: "1s" };
    const frail = new FrailConnection(await space.connect());
    const dying = new Proxy(frail.nc, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== "request") return value;
        return (subject: string, ...rest: []) => {
          if (subject.startsWith("$JS.API.STREAM.MSG.DELETE.")) frail.die();
          return (value as typeof target.request)(subject, ...rest);
        };
      },
    });
    const first = await space.server(options, dying);
    const done = first.run().catch((error) => assertEquals(error instanceof UnavailableError, true, `${error}`));
    const server = await space.server({ flows: [WAITS], invokers: { f: f.invoke } });
    await server.init();
    await server.start("waits", {}, { id: "e" });
    await f.asked("ask");
    await server.signal("e", "go");
    await until(async () => (await server.backlog()).commands === 0, "the signal to be kept");
    f.open();
    await frail.failed;
    await space.engine(options);
    assertEquals((await ended(server, "e")).status, "completed");
    await mailIsGone(space);
    await done;
  }));

Deno.test("mail that was consumed is removed by whoever finds its command done", () =>
  inSpace(async (space) => {
    const { server, stop } = await space.engine({ flows: [WAITS], invokers: { f: new Recorder().invoke } });
    await server.start("waits", {}, { id: "e" });
    await server.signal("e", "go");
    await ended(server, "e");
    await stop();
    // What an engine leaves that is killed between the head and the removal, and a command that changes nothing any more.
    const nats = await natsOf(space.nc, space.names);
    await new Mailbox(nats).keep(space.names.signalMail("e", "go"), "null", 1);
    await jetstream(space.nc).publish(space.names.command("complete", "e", "act", 0), `{"status":"ok"}`);
    await space.engine({ flows: [WAITS], invokers: { f: new Recorder().invoke } });
    await mailIsGone(space);
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("mail that is still to be consumed is left where it is", () =>
  inSpace(async (space) => {
    const f = new Gate(["act"]);
    const { server } = await space.engine({ flows: [WAITS], invokers: { f: f.invoke } });
    await server.start("waits", {}, { id: "e" });
    await server.signal("e", "go");
    await f.asked("act");
    await server.signal("e", "go", "again");
    await jetstream(space.nc).publish(space.names.command("complete", "e", "ask", 0), `{"status":"ok"}`);
    await until(async () => (await server.backlog()).commands === 0);
    const nats = await natsOf(space.nc, space.names);
    assertEquals((await new Mailbox(nats).find(space.names.mailOf("e")))?.text, `"again"`);
    f.open();
    await ended(server, "e");
  }));

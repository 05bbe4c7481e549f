/** The command on executions that it does not fit: what it refuses, and what it sends with a warning. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "@nats-io/transport-deno";
import { createServer, type FlowDef, permissionsBlock, type Server } from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import { packtrail, printed, printedJson, type Surroundings } from "./support/cli.ts";
import { ended, inSpace, reaches, type Space, until } from "./support/mod.ts";

const FLOWS: FlowDef[] = [
  {
    name: "order",
    nodes: [
      { id: "pay", type: "task", invoker: "elsewhere" },
      { id: "ready", type: "signal", signalName: "ready" },
      { id: "send", type: "task", invoker: "shaky" },
    ],
    edges: [{ from: "pay", to: "ready" }, { from: "ready", to: "send" }],
  },
  {
    name: "fans",
    nodes: [
      { id: "fan", type: "fanout", branches: ["left", "right", "aside"] },
      { id: "left", type: "task", invoker: "elsewhere" },
      { id: "right", type: "task", invoker: "elsewhere" },
      { id: "aside", type: "task", invoker: "elsewhere" },
      { id: "join", type: "fanin", waitFor: ["left", "right"], joinPolicy: "all" },
    ],
    edges: [{ from: "fan", to: "join" }],
  },
];

async function inTown(run: (server: Server, at: Surroundings, space: Space) => Promise<void>): Promise<void> {
  await inSpace(async (space) => {
    const { server } = await space.engine({
      flows: FLOWS,
      invokers: {
        elsewhere: () => ({ status: "pending" }),
        shaky: () => ({ status: "error", error: "no parcel" }),
      },
      maxDeliver: 2,
    });
    await run(server, { env: { NATS_URL: space.url, PACKTRAIL_NAMESPACE: space.namespace } }, space);
  });
}

/** Runs a command that is to be refused. Returns its exit code and the first line of what it says. */
async function refused(args: readonly string[], at: Surroundings): Promise<[number, string]> {
  const { code, stdout, stderr } = await packtrail(args, at);
  assertEquals(stdout, "");
  return [code, stderr.split("\n")[0]!.replace("packtrail: ", "")];
}

/** Runs a command that works with a warning. Returns the warning. */
async function warned(args: readonly string[], at: Surroundings): Promise<string> {
  const { code, stdout, stderr } = await packtrail(args, at);
  assertEquals([code, stdout.startsWith("sent ")], [0, true], stderr);
  return stderr;
}

Deno.test("get shows the command that completes a pending activity, and another attempt is refused", () =>
  inTown(async (server, at) => {
    await server.start("order", {}, { id: "o1" });
    await reaches(server, "o1", "waiting", "pay");
    const [, shown] = /waits for +its activity: packtrail (.*)\n/.exec(await printed(["get", "o1"], at))!;
    assertEquals(shown, "complete o1 pay 0");
    assertEquals(await refused(["complete", "o1", "pay", "1"], at), [
      5,
      "node pay of o1 is at attempt 0 (attempts count from 0), not 1",
    ]);
    assertEquals(await refused(["complete", "o1", "pay", "0", "--generation", "7"], at), [
      5,
      "node pay of o1 is at generation 1, not 7",
    ]);
    assertEquals(await refused(["complete", "o1", "pya", "0"], at), [
      4,
      'flow order has no task pya; did you mean "pay"?',
    ]);
    assertEquals(await refused(["complete", "nobody", "pay", "0"], at), [4, "there is no execution nobody"]);
    assertEquals(
      await warned(["complete", "o1", "send", "0"], at),
      "warning: o1 is at node pay, not send: the completion is dropped unless o1 is there when it arrives\n",
    );
    assertEquals(await printed(shown!.split(" "), at), "sent ok for pay of o1\n");
    await reaches(server, "o1", "waiting", "ready");
    await server.cancel("o1");
    assertEquals(await refused(["complete", "o1", "send", "0"], at), [5, "o1 is cancelled already"]);
  }));

Deno.test("branches are completed while their fan-in waits for them, those it does not wait for at any time", () =>
  inTown(async (server, at) => {
    await server.start("fans", {}, { id: "f1" });
    const parked = async () => Object.values((await server.get("f1")).branches ?? {}).filter((each) => each.parked);
    await until(async () => (await parked()).length === 3, "the branches to be pending");
    assertMatch(
      await printed(["get", "f1"], at),
      /waits for +its join\n +packtrail complete f1 left 0\n +packtrail complete f1 right 0\n/,
    );
    assertEquals(await refused(["complete", "f1", "left", "2"], at), [
      5,
      "node left of f1 is at attempt 0 (attempts count from 0), not 2",
    ]);
    await printed(["complete", "f1", "left", "0"], at);
    await until(async () => (await parked()).length === 2, "left to be completed");
    assertEquals(await refused(["complete", "f1", "left", "0"], at), [5, "branch left of f1 is completed already"]);
    await printed(["complete", "f1", "right", "0"], at);
    await ended(server, "f1");
    assertEquals(await refused(["complete", "f1", "right", "0"], at), [5, "f1 is completed already"]);
    await printed(["complete", "f1", "aside", "0", '"late"'], at);
    await until(async () => (await server.get("f1")).branches!.aside!.result === "late", "its result");
  }));

Deno.test("cancel refuses what is unknown or has ended, and repeats what was cancelled", () =>
  inTown(async (server, at) => {
    for (const id of ["done", "failed", "live"]) await server.start("order", {}, { id });
    await server.start("fans", {}, { id: "fans" });
    for (const node of ["left", "right"]) await server.completeActivity("fans", node, 0, { status: "ok" });
    await ended(server, "fans");
    await server.completeActivity("failed", "pay", 0, { status: "error", error: "no money" });
    await ended(server, "failed");
    assertEquals(await refused(["cancel", "nope"], at), [4, "there is no execution nope"]);
    assertEquals(await refused(["cancel", "fans"], at), [5, "fans is completed already"]);
    assertEquals(await refused(["cancel", "failed"], at), [5, "failed has failed already"]);
    assertEquals(await printed(["cancel", "live", "enough"], at), "cancelled live\n");
    assertEquals(await printed(["cancel", "live"], at), "cancelled live\n");
    assertEquals((await server.get("live")).error, "enough");
  }));

Deno.test("signal warns of what will come of it, and sends it all the same", () =>
  inTown(async (server, at) => {
    const unknown =
      "there is no execution o9 yet: the signal is kept for about half a minute, then it is a dead letter";
    assertEquals(await warned(["signal", "o9", "ready"], at), `warning: ${unknown}\n`);
    assertEquals(await printedJson(["signal", "o9", "ready"], at), { id: "o9", signal: "ready", warning: unknown });
    await server.start("order", {}, { id: "o1" });
    await reaches(server, "o1", "waiting", "pay");
    assertEquals(
      await warned(["signal", "o1", "redy"], at),
      'warning: flow order has no node that waits for signal redy: it is a dead letter; did you mean "ready"?\n',
    );
    assertEquals(await printedJson(["signal", "o1", "ready", "1"], at), { id: "o1", signal: "ready" });
    await server.completeActivity("o1", "pay", 0, { status: "ok" });
    assertEquals((await ended(server, "o1")).status, "failed");
    assertEquals(
      await warned(["signal", "o1", "ready"], at),
      "warning: o1 has failed: the signal is kept until it is resumed\n",
    );
    await server.start("order", {}, { id: "o2" });
    await server.cancel("o2");
    assertEquals(
      await warned(["signal", "o2", "ready"], at),
      "warning: o2 is cancelled: the signal is a dead letter\n",
    );
  }));

Deno.test("who may not read sends without a look", async () => {
  await using nats = await startNatsServer({
    config: `authorization { users: [ {user: boss, password: secret}, {user: ann, password: secret, ${
      permissionsBlock("client")
    }} ] }`,
  });
  const nc = await connect({ servers: nats.url, user: "boss", pass: "secret" });
  const server = await createServer(nc, { logger: { debug() {}, info() {}, warn() {}, error() {} } });
  await server.init();
  const at = { env: { NATS_URL: nats.url.replace("nats://", "nats://ann:secret@") } };
  assertEquals(await printed(["signal", "x", "go"], at), "sent go to x\n");
  assertEquals(await printed(["complete", "x", "a", "0"], at), "sent ok for a of x\n");
  assertEquals(await printed(["cancel", "x"], at), "cancelled x\n");
  assertEquals((await server.backlog()).commands, 3);
  await server.close();
  await nc.close();
});

Deno.test("dead letters are tried again or removed by their numbers, or all at once", () =>
  inTown(async (server, at) => {
    const letters = async (count: number) => {
      await until(async () => (await server.deadLetters()).length === count, `${count} dead letters`);
      return (await server.deadLetters()).map(({ sequence }) => String(sequence));
    };
    await server.start("order", {}, { id: "o1" });
    for (let count = 1; count <= 3; count++) await server.signal("o1", "nonsense", count);
    const [third, second, first] = await letters(3) as [string, string, string];
    const unknown = await packtrail(["redrive", "99"], at);
    assertEquals([unknown.code, unknown.stderr], [
      4,
      "packtrail: there is no dead letter 99\nhint: `packtrail dead-letters` lists them\n",
    ]);
    const some = await packtrail(["discard", first, "99", second], at);
    assertEquals([some.code, some.stdout], [4, "discarded 2 dead letters\n"]);
    assertEquals(some.stderr, unknown.stderr);
    assertEquals(await letters(1), [third]);
    for (const args of [["discard"], ["discard", third, "--all"]]) assertEquals((await packtrail(args, at)).code, 2);
    await server.signal("o1", "nonsense", 4);
    await letters(2);
    assertEquals(await printedJson(["discard", "--all"], at), { discarded: 2 });
    assertEquals(await printed(["discard", "--all"], at), "discarded 0 dead letters\n");
    assertEquals(await printed(["dead-letters"], at), "nothing was given up on\n");
  }));

Deno.test("redrive says what to do with a dead letter that cannot be tried again", () =>
  inTown(async (server, at, space) => {
    await server.start("order", {}, { id: "o1" });
    await reaches(server, "o1", "waiting", "pay");
    for (const key of ["o1", "gone"]) {
      const letter = { source: "work", key, reason: "made up", time: new Date() };
      await space.nc.request(space.names.deadLetter("work"), JSON.stringify(letter));
    }
    const [gone, live] = await server.deadLetters();
    for (
      const [letter, code, says] of [[gone!, 4, "there is no execution gone"], [
        live!,
        5,
        "o1 is waiting, not failed",
      ]] as const
    ) {
      const { code: ended, stderr } = await packtrail(["redrive", String(letter.sequence)], at);
      assertEquals(ended, code);
      assertMatch(stderr, new RegExp(`${says}\nhint: \`packtrail discard ${letter.sequence}\` removes it\n$`));
    }
  }));

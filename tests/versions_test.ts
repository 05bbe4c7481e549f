/** Definitions that change while executions run by them. @module */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { type FlowDef, NotFoundError } from "../mod.ts";
import { chain, ended, inSpace, reaches, Recorder, type Space, until } from "./support/mod.ts";

/** A flow that waits for a signal between two tasks. */
function version(last: string, name = "flow"): FlowDef {
  return {
    name,
    nodes: [
      { id: "first", type: "task", invoker: "f" },
      { id: "wait", type: "signal", signalName: "go" },
      { id: last, type: "task", invoker: "f" },
    ],
    edges: [{ from: "first", to: "wait" }, { from: "wait", to: last }],
  };
}

const ONE = version("one");
const TWO = version("two");

Deno.test("an execution parked on one version goes on by it on an engine that has only the next", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const old = await space.engine({ flows: [ONE], invokers: { f: f.invoke } });
    await old.server.start("flow", {}, { id: "a" });
    const { definition } = await reaches(old.server, "a", "waiting");
    await old.stop();

    const { server } = await space.engine({ flows: [TWO], invokers: { f: f.invoke } }, await space.connect());
    await server.start("flow", {}, { id: "b" });
    await reaches(server, "b", "waiting");
    for (const id of ["a", "b"]) await server.signal(id, "go");
    assertEquals((await ended(server, "a")).currentNode, "one");
    assertEquals((await ended(server, "b")).currentNode, "two");
    assertEquals((await server.get("a")).definition, definition);
    const versions = await server.flowVersions("flow");
    assertEquals(versions.map(({ isNewest }) => isNewest), [true, false]);
    assertEquals(versions[1]!.hash, definition);
    assertEquals((await server.flowGraph("flow")).nodes.map(({ id }) => id), ["first", "wait", "two"]);
    assertEquals((await server.flowGraph("flow", { definition })).nodes.map(({ id }) => id), ["first", "wait", "one"]);
  }));

Deno.test("engines of both versions share the work, and every execution keeps to its own", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const one = await space.engine({ flows: [ONE], invokers: { f: f.invoke } });
    const two = await space.engine({ flows: [TWO], invokers: { f: f.invoke } }, await space.connect());
    const [ones, twos] = [one, two].map((engine, index) =>
      Array.from({ length: 20 }, (_, number) => engine.server.start("flow", {}, { id: `${index + 1}-${number}` }))
    );
    for (const id of await Promise.all([...ones!, ...twos!])) await one.server.signal(id, "go");
    for (const id of await Promise.all(ones!)) assertEquals((await ended(two.server, id)).currentNode, "one");
    for (const id of await Promise.all(twos!)) assertEquals((await ended(one.server, id)).currentNode, "two");
    assertEquals(f.of("one").length, 20);
    assertEquals(f.of("two").length, 20);
    assertEquals(await one.server.deadLetters(), []);
  }));

Deno.test("a failed execution is resumed by the version it started with", () =>
  inSpace(async (space) => {
    const f = new Recorder(() => ({ status: "error", error: "down" }));
    const old = await space.engine({ flows: [chain("flow", ["n1", "n2"])], invokers: { f: f.invoke } });
    await ended(old.server, await old.server.start("flow", {}, { id: "a" }));
    await old.stop();
    f.answer = () => ({ status: "ok" });
    const { server } = await space.engine({ flows: [chain("flow", ["other"])], invokers: { f: f.invoke } });
    await server.resume("a");
    assertEquals((await ended(server, "a")).currentNode, "n2");
    assertEquals(f.nodes, ["n1", "n1", "n2"]);
  }));

Deno.test("executions of a flow that no engine has any more stay as they are, and go on when one has it again", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const old = await space.engine({ flows: [ONE], invokers: { f: f.invoke } });
    await old.server.start("flow", {}, { id: "a" });
    await reaches(old.server, "a", "waiting");
    await old.stop();
    const { server } = await space.engine({ flows: [chain("other", 1)], invokers: { f: f.invoke } });
    await server.signal("a", "go");
    await reaches(server, "a", "running", "one");
    await ended(server, await server.start("other"));
    assertEquals((await server.counts()).flow!.running, 1);
    assertEquals(await server.listFlows(), ["flow", "other"]);
    assertEquals(server.flows(), ["other"]);
    assertEquals((await server.reconcile()).redriven, 0);
    const again = await space.engine({ flows: [TWO], invokers: { f: f.invoke } }, await space.connect());
    assertEquals((await ended(again.server, "a")).currentNode, "one");
  }));

Deno.test("registering the same definition again writes nothing, and the order of its fields does not matter", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const { name, nodes, edges } = ONE;
    for (const flow of [ONE, ONE, { edges: edges!, nodes, name }]) {
      await (await space.server({ flows: [flow], invokers: { f: f.invoke } })).init();
    }
    const jsm = await jetstreamManager(space.nc);
    const { state } = await jsm.streams.info(`KV_${space.names.flowBucket}`);
    assertEquals(state.last_seq, 2, "the definition and the name");
  }));

Deno.test("work whose definition is missing is postponed, then a dead letter and a failed execution, and not lost", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const setUp = await space.server({ flows: [ONE], invokers: { f: f.invoke } });
    await setUp.start("flow", {}, { id: "a" });
    const { definition } = await setUp.get("a");
    await forget(space, definition);

    const { server } = await space.engine({ flows: [TWO], invokers: { f: f.invoke }, maxDeliver: 2 });
    const { status, error } = await ended(server, "a");
    assertEquals(status, "failed");
    assertMatch(error!, /given up on after 2 deliveries: the registry has no definition [0-9a-f]{32} of flow flow/);
    const [letter] = await server.deadLetters();
    assertEquals([letter!.source, letter!.key, letter!.reason, letter!.deliveries], ["work", "a", error!, 2]);
    assertStringIncludes(JSON.stringify(letter!.body), definition);
    assertEquals(f.requests, []);
    await assertRejects(() => server.resume("a"));
    await server.start("flow", {}, { id: "b" });
    await reaches(server, "b", "waiting", "wait");

    await (await space.server({ flows: [ONE], invokers: { f: f.invoke } }, await space.connect())).init();
    await server.redrive(letter!.sequence);
    await reaches(server, "a", "waiting", "wait");
    assertEquals(await server.deadLetters(), []);
  }));

Deno.test("an execution whose definition is missing can be cancelled, and reconcile goes past it", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const old = await space.engine({ flows: [ONE], invokers: { f: f.invoke } });
    await old.server.start("flow", {}, { id: "a" });
    const { definition } = await reaches(old.server, "a", "waiting");
    await old.stop();
    await forget(space, definition);
    const server = await space.server({ flows: [TWO], invokers: { f: f.invoke } });
    assertEquals((await server.reconcile()).checked, 1);
    await assertRejects(() => server.flowGraph("flow", { definition }), NotFoundError);
    await server.cancel("a", "nobody knows it");
    const { status, error } = await server.get("a");
    assertEquals([status, error], ["cancelled", "nobody knows it"]);
  }));

Deno.test("an engine that lacks an invoker of the version leaves the work to one that has it", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const g = new Recorder();
    const other = chain("flow", ["n"], "g");
    const starter = await space.server({ flows: [other], invokers: { g: g.invoke } });
    const id = await starter.start("flow");
    const lacking = await space.engine({ flows: [chain("flow", ["n"])], invokers: { f: f.invoke } });
    await until(() => space.log.some(({ message }) => message === "a delivery is postponed"), "the work to be refused");
    await space.engine({ flows: [other], invokers: { g: g.invoke } }, await space.connect());
    assertEquals((await ended(lacking.server, id)).status, "completed");
    assertEquals([f.nodes, g.nodes], [[], ["n"]]);
  }));

/** Removes a definition from the registry, behind everyone's back. */
async function forget(space: Space, definition: string): Promise<void> {
  const jsm = await jetstreamManager(space.nc);
  const bucket = space.names.flowBucket;
  const { purged } = await jsm.streams.purge(`KV_${bucket}`, { filter: `$KV.${bucket}.definition.${definition}` });
  assertEquals(purged, 1);
}

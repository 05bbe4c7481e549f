import { assert, assertEquals } from "@std/assert";
import type { FlowDef, NodeDef, Result } from "../mod.ts";
import {
  chain,
  ended,
  inSpace,
  reaches,
  type RemoteAttempt,
  RemoteInvoker,
  type Space,
  startEngineProcess,
  until,
} from "./support/mod.ts";

const LEASE = "1s";
const NEVER = new Promise<Result>(() => {});

const task = (id: string, more: Partial<NodeDef & { type: "task" }> = {}): NodeDef => ({
  id,
  type: "task",
  invoker: "remote",
  ...more,
});

/** A process that is killed as soon as `moment` has come, and another one that takes over. */
async function killAndTakeOver(space: Space, flow: FlowDef, moment: () => unknown): Promise<AsyncDisposable> {
  const options = { flows: [flow], leaseTtl: LEASE };
  await using first = await startEngineProcess(space, options);
  const server = await space.server();
  await server.start(flow.name, { seed: 1 }, { id: "e" });
  await until(moment);
  await first.kill();
  return await startEngineProcess(space, options);
}

/** How often each node was attempted, with which keys. */
function keysByNode(attempts: readonly RemoteAttempt[]): Record<string, string[]> {
  const byNode: Record<string, string[]> = {};
  for (const { node, key } of attempts) (byNode[node] ??= []).push(key);
  return byNode;
}

Deno.test("an engine killed in the middle of ten steps loses nothing, and only the step under way runs again", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    let first: string | undefined;
    remote.answer = ({ node, owner }) => {
      first ??= owner;
      return node === "n5" && owner === first ? NEVER : { status: "ok", payload: { node } };
    };
    const flow = chain("ten", 10, "remote");
    await using _second = await killAndTakeOver(space, flow, () => remote.attempts.some(({ node }) => node === "n5"));
    const server = await space.server();
    assertEquals((await ended(server, "e")).payload, { node: "n9" });
    const expected = Array.from({ length: 10 }, (_, n) => `e.n${n}.${n + 1}.0`);
    assertEquals(remote.keys, [...expected.slice(0, 6), ...expected.slice(5)]);
    const owners = remote.attempts.map(({ owner }) => owner === first);
    assertEquals(owners, [...Array(6).fill(true), ...Array(5).fill(false)]);
    assertEquals(Object.keys((await server.results("e")).results).length, 10);
    const nodes = (await server.history("e")).map((event) => event.node);
    assertEquals(nodes, [...Array.from({ length: 10 }, (_, n) => `n${n}`), "n9"], "the history has no gap");
  }));

Deno.test("an engine killed in a fan-out: branches that were recorded do not run again, the others do", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    let first: string | undefined;
    remote.answer = ({ node, owner }) => {
      first ??= owner;
      return owner === first && (node === "y" || node === "z") ? NEVER : { status: "ok", payload: { node, owner } };
    };
    const flow: FlowDef = {
      name: "fan",
      nodes: [
        { id: "fan", type: "fanout", branches: ["x", "y", "z"] },
        task("x"),
        task("y"),
        task("z"),
        { id: "join", type: "fanin", waitFor: ["x", "y", "z"] },
        task("after"),
      ],
      edges: [{ from: "fan", to: "join" }, { from: "join", to: "after" }],
    };
    const reader = await space.server();
    await using _second = await killAndTakeOver(space, flow, async () => {
      const { branches } = await reader.get("e");
      return branches?.x?.status === "completed" && remote.attempts.length === 3;
    });
    assertEquals((await ended(reader, "e")).status, "completed");
    const keys = keysByNode(remote.attempts);
    assertEquals([keys.x!.length, keys.y!.length, keys.z!.length, keys.after!.length], [1, 2, 2, 1]);
    for (const name of ["y", "z"]) assertEquals(new Set(keys[name]).size, 1, "the same attempt has the same key");
    const { results } = await reader.results("e");
    const ownerOf = (node: string) => (results[node] as { owner: string }).owner;
    assertEquals([ownerOf("x") === first, ownerOf("y") === first, ownerOf("z") === first], [true, false, false]);
  }));

Deno.test("an engine killed in a retry delay: another makes the next attempt, and counts on", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace, ({ attempt }) => {
      return attempt < 2
        ? { status: "retry", error: `no luck on ${attempt}` }
        : { status: "ok", payload: "third time" };
    });
    const flow: FlowDef = { name: "retry", nodes: [task("work", { retry: { maxAttempts: 3 } })] };
    const reader = await space.server();
    await using _second = await killAndTakeOver(space, flow, async () => (await reader.get("e")).error !== undefined);
    const { status, payload } = await ended(reader, "e");
    assertEquals([status, payload], ["completed", "third time"]);
    assertEquals([...new Set(remote.keys)], ["e.work.1.0", "e.work.1.1", "e.work.1.2"]);
    assertEquals(remote.attempts[0]!.owner === remote.attempts.at(-1)!.owner, false);
  }));

Deno.test("an engine killed while it waits for a signal: another goes on with it, and with the time limit of others", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace, ({ node }) => ({ status: "ok", payload: { node } }));
    const flow: FlowDef = {
      name: "ask",
      nodes: [
        task("before"),
        { id: "wait", type: "signal", signalName: "approval", timeout: "24h", onTimeout: "late" },
        task("approved"),
        { id: "soon", type: "signal", signalName: "more", timeout: "1500ms", onTimeout: "late" },
        task("late"),
      ],
      edges: [{ from: "before", to: "wait" }, { from: "wait", to: "approved" }, { from: "approved", to: "soon" }],
    };
    const server = await space.server();
    const options = { flows: [flow], leaseTtl: LEASE };
    await using first = await startEngineProcess(space, options);
    await server.start("ask", {}, { id: "e" });
    await server.start("ask", {}, { id: "f" });
    await reaches(server, "e", "waiting", "wait");
    await server.signal("f", "approval", "go");
    await reaches(server, "f", "waiting", "soon");
    await first.kill();
    await server.signal("e", "approval", { by: "someone" }); // nobody is there to take it
    await using _second = await startEngineProcess(space, options);
    assertEquals((await reaches(server, "e", "waiting", "soon")).signals, { approval: { by: "someone" } });
    await server.signal("e", "more", 2);
    assertEquals((await ended(server, "f")).currentNode, "late");
    assertEquals((await ended(server, "e")).payload, { node: "approved", more: 2 });
    assertEquals(remote.keys.length, new Set(remote.keys).size, "no step ran twice");
  }));

Deno.test("an engine killed with many executions in hand loses none of them", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace);
    const options = { flows: [chain("many", 4, "remote")], leaseTtl: LEASE, maxConcurrency: 16 };
    await using first = await startEngineProcess(space, options);
    const server = await space.server();
    const ids = Array.from({ length: 60 }, (_, index) => `e${index}`);
    await Promise.all(ids.map((id) => server.start("many", {}, { id })));
    await until(() => remote.attempts.length >= 90);
    await first.kill();
    await using _second = await startEngineProcess(space, options);
    await until(async () => (await server.byStatus("completed")).length === ids.length, "all executions to complete");
    const times = new Map<string, number>();
    for (const key of remote.keys) times.set(key, (times.get(key) ?? 0) + 1);
    assertEquals(times.size, 60 * 4, "every step of every execution ran");
    const again = [...times.values()].filter((count) => count > 1);
    assert(again.length <= 16 && again.every((count) => count === 2), `only steps in hand ran again: ${again}`);
    assertEquals(await server.byStatus("running"), []);
  }));

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { FlowDef, NodeDef, Result, RetryDef } from "../mod.ts";
import { ended, Gate, inSpace, reaches, Recorder, until } from "./support/mod.ts";

interface FanOptions {
  policy?: string;
  waitFor?: string[];
  retry?: RetryDef;
  timeout?: string;
}

/** `before`, then branches `x`, `y`, `z` at once, joined, then `after`. */
function fan(name: string, { policy, waitFor = ["x", "y", "z"], retry, timeout }: FanOptions = {}): FlowDef {
  const branches = ["x", "y", "z"].map((id): NodeDef => ({
    id,
    type: "task",
    invoker: "f",
    ...(retry === undefined ? {} : { retry }),
    ...(timeout === undefined ? {} : { timeout }),
  }));
  return {
    name,
    nodes: [
      { id: "before", type: "task", invoker: "f" },
      { id: "fan", type: "fanout", branches: ["x", "y", "z"] },
      ...branches,
      { id: "join", type: "fanin", waitFor, ...(policy === undefined ? {} : { joinPolicy: policy }) },
      { id: "after", type: "task", invoker: "f" },
    ],
    edges: [{ from: "before", to: "fan" }, { from: "fan", to: "join" }, { from: "join", to: "after" }],
  };
}

const ok = (payload: Result["payload"]): Result => payload === undefined ? { status: "ok" } : { status: "ok", payload };

Deno.test("branches run at once, and their outputs are joined into the payload", () =>
  inSpace(async (space) => {
    const f = new Gate(["x", "y", "z"]);
    const { server } = await space.engine({ flows: [fan("all")], invokers: { f: f.invoke } });
    const id = await server.start("all", { base: 1 });
    await until(() => f.held === 3, "all three branches to run at once");
    const during = await server.get(id);
    assertEquals([during.status, during.currentNode], ["running", "join"]);
    assertEquals(Object.values(during.branches!).map((branch) => branch.status), ["pending", "pending", "pending"]);
    for (const name of ["y", "x", "z"]) f.open(ok({ was: name }), name);
    const execution = await ended(server, id);
    assertEquals(execution.status, "completed");
    const branches = { x: { was: "x" }, y: { was: "y" }, z: { was: "z" } };
    assertEquals(execution.payload, { base: 1, branches });
    assertEquals(execution.branches, {
      x: { node: "x", status: "completed", attempt: 0, result: { was: "x" } },
      y: { node: "y", status: "completed", attempt: 0, result: { was: "y" } },
      z: { node: "z", status: "completed", attempt: 0, result: { was: "z" } },
    });
    const after = f.of("after")[0]!;
    assertEquals(after.context.branches, branches);
    assertEquals((await server.results(id)).results, branches);
    assertEquals([f.nodes[0], f.nodes.at(-1)], ["before", "after"]);
    for (const branch of ["x", "y", "z"]) assertEquals(f.of(branch)[0]!.payload, { base: 1 });
  }));

Deno.test("each branch is recorded as it settles", () =>
  inSpace(async (space) => {
    const f = new Gate(["x", "y", "z"]);
    const { server } = await space.engine({ flows: [fan("steps")], invokers: { f: f.invoke } });
    const id = await server.start("steps");
    await until(() => f.held === 3);
    f.open(ok(1), "y");
    const one = await until(async () => {
      const { branches } = await server.get(id);
      return branches?.y?.status === "completed" && branches;
    }, "branch y to be recorded");
    assertEquals([one.x!.status, one.y!.result, one.z!.status], ["pending", 1, "pending"]);
    f.open(ok(undefined));
    const { payload } = await ended(server, id);
    assertEquals(payload, { branches: { y: 1 } }, "a branch without an output is not in the payload");
  }));

Deno.test("a payload that is not an object is kept as value when branches are merged into it", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ok(nodeId === "before" ? [1, 2] : nodeId === "after" ? undefined : nodeId));
    const { server } = await space.engine({ flows: [fan("list")], invokers: { f: f.invoke } });
    const { payload } = await ended(server, await server.start("list"));
    assertEquals(payload, { value: [1, 2], branches: { x: "x", y: "y", z: "z" } });
  }));

Deno.test("the first branch decides a join of any; the others are aborted and their results dropped", () =>
  inSpace(async (space) => {
    const f = new Gate(["x", "y", "z"]);
    const { server } = await space.engine({ flows: [fan("any", { policy: "any" })], invokers: { f: f.invoke } });
    const id = await server.start("any");
    await until(() => f.held === 3);
    f.open(ok("first"), "z");
    assertEquals((await ended(server, id)).payload, { branches: { z: "first" } });
    for (const name of ["x", "y"]) await until(() => f.of(name)[0]!.signal.aborted, `branch ${name} to be aborted`);
    assertEquals(f.of("z")[0]!.signal.aborted, false);
    f.open(ok("late"));
    assertEquals((await server.results(id)).results, { z: "first" });
  }));

Deno.test("a quorum is met as soon as enough branches have completed", () =>
  inSpace(async (space) => {
    const f = new Gate(["x", "y", "z"]);
    const { server } = await space.engine({ flows: [fan("two", { policy: "quorum:2" })], invokers: { f: f.invoke } });
    const id = await server.start("two");
    await until(() => f.held === 3);
    f.open({ status: "error", error: "bad" }, "x");
    await until(async () => (await server.get(id)).branches?.x?.status === "failed");
    f.open(ok(2), "y");
    await until(async () => (await server.get(id)).branches?.y?.status === "completed");
    assertEquals((await server.get(id)).currentNode, "join");
    f.open(ok(3), "z");
    const { status, payload } = await ended(server, id);
    assertEquals([status, payload], ["completed", { branches: { y: 2, z: 3 } }]);
  }));

Deno.test("a join that can no longer be met fails at once, and aborts what still runs", () =>
  inSpace(async (space) => {
    const cases: [string, string[], RegExp][] = [
      ["all", ["y"], /^fan-in join needs 3 of 3 branches, 1 failed: y: bad y$/],
      ["quorum:2", ["x", "z"], /^fan-in join needs 2 of 3 branches, 2 failed: x: bad x; z: bad z$/],
      ["any", ["x", "y", "z"], /^fan-in join needs 1 of 3 branches, 3 failed: x: bad x; y: bad y; z: bad z$/],
    ];
    const f = new Gate(["x", "y", "z"]);
    const flows = cases.map(([policy], index) => fan(`fails-${index}`, { policy }));
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    for (const [index, [, failing, message]] of cases.entries()) {
      const id = await server.start(`fails-${index}`);
      await until(() => f.held === 3);
      for (const name of failing) f.open({ status: "error", error: `bad ${name}` }, name);
      const { status, currentNode, error } = await ended(server, id);
      assertEquals([status, currentNode], ["failed", "join"]);
      assertMatch(error!, message);
      const mine = f.requests.filter((request) => request.executionId === id);
      const others = mine.filter(({ nodeId }) => ["x", "y", "z"].includes(nodeId) && !failing.includes(nodeId));
      for (const { signal } of others) await until(() => signal.aborted, "the other branches to be aborted");
      f.open();
      assertEquals((await server.get(id)).status, "failed");
    }
    assertEquals(f.of("after").length, 0);
  }));

Deno.test("a resumed join runs the branches that failed or were unsettled again, and no others", () =>
  inSpace(async (space) => {
    const f = new Gate(["x", "y", "z"]);
    const { server } = await space.engine({ flows: [fan("again")], invokers: { f: f.invoke } });
    const id = await server.start("again");
    await until(() => f.held === 3);
    f.open(ok("kept"), "x");
    await until(async () => (await server.get(id)).branches?.x?.status === "completed");
    f.open({ status: "error", error: "bad" }, "y");
    const failed = await ended(server, id);
    assertEquals(failed.status, "failed");
    f.open();
    f.answer = ({ nodeId }) => ok(`${nodeId} again`);
    await server.resume(id);
    const { status, payload, generation } = await ended(server, id);
    assertEquals([status, payload], ["completed", "after again"]);
    assert(generation > failed.generation);
    assertEquals(["x", "y", "z"].map((name) => f.of(name).length), [1, 2, 2]);
    const { results } = await server.results(id);
    assertEquals([results.x, results.y, results.z], ["kept", "y again", "z again"]);
    const [first, second] = f.of("y");
    assertEquals(second!.attempt, 0);
    assert(second!.generation > first!.generation && second!.idempotencyKey !== first!.idempotencyKey);
  }));

Deno.test("a branch retries by its own policy while the others go on", () =>
  inSpace(async (space) => {
    const second = Promise.withResolvers<Result>();
    const f = new Recorder(({ nodeId, attempt }) => {
      if (nodeId !== "y") return ok(attempt);
      return attempt === 0 ? { status: "retry", error: "busy" } : second.promise;
    });
    const flow = fan("flaky", { retry: { maxAttempts: 2 } });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("flaky");
    const waiting = await until(async () => {
      const { branches } = await server.get(id);
      return branches?.y?.error === "busy" && branches;
    });
    assertEquals([waiting.y!.status, waiting.y!.attempt], ["pending", 1]);
    second.resolve(ok(1));
    const { status } = await ended(server, id);
    assertEquals([status, (await server.results(id)).results.y], ["completed", 1]);
    assertEquals(["x", "y", "z"].map((name) => f.of(name).length), [1, 2, 1]);
  }));

Deno.test("branches that time out, throw or answer nonsense fail alone", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => {
      if (nodeId === "x") throw new Error("thrown");
      if (nodeId === "y") return { status: "finished" } as unknown as Result;
      return nodeId === "z" ? new Promise<Result>(() => {}) : ok("reached");
    });
    const flow = fan("mixed", { policy: "any", timeout: "200ms" });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const { status, branches, error } = await ended(server, await server.start("mixed"));
    assertEquals(status, "failed");
    assertEquals(Object.values(branches!).map((branch) => branch.status), ["failed", "failed", "failed"]);
    assertEquals([branches!.x!.error, branches!.z!.error], ["thrown", "timed out after 200 ms"]);
    assertMatch(branches!.y!.error!, /has status "finished"/);
    assertMatch(error!, /needs 1 of 3 branches, 3 failed/);
  }));

Deno.test("a branch that the join does not wait for holds the execution up only while it runs", () =>
  inSpace(async (space) => {
    const f = new Gate(["z"]);
    const { server } = await space.engine({ flows: [fan("side", { waitFor: ["x", "y"] })], invokers: { f: f.invoke } });
    const id = await server.start("side");
    await until(() => f.held === 1);
    await until(async () => (await server.get(id)).branches?.y?.status === "completed");
    await reaches(server, id, "running", "join");
    f.open({ status: "error", error: "nobody minds" });
    const { status, branches } = await ended(server, id);
    assertEquals([status, branches!.z!.status, branches!.z!.error], ["completed", "failed", "nobody minds"]);
  }));

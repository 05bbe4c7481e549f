import { assert, assertEquals } from "@std/assert";
import type { FlowDef, Result, RetryDef } from "../mod.ts";
import { ended, Gate, inSpace, reaches, Recorder, until } from "./support/mod.ts";

const retrying = (name: string, retry: RetryDef, more: { timeout?: string } = {}): FlowDef => ({
  name,
  nodes: [{ id: "work", type: "task", invoker: "f", retry, ...more }, { id: "after", type: "task", invoker: "f" }],
  edges: [{ from: "work", to: "after" }],
});

Deno.test("a failed attempt is repeated after its delay, and every attempt is recorded", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId, attempt }) => {
      if (nodeId === "after" || attempt === 2) return { status: "ok", payload: { attempt } };
      if (attempt === 1) throw new Error("thrown on 1");
      return { status: "retry", error: "busy on 0" };
    });
    const times: number[] = [];
    const flow = retrying("thrice", { maxAttempts: 3 });
    const invoke: typeof f.invoke = (request) => {
      times.push(performance.now());
      return f.invoke(request);
    };
    const { server } = await space.engine({ flows: [flow], invokers: { f: invoke } });
    const id = await server.start("thrice");
    const parked = await reaches(server, id, "running", "work");
    assert(parked.attempt <= 1);
    const execution = await ended(server, id);
    assertEquals([execution.status, execution.error, execution.attempt], ["completed", undefined, 0]);
    assertEquals(f.keys, [`${id}.work.1.0`, `${id}.work.1.1`, `${id}.work.1.2`, `${id}.after.2.0`]);
    assertEquals(f.requests.map((request) => request.attempt), [0, 1, 2, 0]);
    assert(times[1]! - times[0]! > 900 && times[2]! - times[1]! > 900, `the delays are a second each: ${times}`);
    const failures = (await server.history(id)).filter((event) => event.error !== undefined);
    assertEquals(failures.map(({ node, attempt, error, status }) => ({ node, attempt, error, status })), [
      { node: "work", attempt: 1, error: "busy on 0", status: "running" },
      { node: "work", attempt: 2, error: "thrown on 1", status: "running" },
    ]);
  }));

Deno.test("an execution whose attempts are used up fails with the last reason", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ attempt }) => ({ status: "retry", error: `no luck on ${attempt}` }));
    const flows = [retrying("twice", { maxAttempts: 2, backoff: "exponential" }), retrying("once", { maxAttempts: 1 })];
    const { server } = await space.engine({ flows, invokers: { f: f.invoke } });
    const [twice, once] = [await server.start("twice"), await server.start("once")];
    const failed = await ended(server, twice);
    assertEquals([failed.status, failed.currentNode, failed.attempt], ["failed", "work", 1]);
    assertEquals(failed.error, "no luck on 1");
    assertEquals((await ended(server, once)).error, "no luck on 0");
    assertEquals(f.nodes, ["work", "work", "work"]);
  }));

Deno.test("an execution is running while it waits for its next attempt, and says why", () =>
  inSpace(async (space) => {
    const second = Promise.withResolvers<Result>();
    const f = new Recorder(({ nodeId, attempt }) => {
      if (nodeId === "after") return { status: "ok" };
      return attempt === 0 ? { status: "retry", error: "later" } : second.promise;
    });
    const { server } = await space.engine({
      flows: [retrying("later", { maxAttempts: 2 })],
      invokers: { f: f.invoke },
    });
    const id = await server.start("later");
    const waiting = await until(async () => {
      const execution = await server.get(id);
      return execution.error !== undefined && execution;
    });
    assertEquals([waiting.status, waiting.error, waiting.attempt], ["running", "later", 1]);
    assertEquals(await server.byStatus("running"), [id]);
    assertEquals((await server.counts()).later, { running: 1, waiting: 0, completed: 0, failed: 0, cancelled: 0 });
    second.resolve({ status: "ok" });
    assertEquals((await ended(server, id)).status, "completed");
  }));

Deno.test("an attempt that runs out of time is repeated, and its own late result is dropped", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const flow = retrying("slow", { maxAttempts: 2 }, { timeout: "150ms" });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("slow");
    const first = await f.asked("work");
    await until(() => first.signal.aborted);
    const late = f.held;
    f.answer = ({ nodeId }) => ({ status: "ok", payload: { nodeId } });
    await f.asked("work", 2);
    f.open({ status: "ok", payload: "from the first attempt" });
    assertEquals(late, 1);
    assertEquals((await ended(server, id)).payload, { nodeId: "after" });
    assertEquals((await server.results(id)).results, { work: { nodeId: "work" }, after: { nodeId: "after" } });
  }));

Deno.test("an error is not repeated, whatever the policy", () =>
  inSpace(async (space) => {
    const f = new Recorder(() => ({ status: "error", error: "not worth it" }));
    const { server } = await space.engine({ flows: [retrying("err", { maxAttempts: 5 })], invokers: { f: f.invoke } });
    assertEquals((await ended(server, await server.start("err"))).error, "not worth it");
    assertEquals(f.requests.length, 1);
  }));

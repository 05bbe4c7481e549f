import { assert, assertEquals } from "@std/assert";
import { plan } from "../decide.ts";
import { SAFETY_ALARM_MS } from "../state.ts";
import { at, ERROR, flowOf, ok, PENDING, RETRY, Run, task } from "../testing/fixtures.ts";
import { contextOf, payloadOf } from "../values.ts";

const retrying = (maxAttempts: number) => task("a", { retry: { maxAttempts, backoff: "exponential" } });
const two = () => new Run(flowOf([task("a"), task("b")], "a>b"), { n: 1 });

Deno.test("ok goes on, and its payload becomes the shared payload and the node's result", () => {
  const run = two();
  run.outcome(ok([1]));
  assertEquals([run.state.phase, run.state.node, run.state.generation], ["ready", "b", 2]);
  assertEquals(payloadOf(run.state, at(0).load), [1]);
  run.outcome(ok());
  assertEquals([run.state.phase, run.state.node], ["completed", "b"]);
  assertEquals(payloadOf(run.state, at(0).load), [1]);
  assertEquals(contextOf(run.state, at(0).load).results, { a: [1] });
  assertEquals(run.state.lastNode, "a");
});

Deno.test("null is a payload, no payload keeps the one there is", () => {
  const run = two();
  run.outcome(ok());
  assertEquals(payloadOf(run.state, at(0).load), { n: 1 });
  run.outcome(ok(null));
  assertEquals(payloadOf(run.state, at(0).load), null);
  assertEquals(contextOf(run.state, at(0).load).results, { b: null });
});

Deno.test("an error fails the execution at once, whatever the retry policy", () => {
  const run = new Run(flowOf([retrying(9)]));
  run.outcome(ERROR);
  assertEquals([run.state.phase, run.state.node, run.state.error], ["failed", "a", "broken"]);
});

Deno.test("a retry waits for its delay, and the last one fails the execution", () => {
  const run = new Run(flowOf([retrying(3)]));
  for (const [attempt, delay] of [[1, 1_000], [2, 2_000]] as const) {
    run.outcome(RETRY);
    assertEquals([run.state.phase, run.state.attempt, run.state.error], ["delayed", attempt, "busy"]);
    assertEquals(run.state.alarm, run.now + delay);
    assertEquals(plan(run.flow, run.state, new Set(), at(run.now)).type, "park");
    run.fire();
    assertEquals(run.decide({ type: "wake" }).type, "drop");
    assertEquals(plan(run.flow, run.state, new Set(), at(run.now)), { type: "invoke", attempts: [run.attempt()] });
  }
  run.outcome(RETRY);
  assertEquals([run.state.phase, run.state.error], ["failed", "busy"]);
});

Deno.test("pending parks without a limit where the node has none, and its completion goes on", () => {
  const run = two();
  const attempt = run.attempt();
  run.outcome(PENDING);
  assertEquals([run.state.phase, run.state.wait, run.state.alarm], ["waiting", { kind: "activity" }, SAFETY_ALARM_MS]);
  assertEquals(run.decide({ type: "outcome", attempt, outcome: ok() }).type, "drop");
  run.apply(run.completion(ok(2)));
  assertEquals([run.state.phase, run.state.node, run.state.wait], ["ready", "b", undefined]);
  assertEquals(payloadOf(run.state, at(0).load), 2);
});

Deno.test("an activity that runs out of time is retried, then fails; its late completion is dropped", () => {
  const run = new Run(flowOf([task("a", { activityTimeout: "5s", retry: { maxAttempts: 2 } })]));
  run.outcome(PENDING);
  const late = run.completion(ok());
  run.now = 4_999;
  assertEquals(run.decide({ type: "wake" }).type, "drop");
  run.fire();
  run.apply({ type: "wake" });
  assertEquals([run.state.phase, run.state.attempt, run.now], ["delayed", 1, 5_000]);
  assertEquals(run.decide(late), { type: "drop", reason: "node a is not at that attempt", lost: false });
  run.fire();
  run.outcome(PENDING);
  run.fire();
  run.apply({ type: "wake" });
  assertEquals(run.state.phase, "failed");
  assert(run.state.error!.includes("5000 ms"));
});

Deno.test("a completion may fail the node, or ask for another attempt", () => {
  const run = new Run(flowOf([retrying(2)]));
  run.outcome(PENDING);
  run.apply(run.completion(RETRY));
  assertEquals([run.state.phase, run.state.attempt], ["delayed", 1]);
  run.fire();
  run.outcome(PENDING);
  run.apply(run.completion(ERROR));
  assertEquals([run.state.phase, run.state.error], ["failed", "broken"]);
});

Deno.test("a completion of the attempt that still runs is kept, for its own generation", () => {
  const run = two();
  assertEquals(run.decide(run.completion(ok())), { type: "keep", generation: 1 });
  const { generation: _generation, ...unsaid } = run.completion(ok()) as Extract<
    ReturnType<typeof run.completion>,
    { type: "completion" }
  >;
  assertEquals(run.decide(unsaid), { type: "keep", generation: 1 });
});

Deno.test("completions of another attempt, generation or node change nothing; one for no node is dead-lettered", () => {
  const run = two();
  run.outcome(PENDING);
  const completion = { type: "completion", node: "a", attempt: 0, generation: 1, outcome: ok() } as const;
  for (const other of [{ attempt: 1 }, { generation: 2 }, { generation: 0 }, { node: "b" }]) {
    const decision = run.decide({ ...completion, ...other });
    assert(decision.type === "drop" && !decision.lost);
  }
  const decision = run.decide({ ...completion, node: "c" });
  assert(decision.type === "drop" && decision.lost);
});

import { assert, assertEquals } from "@std/assert";
import { isWanted, plan } from "../decide.ts";
import type { Plan } from "../events.ts";
import { at, ERROR, fanOf, flowOf, ok, PENDING, RETRY, Run, task } from "../testing/fixtures.ts";
import { contextOf, payloadOf } from "../values.ts";

const THREE = ["a", "b", "c"];
const fan = (joinPolicy: string, waitFor = THREE) =>
  new Run(fanOf([...THREE, "d"].map((id) => task(id)), { waitFor, joinPolicy }, task("after")), { n: 1 });
const planned = (run: Run, ...running: string[]): Plan => plan(run.flow, run.state, new Set(running), at(run.now));
const names = (asked: Plan) => asked.type === "invoke" ? asked.attempts.map(({ node }) => node) : asked.type;
const isStale = (run: Run, event: Parameters<Run["decide"]>[0]) => {
  const decision = run.decide(event);
  return decision.type === "drop" && !decision.lost;
};

Deno.test("an execution may start with a fan-out: it stands at the join, and every branch is to be run", () => {
  const run = fan("all");
  assertEquals([run.state.phase, run.state.node, run.state.path, run.state.generation], ["ready", "join", ["fan"], 2]);
  assertEquals(names(planned(run)), ["a", "b", "c", "d"]);
  assertEquals(names(planned(run, "a", "d")), ["b", "c"]);
});

Deno.test("all: each branch is recorded as it settles, and the last one decides", () => {
  const run = fan("all");
  for (const name of ["d", "c", "a"]) {
    run.outcome(ok(name), name);
    assertEquals(run.state.phase, "active");
    assert(run.state.alarm! >= run.now + 40_000);
    assertEquals(contextOf(run.state, at(0).load).results[name], name);
  }
  run.outcome(ok(), "b");
  assertEquals([run.state.phase, run.state.node], ["ready", "after"]);
  assertEquals(payloadOf(run.state, at(0).load), { n: 1, branches: { a: "a", c: "c" } });
  assertEquals(contextOf(run.state, at(0).load).branches, { d: "d", c: "c", a: "a" });
});

Deno.test("any: the first branch decides, and those still running are no longer wanted", () => {
  const run = fan("any", ["a", "b", "c"]);
  run.outcome(ERROR, "a");
  run.outcome(ok(1), "d");
  const [b, c] = [run.attempt("b"), run.attempt("c")];
  run.outcome(ok(2), "b");
  assertEquals(run.state.node, "after");
  assert(!isWanted(run.flow, run.state, c) && !isWanted(run.flow, run.state, b));
  assert(isStale(run, { type: "outcome", attempt: c, outcome: ok() }));
  assert(isStale(run, { type: "completion", ...c, outcome: ok() }));
});

Deno.test("quorum: a join is decided as soon as enough have completed", () => {
  const run = fan("quorum:2");
  run.outcome(ok(1), "d");
  run.outcome(ok(1), "c");
  run.outcome(ERROR, "b");
  assertEquals(run.state.phase, "active");
  run.outcome(ok(2), "a");
  assertEquals(payloadOf(run.state, at(0).load), { n: 1, branches: { a: 2, c: 1 } });
});

Deno.test("a join that can no longer be met fails at once, even while a branch nobody waits for runs", () => {
  for (const [policy, failures] of [["all", 1], ["quorum:2", 2], ["any", 3]] as const) {
    const run = fan(policy);
    for (const name of THREE.slice(0, failures)) {
      assertEquals(run.state.phase === "failed", false);
      run.outcome(ERROR, name);
    }
    assertEquals([run.state.phase, run.state.node], ["failed", "join"]);
    assert(run.state.error!.includes(`${failures} failed: a: broken`));
    assert(!isWanted(run.flow, run.state, run.attempt("d")));
  }
});

Deno.test("a decided join waits for a running branch nobody waits for, and for no other", () => {
  const run = fan("any");
  const [b, d] = [run.attempt("b"), run.attempt("d")];
  run.outcome(PENDING, "c");
  run.outcome(ok(1), "a");
  assertEquals(run.state.phase, "active");
  assert(!isWanted(run.flow, run.state, b) && isWanted(run.flow, run.state, d));
  assertEquals(names(planned(run)), ["d"]);
  // Regression: a pending branch completed after the decision joined the results.
  assert(isStale(run, run.completion(ok("late"), "c")));
  assert(isStale(run, run.completion(ok("late"), "b")));
  run.outcome(ok(2), "d");
  assertEquals(payloadOf(run.state, at(0).load), { n: 1, branches: { a: 1 } });
});

Deno.test("a pending branch nobody waits for holds nothing up, and its result is recorded in every later phase", () => {
  const after = (run: Run) => run.outcome(ok(1), "a");
  const steps: [string, (run: Run) => void][] = [
    ["active", after],
    ["active", (run) => (after(run), run.outcome(RETRY), run.fire())],
    ["delayed", (run) => (after(run), run.outcome(RETRY))],
    ["waiting", (run) => (after(run), run.outcome(PENDING))],
    ["completed", (run) => (after(run), run.outcome(ok(3)))],
    ["failed", (run) => (after(run), run.outcome(ERROR))],
  ];
  for (const [phase, lead] of steps) {
    const last = task("after", { retry: { maxAttempts: 2 } });
    const run = new Run(fanOf([task("a"), task("d")], { waitFor: ["a"] }, last));
    run.outcome(PENDING, "d");
    lead(run);
    const { node, lastNode, wait, error } = run.state;
    run.apply(run.completion(ok("late"), "d"));
    assertEquals([run.state.phase, run.state.branches!.d!.status], [phase, "completed"]);
    assertEquals(contextOf(run.state, at(0).load).results.d, "late");
    assertEquals([run.state.node, run.state.lastNode, run.state.wait, run.state.error], [node, lastNode, wait, error]);
    assert(isStale(run, run.completion(ok("again"), "d")));
  }
});

Deno.test("a late result is not recorded once the execution is cancelled, and one that asks for a retry fails", () => {
  const run = new Run(fanOf([task("a"), task("d", { retry: { maxAttempts: 5 } })], { waitFor: ["a"] }, task("after")));
  run.outcome(PENDING, "d");
  run.outcome(ok(1), "a");
  const completion = run.completion(RETRY, "d");
  run.apply(completion);
  assertEquals(run.state.branches!.d!, { status: "failed", attempt: 0, generation: 1, error: "busy" });
  const cancelled = new Run(run.flow);
  cancelled.outcome(PENDING, "d");
  cancelled.apply({ type: "cancel" });
  assert(isStale(cancelled, cancelled.completion(ok(), "d")));
});

Deno.test("branches retry by their own policies, side by side, and park together", () => {
  const run = new Run(fanOf(
    [task("a", { retry: { maxAttempts: 2 } }), task("b", { retry: { maxAttempts: 3, backoff: "linear" } })],
    { waitFor: ["a", "b"] },
  ));
  run.outcome(RETRY, "a");
  assertEquals(planned(run, "b"), { type: "invoke", attempts: [], wakeAt: 1_000 });
  run.now = 500;
  run.outcome(RETRY, "b");
  run.now = 1_000;
  assertEquals(names(planned(run)), ["a"]);
  run.outcome(ok(1), "a");
  assertEquals(planned(run), { type: "invoke", attempts: [], wakeAt: 1_500 }, "short delays are sat out");
  run.now = 1_500;
  run.outcome(RETRY, "b");
  const parked = planned(run);
  assert(parked.type === "park");
  assertEquals([parked.state.phase, parked.state.alarm, parked.state.wait], ["delayed", 3_500, { kind: "join" }]);
  run.state = parked.state;
  run.fire();
  assertEquals(run.decide({ type: "wake" }).type, "drop");
  assertEquals(planned(run), { type: "invoke", attempts: [run.attempt("b")] });
  run.outcome(RETRY, "b");
  assertEquals(run.state.phase, "failed");
});

Deno.test("a pending branch that runs out of time is noticed while others still run, and retried", () => {
  const slow = task("b", { activityTimeout: "5s", retry: { maxAttempts: 2 } });
  const run = new Run(fanOf([task("a"), slow], { waitFor: ["a", "b"] }));
  run.outcome(PENDING, "b");
  const late = run.completion(ok(), "b");
  // Regression: the time limit was looked at only when nothing ran any more.
  assertEquals(planned(run, "a"), { type: "invoke", attempts: [], wakeAt: 5_000 });
  run.now = 5_000;
  run.apply({ type: "wake" });
  assertEquals(run.state.branches!.b!.attempt, 1);
  assert(isStale(run, late));
  assertEquals(planned(run, "a"), { type: "invoke", attempts: [], wakeAt: 6_000 });
});

Deno.test("a join whose branches are all pending waits, until the first of their time limits", () => {
  const run = new Run(
    fanOf([task("a", { activityTimeout: "5s" }), task("b")], { waitFor: ["a", "b"], joinPolicy: "any" }),
  );
  run.outcome(PENDING, "a");
  run.outcome(PENDING, "b");
  const parked = planned(run);
  assert(parked.type === "park");
  assertEquals([parked.state.phase, parked.state.alarm], ["waiting", 5_000]);
  run.state = parked.state;
  run.fire();
  run.apply({ type: "wake" });
  assertEquals([run.state.phase, run.state.branches!.a!.status], ["active", "failed"]);
  run.state = (planned(run) as Plan & { type: "park" }).state;
  assertEquals(run.state.phase, "waiting");
  run.apply(run.completion(ok(1), "b"));
  assertEquals(run.state.phase, "completed");
});

Deno.test("a completion at a join that waits parks it again, until the join is decided", () => {
  const run = new Run(fanOf([task("a"), task("b")], { waitFor: ["a", "b"] }));
  assertEquals(run.decide(run.completion(ok(), "a")), { type: "keep", generation: 1 });
  run.outcome(PENDING, "a");
  run.outcome(PENDING, "b");
  run.state = (planned(run) as Plan & { type: "park" }).state;
  run.apply(run.completion(ok(1), "a"));
  assertEquals([run.state.phase, run.state.wait], ["waiting", { kind: "join" }]);
  for (const other of [{ attempt: 1 }, { generation: 7 }]) {
    assert(isStale(run, { type: "completion", node: "b", attempt: 0, outcome: ok(), ...other }));
  }
  run.apply({ type: "completion", node: "b", attempt: 0, outcome: ok(2) });
  assertEquals(payloadOf(run.state, at(0).load), { branches: { a: 1, b: 2 } });
});

Deno.test("after a failed join the failed and unsettled branches run again, completed ones keep their results", () => {
  const run = fan("all");
  run.outcome(ok(1), "a");
  run.outcome(PENDING, "d");
  const [old, pending] = [run.attempt("c"), run.completion(ok(), "d")];
  run.outcome(ERROR, "b");
  run.apply({ type: "resume" });
  assertEquals([run.state.phase, run.state.node, run.state.generation, run.state.error], [
    "ready",
    "join",
    3,
    undefined,
  ]);
  assertEquals(planned(run), {
    type: "invoke",
    attempts: ["b", "c", "d"].map((node) => ({ node, generation: 3, attempt: 0 })),
  });
  assert(!isWanted(run.flow, run.state, old) && isStale(run, pending));
  for (const name of ["b", "c", "d"]) run.outcome(ok(name), name);
  assertEquals(payloadOf(run.state, at(0).load), { n: 1, branches: { a: 1, b: "b", c: "c" } });
});

Deno.test("of an earlier fan-out only pending branches nobody waited for are carried on, until they settle", () => {
  const flow = flowOf(
    [
      { id: "f1", type: "fanout", branches: ["a", "b", "late"] },
      ...["a", "b", "late", "c"].map((id) => task(id)),
      { id: "j1", type: "fanin", waitFor: ["a", "b"], joinPolicy: "any" },
      { id: "f2", type: "fanout", branches: ["c"] },
      { id: "j2", type: "fanin", waitFor: ["c"] },
    ],
    "f1>j1",
    "j1>f2",
    "f2>j2",
  );
  const run = new Run(flow);
  run.outcome(PENDING, "late");
  run.outcome(PENDING, "b");
  run.outcome(ok(1), "a");
  assertEquals([run.state.node, Object.keys(run.state.branches!).sort()], ["j2", ["c", "late"]]);
  run.apply(run.completion(ok(2), "late"));
  assertEquals(Object.keys(run.state.branches!), ["c"]);
  run.outcome(ok(3), "c");
  assertEquals(contextOf(run.state, at(0).load).branches, { c: 3 });
  assertEquals(contextOf(run.state, at(0).load).results, { a: 1, late: 2, c: 3 });
});

Deno.test("names that objects have by nature are branches like others", () => {
  const special = ["__proto__", "constructor", "toString"];
  const run = new Run(fanOf(special.map((id) => task(id)), { waitFor: special }));
  for (const name of special) run.outcome(ok(name), name);
  const { branches } = payloadOf(run.state, at(0).load) as { branches: object };
  assertEquals(Object.entries(branches), special.map((name): [string, string] => [name, name]));
});

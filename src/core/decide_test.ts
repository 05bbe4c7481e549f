import { assert, assertEquals, assertThrows } from "@std/assert";
import { isWanted, plan } from "./decide.ts";
import { UnknownNodeError } from "./enter.ts";
import { awaitsCompletion, awaitsMail, hasParked } from "./mail.ts";
import type { Event } from "./events.ts";
import { at, ERROR, fanOf, flowOf, ok, PENDING, RETRY, Run, task } from "./testing/fixtures.ts";

const retry = { maxAttempts: 3 } as const;
const flow = flowOf([task("a", { retry }), { id: "w", type: "signal", signalName: "go" }, task("b")], "a>w", "w>b");

/** An execution led to each phase there is; `due` is one whose schedule has fired. */
const PHASES: Record<string, (run: Run) => void> = {
  ready: () => {},
  delayed: (run) => run.outcome(RETRY),
  due: (run) => (run.outcome(RETRY), run.fire()),
  "waiting for an activity": (run) => run.outcome(PENDING),
  "waiting for a signal": (run) => run.outcome(ok()),
  failed: (run) => run.outcome(ERROR),
  cancelled: (run) => run.apply({ type: "cancel", reason: "first" }),
  completed: (run) => (run.outcome(ok()), run.apply(run.signal("go", 1)), run.outcome(ok())),
};

Deno.test("every live execution can be cancelled; one that has ended stays as it is, with its first reason", () => {
  for (const [phase, lead] of Object.entries(PHASES)) {
    const run = new Run(flow);
    lead(run);
    const attempt = run.attempt();
    const hasEnded = ["failed", "cancelled", "completed"].includes(phase);
    const decision = run.decide({ type: "cancel", reason: "second" });
    assertEquals(decision.type, hasEnded ? "drop" : "next", phase);
    if (hasEnded) continue;
    run.apply({ type: "cancel", reason: "second" });
    const { wait, alarm, error } = run.state;
    assertEquals([run.state.phase, wait, alarm, error], ["cancelled", undefined, undefined, "second"]);
    assert(!isWanted(flow, run.state, attempt));
  }
  const silent = new Run(flow);
  silent.apply({ type: "cancel" });
  assertEquals(silent.state.error, undefined);
});

Deno.test("nothing but a late result happens to an execution that was cancelled", () => {
  const run = new Run(flow);
  const events: Event[] = [
    { type: "outcome", attempt: run.attempt(), outcome: ok() },
    { type: "wake" },
    run.completion(ok()),
    { type: "fail", error: "given up" },
    { type: "resume" },
  ];
  run.apply({ type: "cancel" });
  for (const event of events) {
    const decision = run.decide(event);
    assert(decision.type === "drop" && !decision.lost, event.type);
  }
});

Deno.test("only a failed execution can be resumed: at its node, as a new generation, with fresh attempts", () => {
  for (const [phase, lead] of Object.entries(PHASES)) {
    const run = new Run(flow);
    lead(run);
    const { generation } = run.state;
    assertEquals(run.decide({ type: "resume" }).type, phase === "failed" ? "next" : "drop", phase);
    if (phase !== "failed") continue;
    run.apply({ type: "resume" });
    assertEquals([run.state.phase, run.state.node, run.state.attempt], ["ready", "a", 0]);
    assertEquals([run.state.generation, run.state.error], [generation + 1, undefined]);
  }
});

Deno.test("an execution that was resumed has its whole retry budget, and wants nothing of before", () => {
  const run = new Run(flow);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (run.state.phase === "delayed") run.fire();
    run.outcome(RETRY);
  }
  assertEquals(run.state.phase, "failed");
  const old = run.attempt();
  run.apply({ type: "resume" });
  assert(!isWanted(flow, run.state, old));
  run.outcome(RETRY);
  assertEquals([run.state.phase, run.state.attempt], ["delayed", 1]);
});

Deno.test("work that was given up on fails the execution where it stands, and it can be resumed there", () => {
  for (const [phase, lead] of Object.entries(PHASES)) {
    const run = new Run(flow);
    lead(run);
    const { node } = run.state;
    const decision = run.decide({ type: "fail", error: "given up" });
    if (["failed", "cancelled", "completed"].includes(phase)) assertEquals(decision.type, "drop");
    else {
      run.apply({ type: "fail", error: "given up" });
      assertEquals([run.state.phase, run.state.node, run.state.error], ["failed", node, "given up"]);
      run.apply({ type: "resume" });
      assertEquals([run.state.node, run.state.phase], [node, node === "w" ? "waiting" : "ready"]);
    }
  }
});

Deno.test("a head that fired before its time, or for safety only, is parked again", () => {
  const waiting = new Run(flow);
  waiting.outcome(ok());
  waiting.fire();
  assertEquals(waiting.decide({ type: "wake" }).type, "drop");
  const parked = plan(flow, waiting.state, new Set(), at(waiting.now));
  assert(parked.type === "park" && parked.state.phase === "waiting" && parked.state.alarm! > waiting.now);
  const delayed = new Run(flow);
  delayed.outcome(RETRY);
  const again = plan(flow, { ...delayed.state, phase: "active" }, new Set(), at(10));
  assert(again.type === "park" && again.state.phase === "delayed" && again.state.alarm === 1_000);
});

Deno.test("an attempt that runs here is not begun again", () => {
  const run = new Run(flow);
  assertEquals(plan(flow, run.state, new Set(["a"]), at(0)), { type: "invoke", attempts: [] });
});

Deno.test("outcomes of another attempt, generation or node are dropped", () => {
  const run = new Run(flow);
  for (const other of [{ attempt: 1 }, { generation: 0 }, { generation: 2 }, { node: "b" }]) {
    const attempt = { ...run.attempt(), ...other };
    assert(!isWanted(flow, run.state, attempt));
    assertEquals(run.decide({ type: "outcome", attempt, outcome: ok() }).type, "drop");
  }
});

Deno.test("a state of another definition is an error that says which node is missing", () => {
  const run = new Run(flow);
  run.state = { ...run.state, node: "gone" };
  assertThrows(() => run.decide({ type: "wake" }), UnknownNodeError, "flow f has no node gone");
});

Deno.test("mail is looked for when something parks, in a head of any phase, and once for each park (R7)", () => {
  const run = new Run(fanOf([task("a"), task("late")], { waitFor: ["a"] }, task("after")));
  assert(!awaitsMail(run.state) && !hasParked(run.state, undefined));
  let before = run.state;
  run.outcome(PENDING, "late");
  assertEquals([run.state.phase, hasParked(run.state, before)], ["active", true]);
  before = run.state;
  run.outcome(ok(), "a");
  assertEquals([run.state.phase, hasParked(run.state, before)], ["ready", false]);
  assert(awaitsMail(run.state) && awaitsCompletion(run.state));
  run.apply(run.completion(ok(), "late"));
  assert(!awaitsMail(run.state) && !awaitsCompletion(run.state));
  const waiting = new Run(flow);
  waiting.outcome(ok());
  assert(awaitsMail(waiting.state) && hasParked(waiting.state, waiting.state) && !awaitsCompletion(waiting.state));
  waiting.fire();
  assert(awaitsMail(waiting.state), "one that fired still waits");
});

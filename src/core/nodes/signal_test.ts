import { assert, assertEquals } from "@std/assert";
import type { SignalDef } from "../../flow/types.ts";
import { SAFETY_ALARM_MS } from "../state.ts";
import { at, flowOf, ok, Run, task } from "../testing/fixtures.ts";
import { payloadOf } from "../values.ts";

const wait = (more: Partial<SignalDef> = {}): SignalDef => ({ id: "w", type: "signal", signalName: "go", ...more });

Deno.test("an execution may start with a signal: it waits from its first head on", () => {
  const { state } = new Run(flowOf([wait()]));
  assertEquals([state.version, state.phase, state.node, state.alarm], [1, "waiting", "w", SAFETY_ALARM_MS]);
  assertEquals(state.wait, { kind: "signal", signal: "go" });
});

Deno.test("the signal goes on, and its payload is merged under its name", () => {
  const run = new Run(flowOf([wait(), task("a")], "w>a"), { n: 1 });
  run.apply(run.signal("go", 5, [7]));
  assertEquals([run.state.phase, run.state.node, run.state.consumed], ["ready", "a", { go: 5 }]);
  assertEquals(payloadOf(run.state, at(0).load), { n: 1, go: [7] });
});

Deno.test("names that objects have by nature are signal names like others", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    const run = new Run(flowOf([task("a"), wait({ signalName: name })], "a>w"));
    assertEquals(run.decide(run.signal(name, 1)), { type: "keep" });
    run.outcome(ok(null));
    run.apply(run.signal(name, 1, "x"));
    assertEquals(Object.entries(payloadOf(run.state, at(0).load) as object), [["value", null], [name, "x"]]);
    assertEquals(Object.entries(run.state.consumed!), [[name, 1]]);
  }
});

Deno.test("a signal that comes early is kept, and one that was consumed before is dropped (R7)", () => {
  const run = new Run(flowOf([task("a"), wait(), task("b"), wait({ id: "again" })], "a>w", "w>b", "b>again"));
  assertEquals(run.decide(run.signal("go", 5)), { type: "keep" });
  run.outcome(ok());
  run.apply(run.signal("go", 5));
  for (const sequence of [4, 5]) {
    assertEquals(run.decide(run.signal("go", sequence)).type, "drop");
  }
  assertEquals(run.decide(run.signal("go", 6)), { type: "keep" });
  run.outcome(ok());
  assertEquals(run.decide(run.signal("go", 5)).type, "drop");
  run.apply(run.signal("go", 6));
  assertEquals([run.state.phase, run.state.consumed], ["completed", { go: 6 }]);
});

Deno.test("a signal that the flow never waits for, or that comes after the end, is dead-lettered", () => {
  const run = new Run(flowOf([wait()]));
  for (const phase of ["unheard", "completed", "cancelled"] as const) {
    if (phase === "completed") run.apply(run.signal("go", 1));
    if (phase === "cancelled") run.state = { ...run.state, phase };
    const decision = run.decide(run.signal(phase === "unheard" ? phase : "go", 9));
    assert(decision.type === "drop" && decision.lost, phase);
  }
});

Deno.test("a signal to a failed execution is kept for when it is resumed", () => {
  const run = new Run(flowOf([wait({ timeout: 500 })]));
  run.fire();
  run.apply({ type: "wake" });
  assertEquals([run.state.phase, run.state.error], ["failed", "signal go did not come within 500 ms"]);
  assertEquals(run.decide(run.signal("go", 1)), { type: "keep" });
  run.apply({ type: "resume" });
  assertEquals([run.state.phase, run.state.alarm, run.state.generation], ["waiting", 1_000, 2]);
  run.apply(run.signal("go", 1));
  assertEquals(run.state.phase, "completed");
});

Deno.test("when the time is up the execution takes the way for that, and the payload stays as it was", () => {
  const run = new Run(flowOf([wait({ timeout: "2s", onTimeout: "late" }), task("late")]), { n: 1 });
  run.now = 1_999;
  assertEquals(run.decide({ type: "wake" }).type, "drop");
  run.fire();
  run.apply({ type: "wake" });
  assertEquals([run.state.phase, run.state.node, run.now], ["ready", "late", 2_000]);
  assertEquals(payloadOf(run.state, at(0).load), { n: 1 });
  assertEquals(run.decide(run.signal("go", 1)), { type: "keep" });
});

Deno.test("a signal still counts while the alarm that has fired is on its way to an engine", () => {
  const run = new Run(flowOf([wait({ timeout: "2s", onTimeout: "late" }), task("late")]));
  run.fire();
  run.apply(run.signal("go", 1));
  assertEquals(run.state.phase, "completed");
});

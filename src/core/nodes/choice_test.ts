import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ChoiceDef } from "../../flow/types.ts";
import { begin, decide } from "../decide.ts";
import { at, flowOf, loadOf, ok, Run, started, task } from "../testing/fixtures.ts";
import { MissingValues } from "../values.ts";

function choice(id: string, when: string, to: string, otherwise: string, onError?: "fail"): ChoiceDef {
  const rules = [{ when, to }, { default: true as const, to: otherwise }];
  return { id, type: "choice", rules, ...(onError === undefined ? {} : { onError }) };
}

const flow = flowOf([
  choice("c", "payload.n > 1", "a", "d"),
  choice("d", "input.n == 1", "b", "a"),
  task("a"),
  task("b"),
]);

Deno.test("an execution may start with a choice: several are walked through, each a generation", () => {
  const big = started(flow, { n: 2 });
  assertEquals([big.phase, big.node, big.path, big.generation], ["ready", "a", ["c"], 2]);
  const small = started(flow, { n: 1 });
  assertEquals([small.version, small.node, small.path, small.generation], [1, "b", ["c", "d"], 3]);
});

Deno.test("the first rule that matches counts", () => {
  const rules = [{ when: "payload.n > 1", to: "b" }, { when: "payload.n > 0", to: "a" }, {
    default: true as const,
    to: "c",
  }];
  const ordered = flowOf([{ id: "first", type: "choice", rules }, task("a"), task("b"), task("c")]);
  assertEquals([3, 1, 0].map((n) => started(ordered, { n }).node), ["b", "a", "c"]);
});

Deno.test("a rule that cannot be evaluated does not match, or fails the execution where the choice says so", () => {
  const nodes = [task("a"), task("b")];
  assertEquals(started(flowOf([choice("c", "payload.x > 1", "a", "b"), ...nodes])).node, "b");
  const failed = started(flowOf([choice("c", "payload.x > 1", "a", "b", "fail"), ...nodes]));
  assertEquals([failed.phase, failed.node, failed.version], ["failed", "c", 1]);
  assert(failed.error!.startsWith("choice c: rule payload.x > 1: "));
});

Deno.test("a choice that failed is made again when the execution is resumed, as a new generation", () => {
  const run = new Run(flowOf([choice("c", "payload.x > 1", "a", "b", "fail"), task("a"), task("b")]));
  run.apply({ type: "resume" });
  assertEquals([run.state.phase, run.state.node, run.state.generation], ["failed", "c", 2]);
});

Deno.test("a choice sees what the node before it gave, and a cycle through it ends", () => {
  const run = new Run(flowOf([task("s"), task("t"), choice("c", "payload.n < 3", "t", "e"), task("e")], "s>t", "t>c"));
  run.outcome(ok());
  for (const n of [1, 2, 3]) assertEquals(run.outcome(ok({ n })), ["c"]);
  assertEquals([run.state.node, run.state.generation], ["e", 8]);
});

Deno.test("values that are stored elsewhere are asked for when a rule looks at them, and not before", () => {
  const stored = { id: "x", definition: "d", input: { ref: 3, size: 9_000 } };
  assertEquals(assertThrows(() => begin(flow, stored, at(0)), MissingValues).refs, [3]);
  assertEquals(begin(flow, stored, at(0, loadOf({ 3: { n: 5 } }))).node, "a");
  const blind = flowOf([task("s"), choice("c", "results.s == 1", "a", "b"), task("a"), task("b")], "s>c");
  const state = begin(blind, stored, at(0));
  const outcome = { type: "outcome", attempt: { node: "s", generation: 1, attempt: 0 }, outcome: ok(1) } as const;
  const decision = decide(blind, state, outcome, at(0));
  assert(decision.type === "next" && decision.state.node === "a");
});

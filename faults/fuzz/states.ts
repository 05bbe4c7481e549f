/** States as executions come to have them: what the state codec is tried with, after changes. @module */

import fc from "fast-check";
import { flows } from "../../src/core/testing/random_flows.ts";
import { at } from "../../src/core/testing/fixtures.ts";
import { begin, decide, plan, stamped } from "../../src/core/decide.ts";
import type { Event, Outcome } from "../../src/core/events.ts";
import type { State } from "../../src/core/state.ts";
import type { Flow } from "../../src/flow/types.ts";

/** An outcome of an attempt. */
const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ status: "ok" }),
  fc.record({ n: fc.nat(5), kind: fc.constantFrom("a", "b") }).map((payload): Outcome => ({
    status: "ok",
    payload: { value: payload },
    bytes: 20,
  })),
  fc.constantFrom<Outcome>({ status: "pending" }, { status: "retry", error: "busy" }, { status: "error", error: "no" }),
);

/** Runs an execution for a few steps, by whatever outcomes there are. */
function after(flow: Flow, steps: readonly Outcome[]): State {
  let now = 1_700_000_000_000;
  let state = begin(flow, { id: "x", definition: "d", input: { value: { n: 1, kind: "a" } } }, at(now));
  for (const [index, outcome] of steps.entries()) {
    now += 700;
    const event = nextEvent(flow, state, outcome, index, now);
    const decision = event && decide(flow, state, event, at(now));
    if (decision?.type !== "next") continue;
    state = stamped(decision.state, state, state.version, decision.visited, now);
  }
  return state;
}

function nextEvent(flow: Flow, state: State, outcome: Outcome, sequence: number, now: number): Event | undefined {
  const { wait } = state;
  if (wait?.kind === "signal") return { type: "signal", name: wait.signal, payload: { value: 1 }, sequence };
  if (state.phase === "failed") return { type: "resume" };
  if (state.phase === "completed" || state.phase === "cancelled") return undefined;
  if (wait !== undefined) return { type: "wake" };
  const asked = plan(flow, state, new Set(), at(now));
  const attempt = asked.type === "invoke" ? asked.attempts[0] : undefined;
  return attempt && { type: "outcome", attempt, outcome };
}

/** A flow and a state of one of its executions. */
export const runs: fc.Arbitrary<{ flow: Flow; state: State }> = fc.tuple(flows, fc.array(outcomes, { maxLength: 9 }))
  .map(([flow, steps]) => ({ flow, state: after(flow, steps) }));

/** States. */
export const states: fc.Arbitrary<State> = runs.map(({ state }) => state);

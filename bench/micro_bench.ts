/** Micro-benchmarks of what a step does in the process: `deno bench bench/micro_bench.ts`. @module */

import { decodeState, encodeState } from "../src/core/codec.ts";
import { begin, decide, stamped } from "../src/core/decide.ts";
import type { Environment, Event } from "../src/core/events.ts";
import type { State } from "../src/core/state.ts";
import { MissingValues } from "../src/core/values.ts";
import { compile } from "../src/expr/mod.ts";
import { buildFlow } from "../src/flow/mod.ts";
import { headOf } from "../src/nats/head.ts";
import { Names } from "../src/names.ts";
import { chain, fan, PAYLOAD } from "./flows.ts";

const env: Environment = {
  now: Date.UTC(2026, 0, 1),
  load: {
    value: (ref) => missing(ref),
    chunk: (ref) => missing(ref),
  },
  defaultTimeoutMs: 30_000,
  leaseMs: 30_000,
};

function missing(ref: number): never {
  throw new MissingValues([ref]);
}

const kinds = { kinds: new Set(["noop"]) };
const ten = buildFlow(chain("ten", 10, { invoker: "noop" }), kinds);
const wide = buildFlow(fan("wide", 1_000, "noop"), kinds);
const input = { value: PAYLOAD };

/** The state before the tenth task, as a head in the middle of its life carries it: a result and a trail entry a step. */
function tenth(): State {
  let state = begin(ten, { id: "exec-0123456789abcdef", definition: "0123456789abcdef", input }, env);
  for (let step = 0; step < 9; step++) {
    const decision = decide(ten, state, outcomeOf(state.node, state), env);
    if (decision.type === "next") state = stamped(decision.state, state, step + 1, decision.visited, env.now + step);
  }
  return state;
}

function outcomeOf(node: string, { generation }: { generation: number }): Event {
  const attempt = { node, generation, attempt: 0 };
  return { type: "outcome", attempt, outcome: { status: "ok", payload: { value: PAYLOAD }, bytes: 100 } };
}

const state = tenth();
const event = outcomeOf(state.node, state);
const body = encodeState(state);
const subject = new Names("bench").head(state.phase, state.flow, state.id);
const names = new Names("bench");

Deno.bench("decide: the outcome of a task", { group: "decide" }, () => {
  decide(ten, state, event, env);
});

const started = begin(wide, { id: "exec-0123456789abcdef", definition: "0123456789abcdef", input }, env);
const branch = outcomeOf("b0", started.branches!["b0"]!);

Deno.bench("decide: the outcome of one of 1,000 branches", { group: "decide" }, () => {
  decide(wide, started, branch, env);
});

const predicate = compile('payload.risk_score > 80 && payload.category == "billing"');
const context = { payload: { risk_score: 93, category: "billing", text: "an invoice is wrong" } };

Deno.bench("expression: two comparisons and an and", { group: "expression" }, () => {
  predicate.test(context);
});

Deno.bench("head: encode a state", { group: "head" }, () => {
  encodeState(state);
});

Deno.bench("head: decode and check a state", { group: "head" }, () => {
  decodeState(body);
});

Deno.bench("head: a delivered message to a head", { group: "head" }, () => {
  headOf(subject, body, 10, names);
});

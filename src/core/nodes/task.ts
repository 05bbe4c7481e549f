/**
 * Task nodes: what the outcome of an attempt does to the execution.
 *
 * @module
 */

import type { TaskNode } from "../../flow/types.ts";
import { setOwn } from "../../json.ts";
import type { Decision, Environment, Outcome } from "../events.ts";
import { delayAfter } from "../retry.ts";
import { SAFETY_ALARM_MS, type State, type Stored, unreachable } from "../state.ts";
import { failure, type Go, go, stay } from "../transition.ts";

/** What the outcome of the current attempt does. */
export function taskOutcome(state: State, node: TaskNode, outcome: Outcome, env: Environment): Go | Decision {
  const { status } = outcome;
  switch (status) {
    case "ok": {
      const payload = outcome.payload === undefined ? state.payload : { from: node.id };
      return go({ ...withOutput(state, node.id, outcome), payload }, node.next);
    }
    case "error":
      return failure(state, outcome.error);
    case "retry":
      return retried(state, node, outcome.error, env);
    case "pending":
      return stay(waitForActivity(state, node, env));
    default:
      return unreachable(status);
  }
}

/** The outcome of an attempt whose activity ran out of time. */
export function activityTimeout(node: TaskNode): Outcome {
  return { status: "retry", error: `the activity was not completed within ${node.activityTimeoutMs} ms` };
}

/** The state with a node's output recorded, where it gave one. */
export function withOutput(state: State, node: string, outcome: Outcome & { status: "ok" }): State {
  if (outcome.payload === undefined) return state;
  const results: Record<string, Stored> = { ...state.results };
  setOwn(results, node, outcome.payload);
  const inlineBytes = state.inlineBytes + ("value" in outcome.payload ? outcome.bytes ?? 0 : 0);
  return { ...state, results, inlineBytes, lastNode: node };
}

function retried(state: State, node: TaskNode, error: string, env: Environment): Decision {
  const delay = delayAfter(node.retry, state.attempt);
  if (delay === undefined) return failure(state, error);
  const until = env.now + delay;
  const wait = { kind: "retry", until } as const;
  return stay({ ...state, phase: "delayed", attempt: state.attempt + 1, wait, alarm: until, error });
}

function waitForActivity(state: State, node: TaskNode, env: Environment): State {
  const until = node.activityTimeoutMs === undefined ? undefined : env.now + node.activityTimeoutMs;
  const wait = { kind: "activity", ...(until === undefined ? {} : { until }) } as const;
  return { ...state, phase: "waiting", wait, alarm: until ?? env.now + SAFETY_ALARM_MS };
}

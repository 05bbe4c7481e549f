/**
 * The core: what an event does to an execution, and what a delivered head asks for.
 *
 * Pure functions: no I/O, no clock, no randomness. The engine performs what they return. A crash is therefore always
 * "some effects were performed, the rest were not", and can be tested as such.
 *
 * A head whose schedule has fired is work in hand, as an `active` one is: it is decided on as `active`.
 *
 * - R2: every state that is written has the version of its predecessor plus one; {@linkcode stamped} sees to it.
 * - R7: a signal or completion that nobody waits for yet is kept; the state records what it has consumed.
 *
 * @module
 */

import type { FaninNode, Flow, FlowNode, TaskNode } from "../flow/types.ts";
import { getOwn } from "../json.ts";
import { enter, follow, nodeOf } from "./enter.ts";
import type { Attempt, Decision, Environment, Event, Plan } from "./events.ts";
import {
  branchesTimedOut,
  branchOutcome,
  detachedOutcome,
  isDetached,
  isLive,
  parkedJoin,
  planJoin,
  resumeJoin,
  wantsBranch,
} from "./nodes/fan.ts";
import { receiveSignal, signalTimedOut } from "./nodes/signal.ts";
import { activityTimeout, taskOutcome } from "./nodes/task.ts";
import { hasEnded, SAFETY_ALARM_MS, SCHEMA, type State, type Stored, unreachable } from "./state.ts";
import { trailEntry } from "./trail.ts";
import { cleared, ended, failure, type Go, stale, stay } from "./transition.ts";

type CompletionEvent = Event & { type: "completion" };

/** The first state of an execution. */
export function begin(
  flow: Flow,
  start: { id: string; definition: string; input: Stored },
  env: Environment,
): State {
  const first: State = {
    schema: SCHEMA,
    id: start.id,
    flow: flow.name,
    definition: start.definition,
    version: 1,
    phase: "ready",
    node: flow.start,
    generation: 1,
    attempt: 0,
    startedAt: env.now,
    updatedAt: env.now,
    input: start.input,
    payload: {},
    results: {},
    inlineBytes: 0,
  };
  const decision = enter(flow, first, env);
  if (decision.type !== "next") throw new TypeError(`entering ${flow.start} decided nothing`);
  const { state, visited } = decision;
  return visited.length === 0 ? state : { ...state, path: visited };
}

/** What an event does to an execution. */
export function decide(flow: Flow, state: State, event: Event, env: Environment): Decision {
  return follow(flow, transitionOf(flow, state, event, env), env);
}

/** What ends an execution at once, whatever its flow: a failure that is none of its nodes', or a cancel. */
export function end(state: State, event: Event & { type: "fail" | "cancel" }): Decision {
  if (hasEnded(state.phase)) return stale(endedReason(state));
  return event.type === "fail" ? failure(state, event.error) : stay(ended(state, "cancelled", event.reason));
}

/** What a delivered head asks for. `running` are the nodes whose attempts are under way here. */
export function plan(flow: Flow, state: State, running: ReadonlySet<string>, env: Environment): Plan {
  const node = nodeOf(flow, state.node);
  if (node.type === "fanin") return planJoin(flow, state, node, running, env);
  if (node.type !== "task" || state.wait?.kind === "activity") return { type: "park", state: rested(state, env) };
  if (running.has(node.id)) return { type: "invoke", attempts: [] };
  if (state.wait?.kind === "retry" && state.wait.until > env.now) {
    return { type: "park", state: { ...state, phase: "delayed", alarm: state.wait.until } };
  }
  return { type: "invoke", attempts: [{ node: node.id, generation: state.generation, attempt: state.attempt }] };
}

/**
 * The state as it is written: one version on from the head it follows (R2), which joins the trail. Its time is not
 * before that head's, whatever `now` says: two engines' estimates of the server's time differ by a little.
 */
export function stamped(next: State, head: State, revision: number, visited: readonly string[], now: number): State {
  const { path: _path, ...rest } = next;
  return {
    ...rest,
    version: head.version + 1,
    updatedAt: Math.max(now, head.updatedAt),
    trail: [...head.trail ?? [], trailEntry(head, revision)],
    ...(visited.length === 0 ? {} : { path: visited }),
  };
}

/** Whether the execution still wants the outcome of an attempt; where it does not, the attempt is aborted. */
export function isWanted(flow: Flow, state: State, attempt: Attempt): boolean {
  if (hasEnded(state.phase)) return false;
  const node = nodeOf(flow, state.node);
  if (node.type === "fanin") return wantsBranch(flow, state, node, attempt);
  return node.type === "task" && node.id === attempt.node && state.wait?.kind !== "activity" &&
    state.generation === attempt.generation && state.attempt === attempt.attempt;
}

function transitionOf(flow: Flow, state: State, event: Event, env: Environment): Go | Decision {
  const { type } = event;
  switch (type) {
    case "outcome":
      return applyOutcome(flow, state, event, env);
    case "wake":
      return wake(flow, state, env);
    case "signal":
      return receiveSignal(flow, state, event);
    case "completion":
      return complete(flow, state, event, env);
    case "fail":
    case "cancel":
      return end(state, event);
    case "resume":
      return resume(flow, state, env);
    default:
      return unreachable(type);
  }
}

function applyOutcome(flow: Flow, state: State, event: Event & { type: "outcome" }, env: Environment): Go | Decision {
  const { attempt, outcome } = event;
  if (!isWanted(flow, state, attempt)) return stale(`node ${attempt.node} is not at that attempt`);
  const node = nodeOf(flow, state.node);
  if (node.type === "fanin") return branchOutcome(flow, state, node, attempt.node, outcome, env);
  return taskOutcome(state, node as TaskNode, outcome, env);
}

function wake(flow: Flow, state: State, env: Environment): Go | Decision {
  if (hasEnded(state.phase)) return stale(endedReason(state));
  const node = nodeOf(flow, state.node);
  if (node.type === "fanin") return branchesTimedOut(flow, state, node, env);
  const { wait } = state;
  if (wait === undefined || wait.kind === "join" || wait.until === undefined || wait.until > env.now) {
    return stale("no time limit has been reached");
  }
  if (wait.kind === "signal" && node.type === "signal") return signalTimedOut(state, node);
  if (wait.kind === "activity" && node.type === "task") return taskOutcome(state, node, activityTimeout(node), env);
  return stale("the next attempt is due");
}

function complete(flow: Flow, state: State, event: CompletionEvent, env: Environment): Go | Decision {
  const task = flow.nodes.get(event.node);
  if (task?.type !== "task") return { type: "drop", reason: `flow ${flow.name} has no task ${event.node}`, lost: true };
  if (getOwn(state.branches ?? {}, event.node) !== undefined) return completeBranch(flow, state, event, task, env);
  const generation = event.generation ?? state.generation;
  const current = !hasEnded(state.phase) && state.node === event.node && state.generation === generation &&
    state.attempt === event.attempt;
  if (!current) return stale(`node ${event.node} is not at that attempt`);
  if (state.wait?.kind !== "activity") return { type: "keep", generation };
  return taskOutcome(state, task, event.outcome, env);
}

function completeBranch(
  flow: Flow,
  state: State,
  event: CompletionEvent,
  task: TaskNode,
  env: Environment,
): Go | Decision {
  const branch = state.branches![task.id]!;
  const matches = branch.status === "pending" && branch.attempt === event.attempt &&
    branch.generation === (event.generation ?? branch.generation);
  if (!matches || state.phase === "cancelled") return stale(`branch ${task.id} is not at that attempt`);
  const node = nodeOf(flow, state.node);
  if (isJoinOf(node, task) && !hasEnded(state.phase)) {
    if (!isLive(flow, state, node, task.id)) return stale(`the join of branch ${task.id} has been decided`);
    if (!branch.parked) return { type: "keep", generation: branch.generation };
    const transition = branchOutcome(flow, state, node, task.id, event.outcome, env);
    const parkAgain = transition.type === "next" && transition.state.phase === "active" && state.phase !== "active";
    return parkAgain && state.phase !== "ready" ? stay(parkedJoin(flow, transition.state, node, env)) : transition;
  }
  if (!branch.parked || !isDetached(flow, task.id)) return stale(`the join of branch ${task.id} has been decided`);
  return detachedOutcome(flow, state, task.id, event.outcome, env);
}

function isJoinOf(node: FlowNode, task: TaskNode): node is FaninNode {
  return node.type === "fanin" && node.fanout === task.branchOf;
}

function resume(flow: Flow, state: State, env: Environment): Go | Decision {
  if (state.phase !== "failed") return stale(`execution ${state.id} is ${state.phase}, not failed`);
  const again = { ...cleared(state), generation: state.generation + 1 };
  const node = nodeOf(flow, state.node);
  return node.type === "fanin" ? resumeJoin(flow, again, node) : enter(flow, again, env);
}

function rested(state: State, env: Environment): State {
  const until = state.wait !== undefined && "until" in state.wait ? state.wait.until : undefined;
  return { ...state, phase: "waiting", alarm: until ?? env.now + SAFETY_ALARM_MS };
}

function endedReason(state: State): string {
  return `execution ${state.id} is ${state.phase}`;
}

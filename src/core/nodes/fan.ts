/**
 * Fan-outs and fan-ins: branches that run at once, and the join that decides.
 *
 * While branches run the execution stands at its fan-in. The join is decided as soon as enough of the branches it
 * waits for have completed, or too many have failed. Branches it does not wait for are **detached**: they hold the
 * execution up only while they run, not while they are `pending`.
 *
 * @module
 */

import type { FaninNode, FanoutNode, Flow, TaskNode } from "../../flow/types.ts";
import { getOwn, setOwn } from "../../json.ts";
import type { Attempt, Decision, Environment, Outcome, Plan } from "../events.ts";
import { delayAfter } from "../retry.ts";
import { type BranchState, SAFETY_ALARM_MS, type State, unreachable } from "../state.ts";
import { cleared, failure, type Go, go, stale, stay } from "../transition.ts";
import { mergedPayload } from "../values.ts";
import { activityTimeout, withOutput } from "./task.ts";

type Branches = Record<string, BranchState>;

/** Up to which delay the engine waits with the head in hand instead of parking it, in milliseconds (R4). */
export const HOLD_MS = 1_000;

/** The state of an execution that has entered a fan-out: at its fan-in, with every branch to be run. */
export function enterFanout(flow: Flow, state: State, node: FanoutNode): State {
  const branches = ofFanout(flow, state.branches ?? {}, node.id);
  for (const name of node.branches) {
    setOwn(branches, name, { status: "pending", attempt: 0, generation: state.generation });
  }
  return { ...state, phase: "ready", node: node.join, generation: state.generation + 1, fanout: node.id, branches };
}

/** A failed join that is run again: completed branches keep their results, all others start afresh. */
export function resumeJoin(flow: Flow, state: State, node: FaninNode): Go | Decision {
  const branches: Branches = { ...state.branches };
  const unsettled = fanoutOf(flow, node).branches.filter((name) => getOwn(branches, name)?.status !== "completed");
  for (const name of unsettled) {
    setOwn(branches, name, { status: "pending", attempt: 0, generation: state.generation });
  }
  const again: State = { ...cleared(state), phase: "ready", branches };
  return pendingBranches(flow, again, node).length === 0 ? joined(again, node) : stay(again);
}

/** Whether the join still wants the outcome of a branch's attempt. */
export function wantsBranch(flow: Flow, state: State, node: FaninNode, attempt: Attempt): boolean {
  const branch = getOwn(state.branches ?? {}, attempt.node);
  return branch?.status === "pending" && !branch.parked && branch.attempt === attempt.attempt &&
    branch.generation === attempt.generation && isLive(flow, state, node, attempt.node);
}

/** What the outcome of a branch's attempt does at the join. */
export function branchOutcome(
  flow: Flow,
  state: State,
  node: FaninNode,
  name: string,
  outcome: Outcome,
  env: Environment,
): Go | Decision {
  return decideJoin(flow, settle(state, taskOf(flow, name), outcome, env), node, env);
}

/** What happens when the activities of pending branches run out of time. */
export function branchesTimedOut(flow: Flow, state: State, node: FaninNode, env: Environment): Go | Decision {
  const expired = pendingBranches(flow, state, node).filter(([, branch]) =>
    branch.parked && branch.until !== undefined && branch.until <= env.now
  );
  if (expired.length === 0) return stale("no time limit has been reached");
  let next = state;
  for (const [name] of expired) {
    const task = taskOf(flow, name);
    next = settle(next, task, activityTimeout(task), env);
  }
  return decideJoin(flow, next, node, env);
}

/**
 * The late result of a detached branch, recorded in whatever phase the execution is by now.
 *
 * A ready head is being worked on: the result is saved under it as progress (R3), and its holder adopts it.
 */
export function detachedOutcome(flow: Flow, state: State, name: string, outcome: Outcome, env: Environment): Decision {
  const final: Outcome = outcome.status === "retry" ? { status: "error", error: outcome.error } : outcome;
  const { lastNode: _lastNode, ...settled } = settle(state, taskOf(flow, name), final, env);
  const recorded: State = {
    ...settled,
    branches: ofFanout(flow, settled.branches!, state.fanout),
    ...(state.lastNode === undefined ? {} : { lastNode: state.lastNode }),
  };
  if (state.phase !== "ready" && state.phase !== "active") return stay(recorded);
  return stay({ ...recorded, phase: "active", alarm: activeAlarm(flow, recorded, env) });
}

/**
 * What a delivered head at a join asks for. `running` are the branches whose attempts are under way.
 *
 * While some run, `wakeAt` is also when the activity of a pending one runs out of time.
 */
export function planJoin(
  flow: Flow,
  state: State,
  node: FaninNode,
  running: ReadonlySet<string>,
  env: Environment,
): Plan {
  const attempts: Attempt[] = [];
  let retryAt = Infinity;
  let timeoutAt = Infinity;
  for (const [name, branch] of pendingBranches(flow, state, node)) {
    const { until = -Infinity } = branch;
    if (branch.parked) timeoutAt = Math.min(branch.until ?? Infinity, timeoutAt);
    else if (!running.has(name) && until > env.now) retryAt = Math.min(until, retryAt);
    else if (!running.has(name)) attempts.push({ node: name, generation: branch.generation, attempt: branch.attempt });
  }
  const wakeAt = Math.min(retryAt, timeoutAt);
  const idle = attempts.length === 0 && running.size === 0;
  if (idle && retryAt - env.now > HOLD_MS) return { type: "park", state: parkedJoin(flow, state, node, env) };
  return { type: "invoke", attempts, ...(wakeAt === Infinity ? {} : { wakeAt }) };
}

/** The state of a join that waits: for completions, activity timeouts and retries. */
export function parkedJoin(flow: Flow, state: State, node: FaninNode, env: Environment): State {
  const pending = pendingBranches(flow, state, node).map(([, branch]) => branch);
  const alarm = Math.min(...pending.map((branch) => branch.until ?? Infinity), env.now + SAFETY_ALARM_MS);
  const phase = pending.some((branch) => branch.parked) ? "waiting" : "delayed";
  return { ...state, phase, wait: { kind: "join" }, alarm };
}

/** The alarm of an `active` head: the latest end of what may be running inside the step, plus a lease (R4). */
export function activeAlarm(flow: Flow, state: State, env: Environment): number {
  let latest = env.now;
  const node = flow.nodes.get(state.node);
  if (node?.type === "task") latest += node.timeoutMs ?? env.defaultTimeoutMs;
  if (node?.type === "fanin") latest = latestEnd(flow, pendingBranches(flow, state, node), env);
  return latest + env.leaseMs;
}

function latestEnd(flow: Flow, pending: readonly [string, BranchState][], env: Environment): number {
  let latest = env.now;
  for (const [name, branch] of pending) {
    if (branch.parked) continue;
    latest = Math.max(latest, (branch.until ?? env.now) + (taskOf(flow, name).timeoutMs ?? env.defaultTimeoutMs));
  }
  return latest;
}

/** Moves on when the join is decided and no detached branch is running; saves progress otherwise. */
function decideJoin(flow: Flow, state: State, node: FaninNode, env: Environment): Go | Decision {
  const { completed, failed } = tally(state, node);
  if (node.waitFor.length - failed < node.required) return failure(state, joinError(state, node));
  const isMet = completed >= node.required;
  const pending = pendingBranches(flow, state, node, isMet);
  if (isMet && pending.every(([, branch]) => branch.parked)) return joined(state, node);
  const { wait: _wait, ...rest } = state;
  return stay({ ...rest, phase: "active", alarm: latestEnd(flow, pending, env) + env.leaseMs });
}

function joined(state: State, node: FaninNode): Go {
  const branches = node.waitFor.filter((name) => state.branches![name]?.status === "completed");
  return go({ ...state, payload: mergedPayload(state.payload, { branches }) }, node.next);
}

function joinError(state: State, node: FaninNode): string {
  const failed = node.waitFor.filter((name) => state.branches![name]?.status === "failed");
  const reasons = failed.map((name) => `${name}: ${state.branches![name]!.error ?? "failed"}`).join("; ");
  return `fan-in ${node.id} needs ${node.required} of ${node.waitFor.length} branches, ${failed.length} failed: ${reasons}`;
}

function settle(state: State, task: TaskNode, outcome: Outcome, env: Environment): State {
  const branches: Branches = { ...state.branches };
  setOwn(branches, task.id, settledBranch(branches[task.id]!, task, outcome, env));
  const settled = { ...state, branches };
  return outcome.status === "ok" ? withOutput(settled, task.id, outcome) : settled;
}

function settledBranch(branch: BranchState, task: TaskNode, outcome: Outcome, env: Environment): BranchState {
  const { attempt, generation } = branch;
  const { status } = outcome;
  switch (status) {
    case "ok":
      return { status: "completed", attempt, generation };
    case "error":
      return { status: "failed", attempt, generation, error: outcome.error };
    case "retry": {
      const delay = delayAfter(task.retry, attempt);
      if (delay === undefined) return { status: "failed", attempt, generation, error: outcome.error };
      return { status: "pending", attempt: attempt + 1, generation, until: env.now + delay, error: outcome.error };
    }
    case "pending": {
      const until = task.activityTimeoutMs === undefined ? {} : { until: env.now + task.activityTimeoutMs };
      return { status: "pending", attempt, generation, parked: true, ...until };
    }
    default:
      return unreachable(status);
  }
}

/** The branches of a fan-out, and detached ones of earlier ones whose results are still to come. */
function ofFanout(flow: Flow, branches: Readonly<Branches>, fanout: string | undefined): Branches {
  const kept: Branches = {};
  for (const [name, branch] of Object.entries(branches)) {
    const isLate = branch.status === "pending" && branch.parked && isDetached(flow, name);
    if (isLate || taskOf(flow, name).branchOf === fanout) setOwn(kept, name, branch);
  }
  return kept;
}

/** The pending branches of this fan-in's fan-out that are still wanted. */
function pendingBranches(
  flow: Flow,
  state: State,
  node: FaninNode,
  decided: boolean = isDecided(state, node),
): [string, BranchState][] {
  return Object.entries(state.branches ?? {}).filter(([name, branch]) =>
    branch.status === "pending" && taskOf(flow, name).branchOf === node.fanout &&
    !(decided && node.waitFor.includes(name))
  );
}

/** Whether the fan-in still wants a branch to settle: one it waits for counts no more once the join is decided. */
export function isLive(flow: Flow, state: State, node: FaninNode, name: string): boolean {
  return taskOf(flow, name).branchOf === node.fanout && !(node.waitFor.includes(name) && isDecided(state, node));
}

/** Whether the fan-in of a branch's fan-out does not wait for it. */
export function isDetached(flow: Flow, name: string): boolean {
  const { join } = flow.nodes.get(taskOf(flow, name).branchOf!) as FanoutNode;
  return !(flow.nodes.get(join) as FaninNode).waitFor.includes(name);
}

function isDecided(state: State, node: FaninNode): boolean {
  return tally(state, node).completed >= node.required;
}

/**
 * How many of the branches a fan-in waits for have completed, and failed.
 *
 * Asked after every outcome, so a wide fan-out feels it: a plain read, as nothing inherited has a status.
 */
function tally({ branches = {} }: State, { waitFor }: FaninNode): { completed: number; failed: number } {
  let completed = 0;
  let failed = 0;
  for (const name of waitFor) {
    const status = branches[name]?.status;
    if (status === "completed") completed++;
    else if (status === "failed") failed++;
  }
  return { completed, failed };
}

function fanoutOf(flow: Flow, node: FaninNode): FanoutNode {
  return flow.nodes.get(node.fanout) as FanoutNode;
}

function taskOf(flow: Flow, name: string): TaskNode {
  return flow.nodes.get(name) as TaskNode;
}

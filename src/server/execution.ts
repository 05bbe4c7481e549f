/**
 * Executions as users see them.
 *
 * @module
 */

import type { Head } from "../nats/head.ts";
import { headStatus } from "../nats/listing.ts";
import type { ExecutionStatus, State } from "../core/state.ts";
import { type Context, contextOf, findResult, type Load, payloadOf, valueOf } from "../core/values.ts";
import { type Json, setOwn } from "../json.ts";

/** An execution as it is now. */
export interface Execution {
  /** Its id. */
  id: string;
  /** The flow's name. */
  flow: string;
  /** Where it is in its life. */
  status: ExecutionStatus;
  /** The node it is at, or ended at. */
  currentNode: string;
  /** The shared payload. */
  payload: Json;
  /** The attempt at the current node, from 0. */
  attempt: number;
  /** Rises with each entry to a node, and each resume. */
  generation: number;
  /** The branches of the fan-out entered last. */
  branches?: Record<string, Branch>;
  /** The payloads of consumed signals, by name. */
  signals?: Record<string, Json>;
  /** The signal it waits for. */
  waitSignal?: string;
  /** What it is parked on, where it is parked. */
  wait?: ExecutionWait;
  /** The hash of the flow's definition it started with, and keeps: see `flowVersions`. */
  definition: string;
  /** Why it failed or was cancelled, or the attempt before failed. */
  error?: string;
  /** When it started: the server's time. */
  startedAt: Date;
  /** When it changed last: the server's time. */
  updatedAt: Date;
  /** The sequence of its head's message: a later change has a higher one. */
  revision: number;
}

/** What a parked execution waits for. */
export interface ExecutionWait {
  /** A signal, a completion of a pending activity, the delay before its next attempt, or its branches. */
  kind: "signal" | "activity" | "retry" | "join";
  /** The signal's name. */
  signal?: string;
  /** Until when, where there is a limit: the signal or activity times out, or the next attempt is due. */
  until?: Date;
}

/** A branch of a fan-out. */
export interface Branch {
  /** The branch's node. */
  node: string;
  /** Whether it has settled. */
  status: "pending" | "completed" | "failed";
  /** The attempt, from 0. */
  attempt?: number;
  /** Its output. */
  result?: Json;
  /** Why its last attempt failed. */
  error?: string;
  /** Its invoker said `pending`: it waits for `completeActivity`. */
  parked?: true;
  /** When its next attempt is due, or its pending activity times out. */
  until?: Date;
}

/** What a head says of its execution. */
export function executionOf(head: Head, load: Load): Execution {
  const { state } = head;
  const execution: Execution = {
    id: state.id,
    flow: state.flow,
    status: headStatus(head),
    currentNode: state.node,
    payload: payloadOf(state, load),
    attempt: state.attempt,
    generation: state.generation,
    definition: state.definition,
    startedAt: new Date(state.startedAt),
    updatedAt: new Date(state.updatedAt),
    revision: head.revision,
  };
  if (state.branches !== undefined) execution.branches = branchesOf(state, load);
  if (state.signals !== undefined) {
    execution.signals = {};
    for (const [name, stored] of Object.entries(state.signals)) setOwn(execution.signals, name, valueOf(stored, load));
  }
  if (state.wait?.kind === "signal") execution.waitSignal = state.wait.signal;
  const wait = waitOf(state);
  if (wait !== undefined) execution.wait = wait;
  if (state.error !== undefined) execution.error = state.error;
  return execution;
}

/** Everything that an execution knows, as plain values. */
export function resultsOf(state: State, load: Load): Context {
  return JSON.parse(JSON.stringify(contextOf(state, load)));
}

function waitOf({ wait, branches }: State): ExecutionWait | undefined {
  if (wait === undefined) return undefined;
  const { kind } = wait;
  if (kind === "join") {
    const ends = Object.values(branches ?? {}).filter(({ status }) => status === "pending").map(({ until }) => until);
    const first = Math.min(...ends.map((until) => until ?? Infinity));
    return first === Infinity ? { kind } : { kind, until: new Date(first) };
  }
  return {
    kind,
    ...(kind === "signal" ? { signal: wait.signal } : {}),
    ...(wait.until === undefined ? {} : { until: new Date(wait.until) }),
  };
}

function branchesOf(state: State, load: Load): Record<string, Branch> {
  const branches: Record<string, Branch> = {};
  for (const [node, { status, attempt, error, parked, until }] of Object.entries(state.branches!)) {
    const branch: Branch = { node, status, attempt };
    const result = status === "completed" ? findResult(state, node, load) : undefined;
    if (result !== undefined) branch.result = valueOf(result, load);
    if (error !== undefined) branch.error = error;
    if (parked) branch.parked = true;
    if (until !== undefined) branch.until = new Date(until);
    setOwn(branches, node, branch);
  }
  return branches;
}

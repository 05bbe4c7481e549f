/**
 * The time line of one task under a script, as long as nobody interferes: a part of the reference interpreter.
 *
 * @module
 */

import type { TaskNode } from "../../flow/types.ts";
import type { ScriptedAttempt, ScriptedResult } from "./script.ts";

/** A time during which a task is pending. */
export interface Park {
  readonly from: number;
  readonly to: number;
  /** When its completion counts, where the task has to wait for it that long; never: infinite. */
  readonly completedAt: number;
  readonly result?: ScriptedResult;
}

/** What happens to a task, from its first attempt on. */
export interface Branch {
  readonly node: TaskNode;
  readonly attempts: readonly { readonly at: number; readonly name: string }[];
  readonly parks: readonly Park[];
  /** When it settles; infinite where it never does. */
  readonly end: number;
  readonly result?: ScriptedResult;
}

/** The time line of a task that begins at a time. */
export function timelineOf(
  node: TaskNode,
  start: number,
  attemptOf: (attempt: number) => { name: string; does: ScriptedAttempt },
): Branch {
  const attempts: { at: number; name: string }[] = [];
  const parks: Park[] = [];
  let now = start;
  for (let attempt = 0;; attempt++) {
    const { name, does } = attemptOf(attempt);
    attempts.push({ at: now, name });
    const startedAt = now;
    now += does.runMs;
    let { result } = does;
    if (result === undefined) {
      const park = parkOf(node, does, startedAt, now);
      parks.push(park);
      if (park.to === Infinity) return { node, attempts, parks, end: Infinity };
      now = park.to;
      result = park.completedAt <= park.to ? park.result! : { status: "retry", error: "timeout" };
    }
    if (result.status !== "retry") return { node, attempts, parks, end: now, result };
    if (attempt + 1 === node.retry.maxAttempts) {
      return { node, attempts, parks, end: now, result: { status: "error", error: result.error } };
    }
    now += delays[node.retry.backoff](attempt + 1);
  }
}

function parkOf(node: TaskNode, does: ScriptedAttempt, startedAt: number, from: number): Park {
  const completedAt = does.completion === undefined ? Infinity : Math.max(from, startedAt + does.completion.afterMs);
  const to = Math.min(completedAt, from + (node.activityTimeoutMs ?? Infinity));
  return { from, to, completedAt, ...(does.completion === undefined ? {} : { result: does.completion.result }) };
}

/** The delay after the n-th failed attempt (from 1), in milliseconds. */
const delays = {
  fixed: (_nth: number) => 1_000,
  linear: (nth: number) => Math.min(nth, 60) * 1_000,
  exponential: (nth: number) => nth > 6 ? 60_000 : 500 * 2 ** nth,
};

/**
 * Transitions: what a node's code says is to become of the execution.
 *
 * @module
 */

import type { Decision } from "./events.ts";
import type { State } from "./state.ts";

/** Go on from the current node to the next one; complete where there is none. */
export interface Go {
  /** Tells it from a {@linkcode Decision}. */
  readonly type: "go";
  /** The state, with all that the current node did to it. */
  readonly state: State;
  /** The next node. */
  readonly to: string | undefined;
}

/** Go on to another node. */
export function go(state: State, to: string | undefined): Go {
  return { type: "go", state, to };
}

/** Write this state. */
export function stay(state: State): Decision {
  return { type: "next", state, visited: [] };
}

/** Do nothing: the event comes late, twice or to the wrong place. */
export function stale(reason: string): Decision {
  return { type: "drop", reason, lost: false };
}

/** Fail the execution at its current node. */
export function failure(state: State, error: string): Decision {
  return stay(ended(state, "failed", error));
}

/** The state without anything that belongs to an earlier visit of a node. */
export function cleared(state: State): State {
  const { wait: _wait, alarm: _alarm, error: _error, ...rest } = state;
  return { ...rest, attempt: 0 };
}

/** The state of an execution that has ended. */
export function ended(state: State, phase: "completed" | "failed" | "cancelled", error?: string): State {
  const { wait: _wait, alarm: _alarm, error: _error, ...rest } = state;
  return { ...rest, phase, ...(error === undefined ? {} : { error }) };
}

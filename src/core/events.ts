/**
 * What can happen to an execution, and what is then to be done.
 *
 * @module
 */

import type { State, Stored } from "./state.ts";
import type { Load } from "./values.ts";

/** How an attempt ended. `bytes` is the size of the payload as JSON. */
export type Outcome =
  | { readonly status: "ok"; readonly payload?: Stored; readonly bytes?: number }
  | { readonly status: "error" | "retry"; readonly error: string }
  | { readonly status: "pending" };

/** An attempt at a task. */
export interface Attempt {
  /** The task's node. */
  readonly node: string;
  /** The generation it belongs to. */
  readonly generation: number;
  /** The attempt, from 0. */
  readonly attempt: number;
}

/** Something that happened to an execution. */
export type Event =
  | { readonly type: "outcome"; readonly attempt: Attempt; readonly outcome: Outcome }
  | { readonly type: "wake" }
  | { readonly type: "signal"; readonly name: string; readonly payload: Stored; readonly sequence: number }
  | {
    readonly type: "completion";
    readonly node: string;
    readonly attempt: number;
    readonly generation?: number;
    readonly outcome: Outcome;
  }
  | { readonly type: "fail"; readonly error: string }
  | { readonly type: "cancel"; readonly reason?: string }
  | { readonly type: "resume" };

/** What is to be done about an event. */
export type Decision =
  /** Write this state as the next head; these choices and fan-outs were walked through on the way. */
  | { readonly type: "next"; readonly state: State; readonly visited: readonly string[] }
  /** Keep the signal or completion until the execution waits for it (R7); a completion for this generation. */
  | { readonly type: "keep"; readonly generation?: number }
  /** Nothing is to be done; what is `lost` had meant something to its sender and is dead-lettered. */
  | { readonly type: "drop"; readonly reason: string; readonly lost: boolean };

/** What a delivered head asks for. */
export type Plan =
  /** Start these attempts; decide on a `wake` at `wakeAt`, where there is one. */
  | { readonly type: "invoke"; readonly attempts: readonly Attempt[]; readonly wakeAt?: number }
  /** Nothing to do until an alarm: write this state. */
  | { readonly type: "park"; readonly state: State };

/** What decisions are made with, beside the flow, the state and the event. */
export interface Environment {
  /** The time, in milliseconds since the epoch: the server's. */
  readonly now: number;
  /** Reads stored values. */
  readonly load: Load;
  /** How long an invocation may take where its node does not say, in milliseconds. */
  readonly defaultTimeoutMs: number;
  /** How long a silent engine keeps what it was working on, in milliseconds. */
  readonly leaseMs: number;
}

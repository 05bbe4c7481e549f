/**
 * The port through which every task is run: one function from a request to a result.
 *
 * @module
 */

import type { Context } from "../core/values.ts";
import type { Json } from "../json.ts";

/** What an invoker is asked to do: one attempt at one task. */
export interface InvokeRequest {
  /** The kind of invoker the node names. */
  readonly invoker: string;
  /** What to call, with `{execution_id}` replaced. */
  readonly target: string;
  /** The execution's id. */
  readonly executionId: string;
  /** The node's id. */
  readonly nodeId: string;
  /** The shared payload; a copy that may be changed. */
  readonly payload: Json;
  /** Everything the execution knows; copies that may be changed. */
  readonly context: Context;
  /** The attempt, from 0. */
  readonly attempt: number;
  /** The generation: it rises with each visit of a node, so that a late completion can be told. */
  readonly generation: number;
  /** When the attempt runs out of time. */
  readonly deadline: Date;
  /** Aborted when the attempt runs out of time, or its result is no longer wanted. */
  readonly signal: AbortSignal;
  /** `<executionId>.<nodeId>.<generation>.<attempt>`: the same for every delivery of the same attempt. */
  readonly idempotencyKey: string;
}

/** How an attempt ended. */
export interface Result {
  /**
   * `ok` goes on; `error` fails the node for good; `retry` tries again by the node's policy; `pending` parks until
   * `completeActivity`.
   */
  status: "ok" | "error" | "retry" | "pending";
  /** The output, for `ok`: it becomes the shared payload and the node's result. `null` is an output, absent is none. */
  payload?: Json;
  /** Why it failed, for `error` and `retry`. */
  error?: string;
}

/** Runs attempts. A thrown error counts as `retry`. */
export type InvokerFunction = (request: InvokeRequest) => Promise<Result> | Result;

/** Runs attempts. */
export interface Invoker {
  /** Runs an attempt. A thrown error counts as `retry`. */
  invoke: InvokerFunction;
  /**
   * Whether it looks at `request.context`. Where it does not, only what the shared payload is made of has to be at hand
   * for a call, however large the other results of the execution are.
   *
   * @default {true}
   */
  readonly readsContext?: boolean;
}

/**
 * What a run in memory is told, and what it tells.
 *
 * @module
 */

import type { Duration } from "../duration.ts";
import type { InvokeRequest, Result } from "../invoker/types.ts";
import type { Json, JsonObject } from "../json.ts";

/** What a stub is asked: as an invoker, with times of the virtual clock. */
export type StubRequest = InvokeRequest;

/** What a stub answers: as an invoker, and how long it took on the virtual clock. */
export interface StubResult extends Result {
  /**
   * How long the attempt takes. Longer than its timeout, it is timed out.
   *
   * @default {0}
   */
  takes?: Duration;
  /** For `pending`: how and when the activity completes; it does not where absent. */
  completes?: StubCompletion;
}

/** How a pending activity completes. */
export interface StubCompletion extends Result {
  /** How long after the answer `pending`. */
  after: Duration;
}

/** Answers attempts. What it throws counts as `retry`. */
export type StubFunction = (request: StubRequest) => StubResult | Promise<StubResult>;

/** A stub: a function, an answer for all attempts, or the answers in order, of which the last one stays. */
export type Stub = StubFunction | StubResult | readonly StubResult[];

/** A signal that a run gets. */
export interface FlowRunSignal {
  /** The signal's name. */
  name: string;
  /**
   * Its payload.
   *
   * @default {null}
   */
  payload?: Json;
  /** How long after the start it comes; as soon as it is waited for where absent. */
  at?: Duration;
}

/** What a run in memory is told. */
export interface FlowRunOptions {
  /**
   * The payload of the start.
   *
   * @default {{}}
   */
  input?: JsonObject;
  /** What answers the tasks, by node. */
  stubs?: Readonly<Record<string, Stub>>;
  /** What answers the tasks that have no stub of their own, by kind of invoker; `nats-task` is one too. */
  invokers?: Readonly<Record<string, Stub>>;
  /** The signals that come. */
  signals?: readonly FlowRunSignal[];
  /**
   * Stop where the execution waits for a signal or a pending activity, instead of letting time pass until that comes
   * or times out: `run.signal`, `run.complete` and `run.advance` go on.
   *
   * @default {false}
   */
  pause?: boolean;
  /**
   * The execution's id.
   *
   * @default {"test"}
   */
  id?: string;
  /**
   * When the execution starts, on the virtual clock.
   *
   * @default {2000-01-01, 00:00 UTC}
   */
  startAt?: Date;
  /**
   * The time an invocation may take where its node does not say.
   *
   * @default {"30s"}
   */
  defaultTimeout?: Duration;
  /**
   * The limit of one payload, in bytes of JSON.
   *
   * @default {524_288}
   */
  maxPayloadBytes?: number;
}

/** An attempt that was made. Times are milliseconds since the start. */
export interface AttemptRecord {
  /** The task's node. */
  readonly node: string;
  /** The visit of the node it belongs to. */
  readonly generation: number;
  /** The attempt, from 0. */
  readonly attempt: number;
  /** When it began. */
  readonly startedMs: number;
  /** When it ended: for `pending`, when the invoker answered; absent while it runs, or where it was aborted. */
  endedMs?: number;
  /** How it ended. */
  status: Result["status"] | "running" | "aborted";
  /** Why it failed. */
  error?: string;
}

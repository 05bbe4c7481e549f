/**
 * The state of an execution: what the body of its head message holds.
 *
 * A **head** is the latest message of an execution. Its **phase** is in its subject. The state is small whatever the
 * execution has been through: the shared payload and the joined branches are references into `results`, large values
 * and old results live in the data stream.
 *
 * @module
 */

import type { Json } from "../json.ts";
import type { TrailEntry } from "./trail.ts";

/** What a head says is to be done with its execution; the token of its subject. `due` is written by the server. */
export type Phase = "ready" | "due" | "active" | "delayed" | "waiting" | "completed" | "failed" | "cancelled";

/** All phases. */
export const PHASES: readonly Phase[] = [
  "ready",
  "due",
  "active",
  "delayed",
  "waiting",
  "completed",
  "failed",
  "cancelled",
];

const KNOWN_PHASES: ReadonlySet<unknown> = new Set(PHASES);

/** Whether something is a phase. */
export function isPhase(value: unknown): value is Phase {
  return KNOWN_PHASES.has(value);
}

/** The phases in which an execution has ended; a failed one can be resumed. */
export type EndedPhase = "completed" | "failed" | "cancelled";

/** The status of an execution as users see it. */
export type ExecutionStatus = "running" | "waiting" | "completed" | "failed" | "cancelled";

/** A value: inline, or the sequence of the message in the data stream that holds it. */
export type Stored = { readonly value: Json } | { readonly ref: number; readonly size: number };

/** What the shared payload is made of. */
export interface PayloadSource {
  /** The node whose result is the shared payload; the input where absent. */
  readonly from?: string;
  /** What was merged into it since, in order. */
  readonly merged?: readonly Merge[];
}

/** A signal's payload merged in under its name, or branches' results merged in as `branches`. */
export type Merge = { readonly signal: string } | { readonly branches: readonly string[] };

/** What a parked execution waits for. */
export type Wait =
  | { readonly kind: "signal"; readonly signal: string; readonly until?: number }
  | { readonly kind: "activity"; readonly until?: number }
  | { readonly kind: "retry"; readonly until: number }
  | { readonly kind: "join" };

/** The state of one branch of a fan-out. */
export interface BranchState {
  /** Whether it has settled. */
  readonly status: "pending" | "completed" | "failed";
  /** The attempt, from 0. */
  readonly attempt: number;
  /** The generation its fan-out was entered or resumed with. */
  readonly generation: number;
  /** Its invoker said `pending`: it waits for its completion, until `until` where its activity has a time limit. */
  readonly parked?: true;
  /** When its next attempt is due, or its pending activity times out; milliseconds since the epoch. */
  readonly until?: number;
  /** Why its last attempt failed. */
  readonly error?: string;
}

/** The state of an execution. Values are never changed in place. Times are milliseconds since the epoch, server time. */
export interface State {
  /** The version of this format. */
  readonly schema: 1;
  /** The execution's id. */
  readonly id: string;
  /** The flow's name. */
  readonly flow: string;
  /** The content hash of the definition the execution started with. */
  readonly definition: string;
  /** Rises by one with each transition (R2). */
  readonly version: number;
  /** The phase this state was written with; never `due`, which is a `delayed`, `waiting` or `active` one that fired. */
  readonly phase: Exclude<Phase, "due">;
  /** The current node. */
  readonly node: string;
  /** Rises by one with each entry to a node, and each resume. */
  readonly generation: number;
  /** The attempt at the current node, from 0. */
  readonly attempt: number;
  /** When the execution started. */
  readonly startedAt: number;
  /** When this state was written. */
  readonly updatedAt: number;
  /** The payload of the start. */
  readonly input: Stored;
  /** What the shared payload is made of. */
  readonly payload: PayloadSource;
  /** The latest output of each node, but for those in `chunks`. */
  readonly results: Readonly<Record<string, Stored>>;
  /** Sequences of messages in the data stream that hold earlier results, oldest first; later ones win. */
  readonly chunks?: readonly number[];
  /** At least the size of the inline results, in bytes of JSON. */
  readonly inlineBytes: number;
  /** The node whose output came last. */
  readonly lastNode?: string;
  /** The payloads of the signals that were consumed. */
  readonly signals?: Readonly<Record<string, Stored>>;
  /** The inbox sequence of the signal last consumed of each name (R7). */
  readonly consumed?: Readonly<Record<string, number>>;
  /** The fan-out that was entered last. */
  readonly fanout?: string;
  /** The branches of that fan-out, and detached ones of earlier ones that are still pending. */
  readonly branches?: Readonly<Record<string, BranchState>>;
  /** What a parked execution waits for. */
  readonly wait?: Wait;
  /** When the server is to fire the head, where it is a schedule (R4). */
  readonly alarm?: number;
  /** Why it failed or was cancelled. */
  readonly error?: string;
  /** The choices and fan-outs walked through on the way to this head. */
  readonly path?: readonly string[];
  /** The heads before this one, oldest first, but for those that were put away. */
  readonly trail?: readonly TrailEntry[];
}

/** The version of the state's format that this code writes. */
export const SCHEMA = 1;

/** How long a parked head without a deadline sleeps before it is looked at again, so that nothing is forgotten (R4). */
export const SAFETY_ALARM_MS: number = 24 * 3_600_000;

/** Whether an execution in this phase has ended. */
export function hasEnded(phase: Phase): phase is EndedPhase {
  return phase === "completed" || phase === "failed" || phase === "cancelled";
}

/** Whether a head of this phase is a schedule (R4). */
export function isSchedule(phase: Phase): phase is "active" | "delayed" | "waiting" {
  return phase === "active" || phase === "delayed" || phase === "waiting";
}

/** The status that users see for a phase a state was written with. */
export function statusOf(phase: State["phase"]): ExecutionStatus {
  switch (phase) {
    case "ready":
    case "active":
    case "delayed":
      return "running";
    case "waiting":
    case "completed":
    case "failed":
    case "cancelled":
      return phase;
    default:
      return unreachable(phase);
  }
}

/** Marks a place that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new TypeError(`unexpected ${JSON.stringify(value)}`);
}

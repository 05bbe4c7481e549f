/**
 * Typed flows: definitions whose references the compiler checks.
 *
 * @module
 */

import type { Duration } from "../duration.ts";
import type { FlowDef, RetryDef } from "./types.ts";

/** A flow of which `Id` are the node ids, and `Kind` the kinds of invoker: see {@linkcode defineFlow}. */
export interface TypedFlow<Id extends string, Kind extends string> {
  /** The version of the format; `"1.0"` is the only one. */
  readonly version?: "1.0";
  /** The flow's name, `[A-Za-z0-9_-]{1,128}`. */
  readonly name: string;
  /** The nodes; exactly one of them has nothing leading to it and is the start. */
  readonly nodes: readonly TypedNode<Id, Kind>[];
  /** Where each node leads; a node without an edge ends the execution. */
  readonly edges?: readonly TypedEdge<Id>[];
}

/** One edge of a typed flow. */
export interface TypedEdge<Id extends string> {
  /** The node that was run. */
  readonly from: NoInfer<Id>;
  /** The node to run next. */
  readonly to: NoInfer<Id>;
}

/** One node of a typed flow, told apart by `type`. */
export type TypedNode<Id extends string, Kind extends string> =
  | TypedTask<Id, Kind>
  | TypedFanout<Id>
  | TypedFanin<Id>
  | TypedChoice<Id>
  | TypedSignal<Id>;

/** A task of a typed flow. */
export type TypedTask<Id extends string, Kind extends string> = TypedNatsTask<Id> | TypedInvokerTask<Id, Kind>;

/** What tasks of all kinds have. */
export interface TypedTaskBase<Id extends string> {
  /** The node's id, unique in its flow. */
  readonly id: Id;
  /** The kind of node. */
  readonly type: "task";
  /** The time one invocation may take; the server's `defaultTimeout` where absent. */
  readonly timeout?: Duration;
  /** The time a `pending` activity may take to complete; no limit where absent. */
  readonly activityTimeout?: Duration;
  /** The retry policy; one attempt where absent. */
  readonly retry?: Readonly<RetryDef>;
}

/** A task that a worker answers over NATS. */
export interface TypedNatsTask<Id extends string> extends TypedTaskBase<Id> {
  /** The kind of invoker: `nats-task`, also where absent. */
  readonly invoker?: "nats-task";
  /** The subject to call, without the namespace; `{execution_id}` is replaced by the execution's id. */
  readonly target?: string;
  /** Another name for `target`. */
  readonly subject?: string;
}

/** A task that an invoker of one's own runs. */
export interface TypedInvokerTask<Id extends string, Kind extends string> extends TypedTaskBase<Id> {
  /** The kind of invoker. */
  readonly invoker: NoInfer<Kind>;
  /** What the invoker is to call; `{execution_id}` is replaced by the execution's id. */
  readonly target?: string;
}

/** A node of a typed flow that runs several tasks at once. */
export interface TypedFanout<Id extends string> {
  /** The node's id, unique in its flow. */
  readonly id: Id;
  /** The kind of node. */
  readonly type: "fanout";
  /** The tasks to run. */
  readonly branches: readonly NoInfer<Id>[];
}

/** A node of a typed flow that joins the branches of a fan-out. */
export interface TypedFanin<Id extends string> {
  /** The node's id, unique in its flow. */
  readonly id: Id;
  /** The kind of node. */
  readonly type: "fanin";
  /** The branches to wait for. */
  readonly waitFor: readonly NoInfer<Id>[];
  /** How many of them must complete; `"all"` where absent. */
  readonly joinPolicy?: "all" | "any" | `quorum:${number}`;
}

/** A node of a typed flow that picks the next node. */
export interface TypedChoice<Id extends string> {
  /** The node's id, unique in its flow. */
  readonly id: Id;
  /** The kind of node. */
  readonly type: "choice";
  /** The rules, tried in order; exactly one is the default. */
  readonly rules: readonly TypedRule<Id>[];
  /** `"fail"`: a rule that cannot be evaluated fails the execution; it does not match where absent. */
  readonly onError?: "fail";
}

/** One rule of a choice: an expression and where it leads, or the default. */
export type TypedRule<Id extends string> =
  | {
    /** The expression. */
    readonly when: string;
    /** Only the default has it. */
    readonly default?: never;
    /** The node to run next. */
    readonly to: NoInfer<Id>;
  }
  | {
    /** The default has none. */
    readonly when?: never;
    /** Marks the rule that is taken when no other matches. */
    readonly default: true;
    /** The node to run next. */
    readonly to: NoInfer<Id>;
  };

/** A node of a typed flow that waits for a signal. */
export type TypedSignal<Id extends string> =
  & {
    /** The node's id, unique in its flow. */
    readonly id: Id;
    /** The kind of node. */
    readonly type: "signal";
    /** The name of the signal. */
    readonly signalName: string;
  }
  & (
    | {
      /** How long to wait. */
      readonly timeout: Duration;
      /** The node to run next when the time is up; the execution fails where absent. */
      readonly onTimeout?: NoInfer<Id>;
    }
    | {
      /** Waits without a limit. */
      readonly timeout?: never;
      /** Only a signal with a `timeout` has it. */
      readonly onTimeout?: never;
    }
  );

/** The kinds of invoker a flow may name: a list of them, or the table that `createServer` gets. */
export type InvokerKinds<Kind extends string> = readonly Kind[] | { readonly [Name in Kind]: unknown };

/**
 * A flow whose references the compiler checks: a misspelt node in an edge, a rule, `branches`, `waitFor` or `onTimeout`
 * does not compile. With `invokers`, nor does a kind that is not among them.
 *
 * What only a whole flow can be asked (one start, nothing unreachable, expressions that compile) is checked by
 * `createServer`, `validateFlow` and `runFlow`, as for every flow.
 *
 * @param def The flow.
 * @param _invokers The kinds of invoker the flow may name beside `nats-task`: only their types are looked at.
 * @returns The same value.
 *
 * @example
 * ```ts
 * import { createServer, defineFlow } from "@packtrail/core";
 * import type { Connection, InvokeRequest } from "@packtrail/core";
 *
 * const invokers = {
 *   greeter: ({ payload }: InvokeRequest) => ({ status: "ok" as const, payload }),
 * };
 *
 * const greeting = defineFlow({
 *   name: "greeting",
 *   nodes: [
 *     { id: "greet", type: "task", invoker: "greeter" },
 *     { id: "answer", type: "signal", signalName: "answer", timeout: "24h", onTimeout: "remind" },
 *     { id: "remind", type: "task", subject: "tasks.remind" },
 *   ],
 *   edges: [{ from: "greet", to: "answer" }],
 * }, invokers);
 *
 * export const serverOf = (nc: Connection) => createServer(nc, { flows: [greeting], invokers });
 * ```
 */
export function defineFlow<const Id extends string, Kind extends string = string>(
  def: TypedFlow<Id, Kind>,
  _invokers?: InvokerKinds<Kind>,
): FlowDef {
  return def as { readonly [Field in keyof FlowDef]: unknown } as FlowDef;
}

/**
 * The shape of a flow: as people write it (`FlowDef`), as the engine runs it (`Flow`), and as a picture (`FlowGraph`).
 *
 * A **flow** is a graph of **nodes**. An **execution** is one run through it. A **task** calls an invoker; a **fan-out**
 * runs its **branches** (tasks) at once and its **fan-in** joins them; a **choice** picks the next node by expressions;
 * a **signal** waits for the outside world.
 *
 * @module
 */

import type { Duration } from "../duration.ts";
import type { Predicate } from "../expr/mod.ts";

/** A flow as it is written down: the YAML document in camelCase. */
export interface FlowDef {
  /** The version of the format; `"1.0"` is the only one. */
  version?: "1.0";
  /** The flow's name, `[A-Za-z0-9_-]{1,128}`. */
  name: string;
  /** The nodes; exactly one of them has nothing leading to it and is the start. */
  nodes: NodeDef[];
  /** Where each node leads; a node without an edge ends the execution. */
  edges?: EdgeDef[];
}

/** One edge of a flow. */
export interface EdgeDef {
  /** The node that was run. */
  from: string;
  /** The node to run next. */
  to: string;
}

/** One node of a flow, told apart by `type`. */
export type NodeDef = TaskDef | FanoutDef | FaninDef | ChoiceDef | SignalDef;

/** How often and after which delays a failed attempt is repeated. */
export interface RetryDef {
  /** Attempts in all, 1 to 64. */
  maxAttempts: number;
  /**
   * How the delay grows: 1 s each time, 1 s more each time, or doubled each time; 60 s at most.
   *
   * @default {"fixed"}
   */
  backoff?: "fixed" | "linear" | "exponential";
}

/** A node that calls an invoker. */
export interface TaskDef {
  /** The node's id, unique in its flow. */
  id: string;
  /** The kind of node. */
  type: "task";
  /**
   * The kind of invoker.
   *
   * @default {"nats-task"}
   */
  invoker?: string;
  /** What the invoker is to call; `{execution_id}` is replaced by the execution's id. */
  target?: string;
  /** Another name for `target`, for the kind `nats-task` only. */
  subject?: string;
  /** The time one invocation may take; the server's `defaultTimeout` where absent. */
  timeout?: Duration;
  /** The time a `pending` activity may take to complete; no limit where absent. */
  activityTimeout?: Duration;
  /** The retry policy; one attempt where absent. */
  retry?: RetryDef;
}

/** A node that runs several tasks at once. */
export interface FanoutDef {
  /** The node's id, unique in its flow. */
  id: string;
  /** The kind of node. */
  type: "fanout";
  /** The tasks to run. */
  branches: string[];
}

/** A node that joins the branches of a fan-out. */
export interface FaninDef {
  /** The node's id, unique in its flow. */
  id: string;
  /** The kind of node. */
  type: "fanin";
  /** The branches to wait for. */
  waitFor: string[];
  /**
   * How many of them must complete: `all`, `any` or `quorum:N`.
   *
   * @default {"all"}
   */
  joinPolicy?: string;
}

/** A node that picks the next node. */
export interface ChoiceDef {
  /** The node's id, unique in its flow. */
  id: string;
  /** The kind of node. */
  type: "choice";
  /** The rules, tried in order; exactly one is the default. */
  rules: RuleDef[];
  /** `"fail"`: a rule that cannot be evaluated fails the execution; it does not match where absent. */
  onError?: "fail";
}

/** One rule of a choice: an expression and where it leads, or the default. */
export interface RuleDef {
  /** The expression. */
  when?: string;
  /** Marks the rule that is taken when no other matches. */
  default?: true;
  /** The node to run next. */
  to: string;
}

/** A node that waits for a signal. */
export interface SignalDef {
  /** The node's id, unique in its flow. */
  id: string;
  /** The kind of node. */
  type: "signal";
  /** The name of the signal. */
  signalName: string;
  /** How long to wait; without a limit where absent. */
  timeout?: Duration;
  /** The node to run next when the time is up; the execution fails where absent. */
  onTimeout?: string;
}

/** A checked flow, ready to run. Frozen. */
export interface Flow {
  /** The flow's name. */
  readonly name: string;
  /** The node an execution starts at. */
  readonly start: string;
  /** The nodes by id, in the order of the definition. */
  readonly nodes: ReadonlyMap<string, FlowNode>;
  /** The definition in its normal form: JSON, durations in milliseconds, defaults left out. */
  readonly definition: FlowDef;
}

/** One node of a checked flow, told apart by `type`. */
export type FlowNode = TaskNode | FanoutNode | FaninNode | ChoiceNode | SignalNode;

/** A retry policy with its defaults filled in. */
export interface RetryPolicy {
  /** Attempts in all. */
  readonly maxAttempts: number;
  /** How the delay grows. */
  readonly backoff: "fixed" | "linear" | "exponential";
}

/** A checked task. */
export interface TaskNode {
  /** The kind of node. */
  readonly type: "task";
  /** The node's id. */
  readonly id: string;
  /** The kind of invoker. */
  readonly invoker: string;
  /** What the invoker is to call, with `{execution_id}` still in it. */
  readonly target: string;
  /** The time one invocation may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** The time a pending activity may take, in milliseconds. */
  readonly activityTimeoutMs?: number;
  /** The retry policy. */
  readonly retry: RetryPolicy;
  /** The fan-out this task is a branch of. */
  readonly branchOf?: string;
  /** The next node; the execution ends where absent. */
  readonly next?: string;
}

/** A checked fan-out. */
export interface FanoutNode {
  /** The kind of node. */
  readonly type: "fanout";
  /** The node's id. */
  readonly id: string;
  /** The tasks to run. */
  readonly branches: readonly string[];
  /** The fan-in that joins them. */
  readonly join: string;
}

/** A checked fan-in. */
export interface FaninNode {
  /** The kind of node. */
  readonly type: "fanin";
  /** The node's id. */
  readonly id: string;
  /** The fan-out whose branches it joins. */
  readonly fanout: string;
  /** The branches it waits for. */
  readonly waitFor: readonly string[];
  /** How many of them must complete. */
  readonly required: number;
  /** The next node; the execution ends where absent. */
  readonly next?: string;
}

/** A checked choice. */
export interface ChoiceNode {
  /** The kind of node. */
  readonly type: "choice";
  /** The node's id. */
  readonly id: string;
  /** The rules but the default, in order. */
  readonly rules: readonly { readonly when: string; readonly predicate: Predicate; readonly to: string }[];
  /** Where the default leads. */
  readonly otherwise: string;
  /** Whether a rule that cannot be evaluated fails the execution. */
  readonly failOnError: boolean;
}

/** A checked signal node. */
export interface SignalNode {
  /** The kind of node. */
  readonly type: "signal";
  /** The node's id. */
  readonly id: string;
  /** The name of the signal. */
  readonly signal: string;
  /** How long to wait, in milliseconds. */
  readonly timeoutMs?: number;
  /** The node to run when the time is up. */
  readonly onTimeout?: string;
  /** The next node; the execution ends where absent. */
  readonly next?: string;
}

/** A flow as a picture: what a dashboard draws. */
export interface FlowGraph {
  /** The flow's name. */
  name: string;
  /** The version of the format, where the definition names it. */
  version?: string;
  /** The nodes, in the order of the definition. */
  nodes: GraphNode[];
  /** The edges, those of rules, branches and timeouts included. */
  edges: { from: string; to: string }[];
}

/** One node of a {@linkcode FlowGraph}. */
export interface GraphNode {
  /** The node's id. */
  id: string;
  /** The kind of node. */
  type: NodeDef["type"];
  /** A task's kind of invoker. */
  invoker?: string;
  /** A task's target. */
  target?: string;
  /** A fan-out's branches. */
  branches?: string[];
  /** The branches a fan-in waits for. */
  waitFor?: string[];
  /** A fan-in's policy: `all`, `any` or `quorum:N`. */
  joinPolicy?: string;
  /** A choice's rules. */
  rules?: { when?: string; default?: boolean; to: string }[];
  /** The signal a node waits for. */
  signalName?: string;
  /** Where a signal's timeout leads. */
  onTimeout?: string;
  /** A timeout, in milliseconds. */
  timeout?: number;
  /** A task's retry policy. */
  retry?: RetryDef;
}

/**
 * What is drawn onto a graph.
 *
 * @module
 */

/** How a node stands in an execution, or in a flow. */
export interface NodeMark {
  /** Decides its colour; `idle` was not reached. */
  readonly state: "idle" | "running" | "waiting" | "completed" | "failed" | "cancelled";
  /** Said below its name, in place of what it is. */
  readonly note?: string;
  /** Where it leads when it is followed. */
  readonly href?: string;
}

/** What is drawn onto a graph. */
export interface Marks {
  /** How nodes stand; those not named are as they come. */
  readonly nodes: ReadonlyMap<string, NodeMark>;
  /** The edges that were taken, as `from to`. */
  readonly taken: ReadonlySet<string>;
}

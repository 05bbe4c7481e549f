/**
 * Flow definitions: read from YAML or from values, checked, and made ready to run.
 *
 * Pure: the same text gives the same flow, and nothing outside is asked.
 *
 * @module
 */

export type { Duration } from "../duration.ts";
export type { Predicate } from "../expr/mod.ts";
export type { Json, JsonObject } from "../json.ts";
export { flowGraph } from "./graph.ts";
export { buildFlow, type BuildFlowOptions, parseFlow, type ParseFlowOptions } from "./load.ts";
export type {
  ChoiceDef,
  ChoiceNode,
  EdgeDef,
  FaninDef,
  FaninNode,
  FanoutDef,
  FanoutNode,
  Flow,
  FlowDef,
  FlowGraph,
  FlowNode,
  GraphNode,
  NodeDef,
  RetryDef,
  RetryPolicy,
  RuleDef,
  SignalDef,
  SignalNode,
  TaskDef,
  TaskNode,
} from "./types.ts";

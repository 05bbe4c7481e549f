/**
 * Makes the flow that the engine runs of a definition that was checked.
 *
 * @module
 */

import type { Predicate } from "../expr/mod.ts";
import type { Duration } from "../duration.ts";
import { DEFAULT_KIND } from "./format.ts";
import { type Link, linksOf } from "./links.ts";
import { normalise } from "./normalise.ts";
import type {
  ChoiceDef,
  ChoiceNode,
  FaninDef,
  FaninNode,
  FanoutDef,
  FanoutNode,
  Flow,
  FlowDef,
  FlowNode,
  NodeDef,
  SignalDef,
  SignalNode,
  TaskDef,
  TaskNode,
} from "./types.ts";
import { requiredBy } from "./validate/nodes.ts";
import { startOf } from "./validate/paths.ts";

/** What the nodes of one flow are made from beside their definitions. */
interface Surroundings {
  /** The compiled expressions, by their rule. */
  readonly predicates: ReadonlyMap<object, Predicate>;
  /** Where each node's edge leads. */
  readonly next: ReadonlyMap<string, string>;
  /** The fan-out of each branch. */
  readonly branchOf: ReadonlyMap<string, string>;
  /** The fan-out of each fan-in. */
  readonly fanoutOf: ReadonlyMap<string, string>;
}

/** The flow of a definition, frozen. */
export function buildChecked(def: FlowDef, predicates: ReadonlyMap<object, Predicate>): Flow {
  const links = linksOf(def);
  const around: Surroundings = {
    predicates,
    next: new Map(links.filter((link) => link.by === "edge").map((link) => [link.from, link.to])),
    branchOf: sourcesOf(links, "branch"),
    fanoutOf: sourcesOf(links, "edge"),
  };
  const nodes = new Map(def.nodes.map((node) => [node.id, freeze(buildNode(node, around))]));
  return Object.freeze({
    name: def.name,
    start: startOf(nodes.keys(), links)!,
    nodes,
    definition: freeze(normalise(def)),
  });
}

function sourcesOf(links: readonly Link[], by: Link["by"]): Map<string, string> {
  return new Map(links.filter((link) => link.by === by).map((link) => [link.to, link.from]));
}

function buildNode(node: NodeDef, around: Surroundings): FlowNode {
  switch (node.type) {
    case "task":
      return buildTask(node, around);
    case "fanout":
      return buildFanout(node, around);
    case "fanin":
      return buildFanin(node, around);
    case "choice":
      return buildChoice(node, around);
    case "signal":
      return buildSignal(node, around);
    default:
      return node satisfies never;
  }
}

function buildTask(task: TaskDef, { next, branchOf }: Surroundings): TaskNode {
  return {
    type: "task",
    id: task.id,
    invoker: task.invoker ?? DEFAULT_KIND,
    target: task.target ?? task.subject ?? "",
    ...optional("timeoutMs", ms(task.timeout)),
    ...optional("activityTimeoutMs", ms(task.activityTimeout)),
    retry: { maxAttempts: task.retry?.maxAttempts ?? 1, backoff: task.retry?.backoff ?? "fixed" },
    ...optional("branchOf", branchOf.get(task.id)),
    ...optional("next", next.get(task.id)),
  };
}

function buildFanout({ id, branches }: FanoutDef, { next }: Surroundings): FanoutNode {
  return { type: "fanout", id, branches: [...branches], join: next.get(id)! };
}

function buildFanin({ id, waitFor, joinPolicy = "all" }: FaninDef, { next, fanoutOf }: Surroundings): FaninNode {
  return {
    type: "fanin",
    id,
    fanout: fanoutOf.get(id)!,
    waitFor: [...waitFor],
    required: requiredBy(joinPolicy, waitFor.length),
    ...optional("next", next.get(id)),
  };
}

function buildChoice({ id, rules, onError }: ChoiceDef, { predicates }: Surroundings): ChoiceNode {
  return {
    type: "choice",
    id,
    rules: rules.filter((rule) => rule.when !== undefined)
      .map((rule) => ({ when: rule.when!, predicate: predicates.get(rule)!, to: rule.to })),
    otherwise: rules.find((rule) => rule.default)!.to,
    failOnError: onError === "fail",
  };
}

function buildSignal(signal: SignalDef, { next }: Surroundings): SignalNode {
  return {
    type: "signal",
    id: signal.id,
    signal: signal.signalName,
    ...optional("timeoutMs", ms(signal.timeout)),
    ...optional("onTimeout", signal.onTimeout),
    ...optional("next", next.get(signal.id)),
  };
}

/** Durations were read as milliseconds. */
function ms(duration: Duration | undefined): number | undefined {
  return duration as number | undefined;
}

function optional<Key extends string, T>(key: Key, value: T | undefined): { [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: T };
}

/** Freezes plain data all the way down, and leaves what is not plain as it is. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

/**
 * A flow as a picture.
 *
 * @module
 */

import { DEFAULT_KIND } from "./format.ts";
import { linksOf } from "./links.ts";
import type { Flow, FlowGraph, GraphNode, NodeDef, TaskDef } from "./types.ts";

/**
 * The graph of a flow, to be drawn: its nodes in the order of the definition, and all that leads from one to another
 * (edges, rules, branches, joins and timeouts), each pair once.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { buildFlow, flowGraph } from "./mod.ts";
 *
 * const flow = buildFlow({
 *   name: "greeting",
 *   nodes: [{ id: "greet", type: "task", subject: "greet" }, { id: "thank", type: "task", subject: "thank" }],
 *   edges: [{ from: "greet", to: "thank" }],
 * });
 * assertEquals(flowGraph(flow).edges, [{ from: "greet", to: "thank" }]);
 * ```
 */
export function flowGraph({ name, definition }: Flow): FlowGraph {
  const edges = new Map(linksOf(definition).map(({ from, to }) => [`${from} ${to}`, { from, to }]));
  return {
    name,
    ...(definition.version === undefined ? {} : { version: definition.version }),
    nodes: definition.nodes.map(graphNode),
    edges: [...edges.values()],
  };
}

/** A graph belongs to its caller: nothing of the frozen definition is in it. */
function graphNode(node: NodeDef): GraphNode {
  const { id, type } = node;
  switch (type) {
    case "task":
      return { id, type, ...taskFields(node) };
    case "fanout":
      return { id, type, branches: [...node.branches] };
    case "fanin":
      return { id, type, waitFor: [...node.waitFor], joinPolicy: node.joinPolicy ?? "all" };
    case "choice":
      return { id, type, rules: node.rules.map((rule) => ({ ...rule })) };
    case "signal": {
      const { signalName, onTimeout, timeout } = node;
      return {
        id,
        type,
        signalName,
        ...(onTimeout === undefined ? {} : { onTimeout }),
        ...(timeout === undefined ? {} : { timeout: timeout as number }),
      };
    }
    default:
      return node satisfies never;
  }
}

function taskFields({ invoker = DEFAULT_KIND, target, timeout, retry }: TaskDef): Partial<GraphNode> {
  return {
    invoker,
    ...(target === undefined ? {} : { target }),
    ...(timeout === undefined ? {} : { timeout: timeout as number }),
    ...(retry === undefined ? {} : { retry: { backoff: "fixed", ...retry } }),
  };
}

/**
 * The normal form of a definition: one for all the ways to write the same flow.
 *
 * Durations are milliseconds and the fields are in the order of the format already, by the way they were read; here
 * defaults are left out and aliases resolved.
 *
 * @module
 */

import { DEFAULT_KIND } from "./format.ts";
import type { FlowDef, NodeDef, RetryDef, TaskDef } from "./types.ts";

/** The normal form of a definition that was checked. */
export function normalise({ edges, nodes, ...rest }: FlowDef): FlowDef {
  return {
    ...rest,
    nodes: nodes.map(normaliseNode),
    ...(edges === undefined || edges.length === 0 ? {} : { edges }),
  };
}

function normaliseNode(node: NodeDef): NodeDef {
  if (node.type === "task") return normaliseTask(node);
  if (node.type !== "fanin" || node.joinPolicy !== "all") return node;
  const { joinPolicy: _, ...rest } = node;
  return rest;
}

function normaliseTask({ id, type, invoker, target, subject, retry, ...durations }: TaskDef): TaskDef {
  const to = target ?? subject;
  const policy = retry === undefined ? undefined : normaliseRetry(retry);
  return {
    id,
    type,
    ...(invoker === undefined || invoker === DEFAULT_KIND ? {} : { invoker }),
    ...(to === undefined ? {} : { target: to }),
    ...durations,
    ...(policy === undefined ? {} : { retry: policy }),
  };
}

/** One attempt is what a task has without a policy, whatever the delays would be. */
function normaliseRetry({ maxAttempts, backoff }: RetryDef): RetryDef | undefined {
  if (maxAttempts === 1) return undefined;
  return backoff === undefined || backoff === "fixed" ? { maxAttempts } : { maxAttempts, backoff };
}

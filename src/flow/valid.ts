/**
 * Flows checked without running them: for editors, commands and tests.
 *
 * @module
 */

import { flowGraph } from "./graph.ts";
import { buildFlow, parseFlow } from "./load.ts";
import type { FlowDef, FlowGraph } from "./types.ts";

/** How {@linkcode validateFlow} checks a flow. */
export interface ValidateFlowOptions {
  /** The name of the file, for messages. */
  file?: string;
  /** The kinds of invoker there are beside `nats-task`; any kind is fine where absent. */
  kinds?: readonly string[];
}

/** A flow that is valid. */
export interface ValidFlow {
  /** The definition in its normal form: durations in milliseconds, defaults left out. Frozen. */
  readonly definition: FlowDef;
  /** The flow as a picture. */
  readonly graph: FlowGraph;
}

/**
 * Checks a flow as `createServer` would, without a connection.
 *
 * @param flow YAML text, or a value.
 * @throws {ValidationError} Where it is not valid: its `issues` have the path, and the line and column for YAML.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { validateFlow } from "@packtrail/core";
 *
 * const { definition } = validateFlow("name: greeting\nnodes: [{id: greet, type: task, subject: greet, timeout: 5s}]");
 * assertEquals(definition.nodes[0], { id: "greet", type: "task", target: "greet", timeout: 5_000 });
 * ```
 */
export function validateFlow(flow: string | FlowDef, options: ValidateFlowOptions = {}): ValidFlow {
  const kinds = options.kinds === undefined ? {} : { kinds: new Set(options.kinds) };
  const checked = typeof flow === "string"
    ? parseFlow(flow, { ...options.file === undefined ? {} : { file: options.file }, ...kinds })
    : buildFlow(flow, { ...options.file === undefined ? {} : { source: options.file }, ...kinds });
  return { definition: checked.definition, graph: flowGraph(checked) };
}

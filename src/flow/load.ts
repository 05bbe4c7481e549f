/**
 * The two ways in: a flow from YAML, and a flow from a value. They differ in how the source is read, and in nothing else.
 *
 * @module
 */

import { isName } from "../names.ts";
import { buildChecked } from "./build.ts";
import { type Origin, Problems } from "./problems.ts";
import { readFlow } from "./read.ts";
import { readDef } from "./read_def.ts";
import { isTooLarge, readYaml, withoutMark } from "./read_yaml.ts";
import { MAX_SOURCE_SIZE, type Spelling, type Value } from "./source.ts";
import type { Flow, FlowDef } from "./types.ts";
import { checkFlow } from "./validate/mod.ts";

/** How {@linkcode parseFlow} reads a text. */
export interface ParseFlowOptions {
  /** The name of the file, for messages. */
  file?: string;
  /** The kinds of invoker that are registered beside `nats-task`; kinds are not checked where absent. */
  kinds?: ReadonlySet<string>;
}

/** How {@linkcode buildFlow} reads a value. */
export interface BuildFlowOptions {
  /** What gave the flow, for messages: `"options.flows[0]"`. */
  source?: string;
  /** The kinds of invoker that are registered beside `nats-task`; kinds are not checked where absent. */
  kinds?: ReadonlySet<string>;
}

/**
 * Reads and checks a flow written in YAML: one document, at most 1 MiB.
 *
 * @throws {ValidationError} Where it is not a flow. All that is wrong is in its `issues`, up to 20 of them, with line,
 * column and path (`nodes[2].retry.max_attempts`).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseFlow } from "./mod.ts";
 *
 * const flow = parseFlow(`
 * name: greeting
 * nodes:
 *   - {id: greet, type: task, subject: "greet.{execution_id}", timeout: 5s}
 * `);
 * assertEquals(flow.start, "greet");
 * ```
 */
export function parseFlow(text: string, options: ParseFlowOptions = {}): Flow {
  const source = typeof text === "string" ? withoutMark(text) : "";
  const problems = new Problems({ file: options.file, text: source });
  if (typeof text !== "string") {
    problems.add({}, `must be YAML text, not ${text === null ? "null" : `a value of type ${typeof text}`}`);
    throw problems.error();
  }
  if (isTooLarge(source)) {
    problems.add({}, `is too large: a flow has at most ${MAX_SOURCE_SIZE} bytes of text`);
    throw problems.error();
  }
  return load(readYaml(source, problems), { problems, spelling: "snake", kinds: options.kinds });
}

/**
 * Checks a flow given as a value and makes it ready to run. The value is copied, not kept; its type is not trusted.
 *
 * @throws {ValidationError} Where it is not a flow. All that is wrong is in its `issues`, up to 20 of them, with the
 * path (`nodes[2].retry.maxAttempts`).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { buildFlow } from "./mod.ts";
 *
 * const flow = buildFlow({ name: "greeting", nodes: [{ id: "greet", type: "task", target: "greet" }] });
 * assertEquals(flow.nodes.get("greet")?.type, "task");
 * ```
 */
export function buildFlow(def: FlowDef, options: BuildFlowOptions = {}): Flow {
  const origin: Origin = { file: options.source };
  const problems = new Problems(origin);
  return load(readDef(def, problems), { problems, spelling: "camel", kinds: options.kinds });
}

interface LoadOptions {
  readonly problems: Problems;
  readonly spelling: Spelling;
  readonly kinds: ReadonlySet<string> | undefined;
}

function load(value: Value, options: LoadOptions): Flow {
  const { problems } = options;
  const draft = readFlow(value, options);
  if (isName(draft.def.name)) problems.flowName = draft.def.name;
  const predicates = checkFlow(draft, options);
  problems.throwIfAny();
  // Nothing is missing from a draft without problems.
  return buildChecked(draft.def as FlowDef, predicates);
}

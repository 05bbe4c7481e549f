/** Flows: YAML texts and values, and the checks they go through. @module */

import fc from "fast-check";
import { ValidationError } from "../../src/errors.ts";
import { flows } from "../../src/core/testing/random_flows.ts";
import { buildFlow, type Flow, type FlowDef, flowGraph, parseFlow } from "../../src/flow/mod.ts";
import { canonical } from "../canonical.ts";
import type { Target } from "./target.ts";
import { anyText, changed, changedValue, NUMBERS, repeated, soup, SPECIAL } from "./texts.ts";

const MAX_MESSAGE = 2_000;

/** The flow, or nothing where it is refused with errors that people can use; anything else that is thrown is a bug. */
function flowOr(build: () => Flow): Flow | undefined {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const { issues } = error;
    if (issues.length === 0 || issues.length > 20) throw new Error(`${issues.length} issues`);
    for (const { path, message, line, column } of issues) {
      if (path === "" || message === "") throw new Error("an issue that says nothing");
      if (message.length > MAX_MESSAGE) throw new Error(`a message of ${message.length} characters`);
      if (line !== undefined && !(line >= 1 && column! >= 1)) throw new Error(`line ${line}, column ${column}`);
    }
    return undefined;
  }
}

/** What is taken can be built again, drawn, and is the same. */
function isTaken(flow: Flow | undefined): boolean {
  if (flow === undefined) return false;
  const again = buildFlow(flow.definition);
  if (canonical(again.definition) !== canonical(flow.definition)) throw new Error("it is another flow the second time");
  const graph = flowGraph(flow);
  if (graph.nodes.length !== flow.nodes.size) throw new Error("its graph lacks nodes");
  return true;
}

/** A definition as YAML: JSON is YAML, with the fields in its spelling. */
function yamlOf(definition: FlowDef): string {
  const text = JSON.stringify({ version: "1.0", ...definition }, null, 1);
  return text.replace(/"([a-z]+[A-Z][A-Za-z]*)":/g, (key) => key.replace(/[A-Z]/g, (part) => `_${part.toLowerCase()}`));
}

/** A definition as people write it: a node a line. */
function linesOf({ name, nodes, edges = [] }: FlowDef): string {
  const one = (value: unknown) => yamlOf(value as FlowDef).replaceAll("\n", " ").replace(` "version": "1.0",`, "");
  const list = (values: readonly unknown[]) => values.map((value) => `  - ${one(value)}`).join("\n");
  const rest = edges.length === 0 ? "" : `\nedges:\n${list(edges)}`;
  return `name: ${name}\nnodes:\n${list(nodes)}${rest}\n`;
}

const definitions = flows.map(({ definition }) => definition);

const FOLDER = new URL("../../flows/", import.meta.url);

/** The flows of the repository. */
function examples(): string[] {
  return [...Deno.readDirSync(FOLDER)].filter(({ name }) => name.endsWith(".yaml"))
    .map(({ name }) => Deno.readTextFileSync(new URL(name, FOLDER)));
}

const MARKS = [
  ...["a", ":", " ", "\n", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "!!str ", "|", ">", '"', "'", "\\", "#"],
  ...[
    "? ",
    "%YAML 1.2\n",
    "---\n",
    "...\n",
    "\t",
    "\r\n",
    "\0",
    "\ufeff",
    "\x85",
    "<<: *a",
    "  ",
    "~",
    "|2-\n",
    ">+\n",
  ],
  ...["name", "nodes", "edges", "type: task", "id", "when: ", "default: true", "retry: {", "timeout: 1s", "\ud800"],
  ...[
    "\n  - {id: a, type: task, subject: s}",
    "wait_for: [",
    "\\u0000",
    "\\x",
    "!<tag:yaml.org,2002:binary> ",
    "@",
    "`",
  ],
];

const WORDS = [...MARKS, ...SPECIAL, ...NUMBERS];

/** Aliases that multiply. */
const bombs = fc.tuple(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 9 })).map(([levels, width]) =>
  [
    "a0: &a0 x",
    ...Array.from({ length: levels }, (_, level) =>
      `a${level + 1}: &a${level + 1} [${Array(width).fill(`*a${level}`).join(", ")}]`),
  ].join("\n")
);

/** Texts that are large, deep or full of the same. */
const large = fc.oneof(
  repeated(
    ["[", "{a: ", "- ", "? ", "[a: ", "[{a: ", "a: 1\n", "&a ", "- a\n", "!t ", "'", "\\", "#\n", "---\n"],
    4_000,
  ),
  repeated([" a:\n ", "|\n a", "*a ", "{}, ", "\n\n", '"\\n', "? - ", "- - ", "a: b: ", "é"], 2_000),
  bombs,
);

const yaml: Target<string> = {
  name: "yaml",
  share: 12,
  inputs: fc.oneof(
    { weight: 3, arbitrary: changed(fc.constantFrom(...examples()), WORDS) },
    { weight: 4, arbitrary: changed(definitions.map(yamlOf), WORDS) },
    { weight: 4, arbitrary: changed(definitions.map(linesOf), WORDS) },
    { weight: 3, arbitrary: soup(WORDS) },
    { weight: 2, arbitrary: anyText },
    { weight: 1, arbitrary: large },
    { weight: 1, arbitrary: definitions.map(yamlOf) },
  ),
  attempt: (text) => isTaken(flowOr(() => parseFlow(text, { file: "fuzz.yaml" }))),
};

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
});

const TRAPS = ["get", "keys", "prototype", "self", "accessor", "revoked", "function"] as const;

/** A value that does something when it is looked at, or holds itself. */
function trapOf(kind: typeof TRAPS[number]): unknown {
  const fail = () => {
    throw new RangeError("a trap");
  };
  switch (kind) {
    case "get":
      return new Proxy({}, { get: fail, getOwnPropertyDescriptor: fail });
    case "keys":
      return new Proxy([], { ownKeys: fail, get: fail });
    case "prototype":
      return new Proxy({}, { getPrototypeOf: fail });
    case "accessor":
      return Object.defineProperty({}, "id", { get: fail, enumerable: true });
    case "revoked": {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    }
    case "self": {
      const value: Record<string, unknown> = {};
      return value.nodes = value;
    }
    case "function":
      return fail;
    default:
      return kind satisfies never;
  }
}

const values = fc.oneof(
  anything,
  fc.constantFrom<unknown>(...SPECIAL, ...NUMBERS.map(Number), "a", "n0", "n1", "", null, undefined, [], {}),
);

/** A definition, and perhaps a trap that takes the place of a part of it. */
interface Given {
  readonly value: unknown;
  readonly trap?: { readonly key: string; readonly kind: typeof TRAPS[number] };
}

const plain = fc.oneof(
  { weight: 6, arbitrary: changedValue(definitions, values) },
  { weight: 1, arbitrary: changedValue(definitions, values).map((value) => ({ ...Object(value), edges: [] })) },
  { weight: 2, arbitrary: anything },
  { weight: 1, arbitrary: definitions },
);

const definition: Target<Given> = {
  name: "definition",
  share: 8,
  inputs: fc.oneof(
    { weight: 9, arbitrary: plain.map((value) => ({ value })) },
    {
      weight: 1,
      arbitrary: fc.record({
        value: definitions,
        trap: fc.record({
          key: fc.constantFrom("name", "nodes", "edges", "version"),
          kind: fc.constantFrom(...TRAPS),
        }),
      }),
    },
  ),
  attempt: ({ value, trap }) => {
    const given = trap === undefined ? value : { ...value as FlowDef, [trap.key]: trapOf(trap.kind) };
    return isTaken(flowOr(() => buildFlow(given as FlowDef, { source: "fuzz" })));
  },
};

/** The targets. */
export const FLOW_TARGETS: readonly Target[] = [yaml, definition];

/**
 * The format of a flow, described once: which fields there are, of which type, and which are required.
 *
 * The reader of YAML and the reader of `FlowDef` values both go by these tables, and a JSON Schema can be made of them.
 *
 * @module
 */

import type { NodeDef } from "./types.ts";
import type { Spelling } from "./source.ts";

/** The type of a field, told apart by `kind`. */
export type FieldType =
  | { readonly kind: "name" }
  | { readonly kind: "reference" }
  | { readonly kind: "text" }
  | { readonly kind: "duration" }
  | { readonly kind: "true" }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "pattern"; readonly pattern: RegExp; readonly words: readonly string[]; readonly expected: string }
  | { readonly kind: "list"; readonly of: FieldType; readonly min: number; readonly max?: number }
  | { readonly kind: "object"; readonly of: ObjectFormat }
  | { readonly kind: "node" };

/** One field of an object. */
export interface FieldFormat {
  /** The field's name in a `FlowDef`; in YAML it is the same in snake case. */
  readonly name: string;
  /** The type of its value. */
  readonly type: FieldType;
  /** Whether it has to be there. */
  readonly required: boolean;
  /** What it means, in a sentence. */
  readonly about: string;
}

/** An object: its fields, in the order of the normal form. */
export interface ObjectFormat {
  /** What the object is called in messages: `a task node`. */
  readonly title: string;
  /** The fields. */
  readonly fields: readonly FieldFormat[];
}

/** A flow holds at most this many nodes. */
export const MAX_NODES = 10_000;

/** A task has at most this many attempts. */
export const MAX_ATTEMPTS = 64;

/** The kind of invoker of a task that names none. */
export const DEFAULT_KIND = "nats-task";

function required(name: string, type: FieldType, about: string): FieldFormat {
  return { name, type, required: true, about };
}

function optional(name: string, type: FieldType, about: string): FieldFormat {
  return { name, type, required: false, about };
}

const NAME: FieldType = { kind: "name" };
const REFERENCE: FieldType = { kind: "reference" };
const TEXT: FieldType = { kind: "text" };
const DURATION: FieldType = { kind: "duration" };
const REFERENCES: FieldType = { kind: "list", of: REFERENCE, min: 1 };
const JOIN_POLICY: FieldType = {
  kind: "pattern",
  pattern: /^(?:all|any|quorum:[1-9][0-9]{0,4})$/,
  words: ["all", "any"],
  expected: "`all`, `any` or `quorum:N` with N from 1",
};

const RETRY: ObjectFormat = {
  title: "a retry policy",
  fields: [
    required("maxAttempts", { kind: "integer", min: 1, max: MAX_ATTEMPTS }, "Attempts in all."),
    optional("backoff", { kind: "word", words: ["fixed", "linear", "exponential"] }, "How the delay grows."),
  ],
};

const RULE: ObjectFormat = {
  title: "a rule",
  fields: [
    optional("when", TEXT, "The expression under which the rule is taken."),
    optional("default", { kind: "true" }, "Marks the rule that is taken when no other matches."),
    required("to", REFERENCE, "The node to run next."),
  ],
};

const EDGE: ObjectFormat = {
  title: "an edge",
  fields: [
    required("from", REFERENCE, "The node that was run."),
    required("to", REFERENCE, "The node to run next."),
  ],
};

/** The types of node, in the order in which messages name them. */
export const NODE_TYPES: readonly NodeDef["type"][] = ["task", "fanout", "fanin", "choice", "signal"];

const ID = required("id", NAME, "The node's id, unique in its flow.");
const TYPE = required("type", { kind: "word", words: NODE_TYPES }, "The kind of node.");

function nodeFormat(title: string, ...fields: FieldFormat[]): ObjectFormat {
  return { title, fields: [ID, TYPE, ...fields] };
}

/** The fields of each type of node. */
export const NODE_FORMATS: Readonly<Record<NodeDef["type"], ObjectFormat>> = {
  task: nodeFormat(
    "a task",
    optional("invoker", NAME, "The kind of invoker; `nats-task` where absent."),
    optional("target", TEXT, "What the invoker is to call; `{execution_id}` is replaced."),
    optional("subject", TEXT, "Another name for the target, for `nats-task` only."),
    optional("timeout", DURATION, "The time one invocation may take."),
    optional("activityTimeout", DURATION, "The time a pending activity may take to complete."),
    optional("retry", { kind: "object", of: RETRY }, "The retry policy; one attempt where absent."),
  ),
  fanout: nodeFormat("a fanout", required("branches", REFERENCES, "The tasks to run.")),
  fanin: nodeFormat(
    "a fanin",
    required("waitFor", REFERENCES, "The branches to wait for."),
    optional("joinPolicy", JOIN_POLICY, "How many of them must complete; `all` where absent."),
  ),
  choice: nodeFormat(
    "a choice",
    required("rules", { kind: "list", of: { kind: "object", of: RULE }, min: 1 }, "The rules, tried in order."),
    optional(
      "onError",
      { kind: "word", words: ["fail"] },
      "`fail`: a rule that cannot be evaluated fails the execution.",
    ),
  ),
  signal: nodeFormat(
    "a signal",
    required("signalName", NAME, "The name of the signal."),
    optional("timeout", DURATION, "How long to wait; without a limit where absent."),
    optional("onTimeout", REFERENCE, "The node to run next when the time is up."),
  ),
};

/** The fields of a flow. */
export const FLOW_FORMAT: ObjectFormat = {
  title: "a flow",
  fields: [
    optional("version", { kind: "word", words: ["1.0"] }, "The version of the format."),
    required("name", NAME, "The flow's name."),
    required("nodes", { kind: "list", of: { kind: "node" }, min: 1, max: MAX_NODES }, "The nodes."),
    optional(
      "edges",
      { kind: "list", of: { kind: "object", of: EDGE }, min: 0 },
      "Where each node leads; a node without an edge ends the execution.",
    ),
  ],
};

/** A field's name as a source spells it. */
export function spelled(name: string, spelling: Spelling): string {
  return spelling === "camel" ? name : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The types of node that have a field of this name. */
export function typesWithField(name: string): NodeDef["type"][] {
  return NODE_TYPES.filter((type) => NODE_FORMATS[type].fields.some((field) => field.name === name));
}

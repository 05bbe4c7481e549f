/**
 * Editor help: a JSON Schema of flows in YAML, generated from the description of the format.
 *
 * Editors complete and check with it while people type. It accepts every flow that `validateFlow` accepts, and refuses
 * what is wrong with the fields of one object; what takes the whole graph to see, only `validateFlow` tells.
 *
 * @module
 */

import { MAX_DURATION_MS } from "../duration.ts";
import type { Json, JsonObject } from "../json.ts";
export type { Json, JsonObject } from "../json.ts";
import {
  DEFAULT_KIND,
  type FieldFormat,
  type FieldType,
  FLOW_FORMAT,
  NODE_FORMATS,
  NODE_TYPES,
  type ObjectFormat,
  spelled,
} from "./format.ts";

const NAME = { type: "string", pattern: "^[A-Za-z0-9_-]{1,128}$" } as const;

/** Digits and units, at least one digit of them not zero. */
const DURATION_TEXT = "^(?=[^1-9]*[1-9])(?:(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$";

/**
 * The JSON Schema (draft-07) of a flow in YAML.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { flowSchema } from "./schema.ts";
 *
 * assertEquals(flowSchema().required, ["name", "nodes"]);
 * ```
 */
export function flowSchema(): JsonObject {
  const definitions: JsonObject = {};
  for (const type of NODE_TYPES) {
    const { properties, ...rest } = objectSchema(NODE_FORMATS[type]);
    const fields = { ...properties as JsonObject, type: { const: type, description: "The kind of node." } };
    definitions[type] = { ...rest, properties: fields, ...EXTRAS[type] };
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A packtrail flow",
    description: "A graph of tasks, fan-outs, fan-ins, choices and signals that packtrail runs durably.",
    ...objectSchema(FLOW_FORMAT),
    definitions,
  };
}

/** What an object has to be beyond its fields, where JSON Schema can say so. The validator's own checks say the same. */
const EXTRAS: { readonly [Type in (typeof NODE_TYPES)[number]]?: JsonObject } = {
  task: {
    if: { properties: { invoker: { const: DEFAULT_KIND } } },
    then: { oneOf: [{ required: ["subject"] }, { required: ["target"] }] },
    else: { properties: { subject: false } },
  },
  signal: { dependencies: { [spelled("onTimeout", "snake")]: ["timeout"] } },
};

const RULE_EXTRA: JsonObject = { oneOf: [{ required: ["when"] }, { required: ["default"] }] };

function objectSchema({ fields }: ObjectFormat): JsonObject {
  const properties: JsonObject = {};
  for (const field of fields) properties[spelled(field.name, "snake")] = fieldSchema(field);
  const required = fields.filter((field) => field.required).map((field) => spelled(field.name, "snake"));
  const isRule = fields.some(({ name }) => name === "when");
  return {
    type: "object",
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    ...(isRule ? RULE_EXTRA : {}),
  };
}

function fieldSchema({ type, about }: FieldFormat): JsonObject {
  return { ...typeSchema(type), description: about };
}

function typeSchema(type: FieldType): JsonObject {
  switch (type.kind) {
    case "name":
    case "reference":
      return { ...NAME };
    case "text":
      return { type: "string", pattern: "\\S" };
    case "duration":
      return durationSchema();
    case "true":
      return { const: true };
    case "integer":
      return { type: "integer", minimum: type.min, maximum: type.max };
    case "word":
      return { type: "string", enum: [...type.words] };
    case "pattern":
      return { type: "string", pattern: type.pattern.source, examples: [...type.words] };
    case "list":
      return listSchema(type);
    case "object":
      return objectSchema(type.of);
    case "node":
      return { type: "object", required: ["type"], oneOf: NODE_TYPES.map(reference) };
    default:
      return type satisfies never;
  }
}

function reference(type: string): Json {
  return { $ref: `#/definitions/${type}` };
}

function listSchema({ of, min, max }: FieldType & { kind: "list" }): JsonObject {
  return {
    type: "array",
    items: typeSchema(of),
    ...(min === 0 ? {} : { minItems: min }),
    ...(max === undefined ? {} : { maxItems: max }),
    ...(of.kind === "reference" ? { uniqueItems: true } : {}),
  };
}

function durationSchema(): JsonObject {
  return {
    anyOf: [
      { type: "number", exclusiveMinimum: 0, maximum: MAX_DURATION_MS },
      { type: "string", pattern: DURATION_TEXT, maxLength: 64, examples: ["250ms", "30s", "1h30m"] },
    ],
  };
}

/**
 * Redaction: payload fields that are never shown.
 *
 * A pattern is a dotted path of keys, `customer.email`, and matches wherever that path occurs in a payload, at any
 * depth; `*` stands for any one key, and elements of lists are looked through. The parts of an execution count as keys
 * too: `input`, `payload`, `results.<node>`, `signals.<name>`, `branches.<node>`, and `body` of a dead letter. So
 * `results.triage` hides that node's output there, `results` those of all nodes, and a pattern of `*` hides everything.
 * Texts are not looked into.
 *
 * @module
 */

import type { Json, JsonObject } from "../../mod.ts";
import { badOption } from "./problem.ts";

/** What is shown in place of a value that is hidden. */
export const REDACTED = "[redacted]";

/** Hides what is not to be shown in the value at a path: all of it where something around it is hidden. */
export type Redactor = (value: Json, path?: readonly string[]) => Json;

/** A redactor for some patterns. @throws {ValidationError} Where one is not a path. */
export function redactor(patterns: readonly string[]): Redactor {
  const paths = patterns.map((pattern) => {
    const keys = pattern.split(".");
    if (keys.some((key) => key === "")) throw badOption("redact", `${JSON.stringify(pattern)} is not a path of keys`);
    return keys;
  });
  if (paths.length === 0) return (value) => value;
  return (value, path = []) =>
    path.some((_key, index) => isHidden(path.slice(0, index), paths)) ? REDACTED : redact(value, [...path], paths);
}

function redact(value: Json, path: string[], patterns: readonly string[][]): Json {
  if (isHidden(path, patterns)) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redact(item, path, patterns));
  if (typeof value !== "object" || value === null) return value;
  const shown: [string, Json][] = Object.entries(value).map(([key, field]) => {
    path.push(key);
    const entry: [string, Json] = [key, redact(field, path, patterns)];
    path.pop();
    return entry;
  });
  return Object.fromEntries(shown) as JsonObject;
}

function isHidden(path: readonly string[], patterns: readonly string[][]): boolean {
  return path.length > 0 && patterns.some((pattern) => endsWith(path, pattern));
}

function endsWith(path: readonly string[], pattern: readonly string[]): boolean {
  const offset = path.length - pattern.length;
  return offset >= 0 && pattern.every((key, index) => key === "*" || key === path[offset + index]);
}

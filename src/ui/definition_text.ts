/**
 * A flow's definition as YAML.
 *
 * @module
 */

import { snakeKeys } from "./wire.ts";
import type { FlowDef } from "../../mod.ts";

const DURATIONS: ReadonlySet<string> = new Set(["timeout", "activity_timeout"]);
const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const WORDS: ReadonlySet<string> = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n"]);

/** The text of a definition, one node a line. */
export function definitionText(definition: FlowDef): string {
  const { version, name, nodes, edges } = snakeKeys(definition) as FlowDef;
  const lines = [
    ...version === undefined ? [] : [`version: ${JSON.stringify(version)}`],
    `name: ${scalar(name)}`,
    "nodes:",
    ...nodes.map((node) => `  - ${flowStyle(node)}`),
  ];
  if (edges !== undefined && edges.length > 0) lines.push("edges:", ...edges.map((edge) => `  - ${flowStyle(edge)}`));
  return `${lines.join("\n")}\n`;
}

/** A duration as it is written in a flow. */
export function durationText(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

function flowStyle(value: unknown, key = ""): string {
  if (Array.isArray(value)) return `[${value.map((item) => flowStyle(item)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${flowStyle(field, name)}`);
    return `{${fields.join(", ")}}`;
  }
  return typeof value === "number" && DURATIONS.has(key) ? durationText(value) : scalar(value);
}

function scalar(value: unknown): string {
  if (typeof value === "string" && PLAIN.test(value) && !WORDS.has(value.toLowerCase())) return value;
  return JSON.stringify(value);
}

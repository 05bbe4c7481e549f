/**
 * What the HTTP API answers with: packtrail's shapes in snake_case. The keys of payloads, and the names of nodes,
 * signals and branches, stay as they are.
 *
 * @module
 */

import type { Branch, Context, DeadLetter, Execution, ExecutionEvent, Json, Schedule } from "../../mod.ts";
import type { Redactor } from "./redact.ts";

/** An execution. */
export function executionWire(execution: Execution, redact: Redactor): Record<string, unknown> {
  const { branches, signals, payload, ...rest } = execution;
  return {
    ...snakeKeys(rest) as Record<string, unknown>,
    payload: redact(payload, ["payload"]),
    ...(branches === undefined ? {} : { branches: mapValues(branches, (branch) => branchWire(branch, redact)) }),
    ...(signals === undefined ? {} : { signals: redact(signals, ["signals"]) }),
  };
}

/** What an execution knows. */
export function contextWire({ lastNode, ...parts }: Context, redact: Redactor): Record<string, unknown> {
  return {
    ...redact(parts as unknown as Json) as Record<string, unknown>,
    ...(lastNode === undefined ? {} : { last_node: lastNode }),
  };
}

/** A row of the list of executions. */
export function summaryWire(event: ExecutionEvent): Record<string, unknown> {
  const { executionId, flow, status, node, error, attempt, revision, time } = event;
  return {
    id: executionId,
    flow,
    status,
    current_node: node,
    attempt,
    error,
    revision,
    updated_at: time,
  };
}

/** An event. */
export function eventWire(event: ExecutionEvent): Record<string, unknown> {
  return snakeKeys(event) as Record<string, unknown>;
}

/** A dead letter, as it may be shown. */
export function deadLetterWire({ body, ...rest }: DeadLetter): Record<string, unknown> {
  return { ...snakeKeys(rest) as Record<string, unknown>, ...(body === undefined ? {} : { body }) };
}

/** A schedule. */
export function scheduleWire(schedule: Schedule, redact: Redactor): Record<string, unknown> {
  const { payload, ...rest } = schedule;
  return { ...snakeKeys(rest) as Record<string, unknown>, payload: redact(payload, ["payload"]) };
}

/** A value with all its keys in snake_case: for shapes of packtrail's own, that hold no keys of anyone else. */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [snakeCase(key), snakeKeys(field)]));
}

function branchWire({ result, ...rest }: Branch, redact: Redactor): Record<string, unknown> {
  const branch = snakeKeys(rest) as Record<string, unknown>;
  if (result === undefined) return branch;
  // A path may be that of this answer, or that of the context, which has outputs only.
  return { ...branch, result: redact(redact(result, ["branches", rest.node]), ["branches", rest.node, "result"]) };
}

function mapValues<T, R>(object: Record<string, T>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

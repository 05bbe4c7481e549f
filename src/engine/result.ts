/**
 * Results from outside, checked: what an invoker returned, or a completion brought.
 *
 * @module
 */

import { quoted } from "../names.ts";

/** A checked result; the payload of an `ok` one as JSON text, where it has one. */
export type ParsedResult =
  | { readonly status: "ok"; readonly text?: string }
  | { readonly status: "error" | "retry"; readonly error: string }
  | { readonly status: "pending" };

const MAX_ERROR_LENGTH = 4_000;

/**
 * Checks a result. What is not one fails the node, with a reason.
 *
 * @param result Whatever came.
 * @param node The node it is of, for the reason.
 */
export function parseResult(result: unknown, node: string, maxPayloadBytes: number): ParsedResult {
  if (typeof result !== "object" || result === null) {
    return failed(`the result of node ${node} is ${quoted(result)}, not an object with a status`);
  }
  const { status, payload, error } = result as { status?: unknown; payload?: unknown; error?: unknown };
  switch (status) {
    case "ok":
      return parsePayload(payload, node, maxPayloadBytes);
    case "error":
    case "retry":
      return { status, error: errorText(error, `node ${node} said ${status}`) };
    case "pending":
      return { status };
    default:
      return failed(`the result of node ${node} has status ${quoted(status)}, not ok, error, retry or pending`);
  }
}

/** An error from outside as bounded text. */
export function errorText(error: unknown, fallback: string): string {
  const text = error instanceof Error
    ? error.message || error.name
    : typeof error === "string"
    ? error
    : error === undefined || error === null
    ? ""
    : quoted(error);
  return (text || fallback).slice(0, MAX_ERROR_LENGTH);
}

/** The size of a text in UTF-8, in bytes. */
export function byteLength(text: string, enough: number): number {
  return text.length * 3 <= enough ? text.length : new TextEncoder().encode(text).length;
}

function parsePayload(payload: unknown, node: string, limit: number): ParsedResult {
  if (payload === undefined) return { status: "ok" };
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (cause) {
    return failed(`the output of node ${node} is not JSON: ${errorText(cause, "it cannot be written")}`);
  }
  if (text === undefined) return failed(`the output of node ${node} is not JSON: it is a ${typeof payload}`);
  const size = byteLength(text, limit);
  if (size > limit) {
    return failed(`the output of node ${node} is too large: ${size} bytes of JSON, the limit is ${limit}`);
  }
  return { status: "ok", text };
}

function failed(error: string): ParsedResult {
  return { status: "error", error };
}

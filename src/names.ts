/**
 * Every NATS name packtrail uses, and the only validator of names that come from outside.
 *
 * An execution's stream, subjects and filters are all decided here, from its id: this is the one place to change
 * when executions are spread over several streams.
 *
 * @module
 */

import { invalid } from "./errors.ts";

const NAME = /^[A-Za-z0-9_-]{1,128}$/;
const NAMESPACE = /^[A-Za-z0-9_-]{1,64}$/;
const NAMES = "letters, digits, `_` and `-`, 1 to 128 of them";

/** Whether a value is a legal name of a flow, node, signal, schedule or kind, or an execution id. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

/**
 * Returns the value where it is a legal name.
 *
 * @param path What the name is, for the error: `"id"`, `"options.namespace"`.
 * @throws {ValidationError} Where it is not.
 */
export function checkName(path: string, value: unknown): string {
  if (isName(value)) return value;
  throw invalid(path, `${quoted(value)} is not a legal name: use ${NAMES}`);
}

/**
 * Returns the value where it is a legal namespace.
 *
 * @throws {ValidationError} Where it is not.
 */
export function checkNamespace(value: unknown): string {
  if (typeof value === "string" && NAMESPACE.test(value)) return value;
  throw invalid(
    "namespace",
    `${quoted(value)} is not a legal namespace: use letters, digits, \`_\` and \`-\`, 1 to 64 of them`,
  );
}

/** A value from outside as a short, printable quotation for an error message. */
export function quoted(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  text ??= String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * What the tests of flows share.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { ValidationError } from "../errors.ts";
import { parseFlow } from "./mod.ts";

/** The error that a function throws, which has to be a {@linkcode ValidationError}. */
export function refusal(build: () => unknown): ValidationError {
  try {
    build();
  } catch (error) {
    if (error instanceof ValidationError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/**
 * Asserts that a text is refused with exactly these issues: `line:column: path: message`.
 *
 * @param text YAML; its first line break is left out, so that line 1 can stand at the left of the test.
 */
export function rejects(text: string, ...expected: string[]): void {
  const error = refusal(() => parseFlow(text.replace(/^\n/, ""), { file: "f.yaml" }));
  const found = error.issues.map(({ line, column, path, message }) => `${line}:${column}: ${path}: ${message}`);
  assertEquals(found, expected);
}

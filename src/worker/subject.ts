/**
 * The check of the subjects that workers listen on.
 *
 * @module
 */

import { invalid, type ValidationError } from "../errors.ts";
import { quoted } from "../names.ts";

const MAX_LENGTH = 1_024; // the server closes a connection whose control line passes 4,096 bytes
// deno-lint-ignore no-control-regex -- blanks and control characters are what it is for
const BLANK = /[\s\u0000-\u001f\u007f]/;

/**
 * Returns the value where it is a subject to subscribe to: tokens with dots between them, `*` for any token, `>` at the
 * end for one or more.
 *
 * @throws {ValidationError} Where it is not.
 */
export function checkSubject(value: unknown): string {
  if (typeof value !== "string" || value === "") throw illegal(value, "it is empty or no string");
  if (value.length > MAX_LENGTH) throw illegal(value, `it is longer than ${MAX_LENGTH} characters`);
  if (BLANK.test(value)) throw illegal(value, "it has a blank, a line break or a control character");
  const tokens = value.split(".");
  for (const [index, token] of tokens.entries()) {
    if (token === "") throw illegal(value, "it has an empty token: a dot at an end, or two in a row");
    if (token === ">" && index !== tokens.length - 1) throw illegal(value, "`>` is only legal at the end");
    if (token.length > 1 && /[*>]/.test(token)) {
      throw illegal(value, `a wildcard must be a token of its own, not ${token}`);
    }
  }
  return value;
}

function illegal(value: unknown, why: string): ValidationError {
  return invalid("subject", `${quoted(value)} is not a legal subject: ${why}`);
}

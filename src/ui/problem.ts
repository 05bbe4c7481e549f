/**
 * What can be wrong with a request, as an HTTP status and a code.
 *
 * @module
 */

import { type ErrorCode, PacktrailError, ValidationError } from "../../mod.ts";

/** The stable code of a refused request. */
export type ProblemCode =
  | ErrorCode
  | "BAD_REQUEST"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "METHOD_NOT_ALLOWED"
  | "TOO_MANY_CLIENTS"
  | "INTERNAL";

/** A request that is refused. */
export class Problem extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The code, for programs. */
  readonly code: ProblemCode;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /** Creates the problem. */
  constructor(status: number, code: ProblemCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** A parameter that makes no sense. */
export function badRequest(message: string): Problem {
  return new Problem(400, "BAD_REQUEST", message);
}

/** An option of the dashboard that is not valid. */
export function badOption(name: string, message: string): ValidationError {
  return new ValidationError(`${name}: ${message}`, [{ path: name, message }]);
}

/** Something that does not exist. */
export function notFound(message: string): Problem {
  return new Problem(404, "NOT_FOUND", message);
}

/** What an error that was thrown means to whoever asked. Only packtrail's own messages are shown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PacktrailError) return new Problem(STATUS[error.code], error.code, error.message);
  return new Problem(500, "INTERNAL", "the dashboard failed to answer; its log says why");
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  CONFLICT: 409,
  STATE: 409,
  VALIDATION: 400,
  PAYLOAD_TOO_LARGE: 413,
  SERVER_VERSION: 503,
  PERMISSION: 503,
  UNAVAILABLE: 503,
};

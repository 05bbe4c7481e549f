/**
 * The errors packtrail throws: one small hierarchy with stable codes.
 *
 * @module
 */

/** The stable code of a {@linkcode PacktrailError}. */
export type ErrorCode =
  | "NOT_FOUND"
  | "CONFLICT"
  | "STATE"
  | "VALIDATION"
  | "PAYLOAD_TOO_LARGE"
  | "SERVER_VERSION"
  | "PERMISSION"
  | "UNAVAILABLE";

/** The base of every error that packtrail throws on purpose. */
export class PacktrailError extends Error {
  /** A stable code, for programs; the message is for people. */
  readonly code: ErrorCode;

  /** Creates an error with its code. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What was asked for does not exist: an execution, a flow, a schedule. */
export class NotFoundError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("NOT_FOUND", message, options);
  }
}

/** The same id was used for something else before. */
export class ConflictError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("CONFLICT", message, options);
  }
}

/** The execution is not in a state that allows what was asked. */
export class StateError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("STATE", message, options);
  }
}

/** One thing that is wrong with what was given. */
export interface ValidationIssue {
  /** Where, in the terms of what was given: `nodes[2].retry.max_attempts`, `options.id`. */
  path: string;
  /** The line in the file, from 1, where there is a file. */
  line?: number;
  /** The column in the line, from 1, where there is a file. */
  column?: number;
  /** What is wrong and how to mend it. */
  message: string;
}

/** What was given is not valid: a flow, a name, an id, a payload, an option. Nothing was done. */
export class ValidationError extends PacktrailError {
  /** Everything that is wrong, in the order it was found; never empty. */
  readonly issues: readonly ValidationIssue[];

  /** Creates the error. The message of a single issue should be part of `message`. */
  constructor(message: string, issues: readonly ValidationIssue[], options?: ErrorOptions) {
    super("VALIDATION", message, options);
    this.issues = issues;
  }
}

/** A payload is larger than `maxPayloadBytes`, or a message than the NATS server takes. Nothing was done. */
export class PayloadTooLargeError extends PacktrailError {
  /** The size of the payload as JSON, in bytes. */
  readonly size: number;
  /** The limit, in bytes. */
  readonly limit: number;

  /** Creates the error; `what` names the payload. */
  constructor(what: string, size: number, limit: number, options?: ErrorOptions) {
    super("PAYLOAD_TOO_LARGE", `${what} is too large: ${size} bytes of JSON, the limit is ${limit}`, options);
    this.size = size;
    this.limit = limit;
  }
}

/** The NATS server is too old, or lacks JetStream. */
export class ServerVersionError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("SERVER_VERSION", message, options);
  }
}

/** The NATS server refuses this connection's user what was asked. */
export class PermissionError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("PERMISSION", message, options);
  }
}

/** The NATS server did not answer in time, or has no quorum; nothing is known of the outcome. Try again. */
export class UnavailableError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNAVAILABLE", message, options);
  }
}

/** Creates a {@linkcode ValidationError} of one issue. */
export function invalid(path: string, message: string): ValidationError {
  return new ValidationError(`${path}: ${message}`, [{ path, message }]);
}

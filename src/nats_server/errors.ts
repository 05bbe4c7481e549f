/** What went wrong with a NATS server: `VERSION` too old, `NOT_FOUND` none to be had, `START` it did not come up. */
export type NatsServerErrorCode = "VERSION" | "NOT_FOUND" | "START" | "OPTION";

/** A NATS server could not be provided or started; the message says what was tried and what to do. */
export class NatsServerError extends Error {
  /** A stable code, for programs. */
  readonly code: NatsServerErrorCode;

  /** Creates an error with its code. */
  constructor(code: NatsServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NatsServerError";
    this.code = code;
  }
}

/** The message of anything that was thrown. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What is thrown where a message does not keep the wire contract.
 *
 * @module
 */

import { PacktrailError } from "../errors.ts";

/** A message between the engine and a worker does not keep the wire contract; the message says what came. */
export class ProtocolError extends PacktrailError {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super("VALIDATION", message, options);
  }
}

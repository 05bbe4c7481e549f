/**
 * Refusals: what the server does not let an engine do. Acks and pull requests have no answer that could say so, and
 * permissions can be taken away while the engine runs: the log says which are missing.
 *
 * @module
 */

import type { PermissionViolationError } from "@nats-io/nats-core";
import type { Connection } from "../connection.ts";
import type { Logger } from "../logger.ts";
import { watchDenials } from "../requests.ts";

/** How often the log says the same, in milliseconds. */
const REMIND_MS = 10_000;

/** How many tokens of a subject tell one permission from another: what follows are ids. */
const TELLING_TOKENS = 3;

/** Says in the log what a connection's user may not do. */
export class Refusals {
  readonly #logger: Logger;
  readonly #toldAt = new Map<string, number>();
  readonly #unwatch: () => void;

  /** Watches a connection until {@linkcode Refusals.stop}. */
  constructor(nc: Connection, logger: Logger) {
    this.#logger = logger;
    this.#unwatch = watchDenials(nc, (error) => this.#tell(error));
  }

  /** Watches no more. */
  stop(): void {
    this.#unwatch();
  }

  #tell({ operation, subject }: PermissionViolationError): void {
    const key = `${operation} ${subject.split(".").slice(0, TELLING_TOKENS).join(".")}`;
    const now = performance.now();
    if (now - (this.#toldAt.get(key) ?? -Infinity) < REMIND_MS) return;
    this.#toldAt.set(key, now);
    const what = operation === "subscription" ? "subscribe to" : "publish to";
    this.#logger.error(`the NATS server does not let this engine ${what} a subject: grant it`, { subject });
  }
}

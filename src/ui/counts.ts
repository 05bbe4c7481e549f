/**
 * Counts of executions for pages that are made again and again.
 *
 * @module
 */

import type { ExecutionStatus, Server } from "../../mod.ts";

/** How many executions there are, by flow and status. */
export type Counts = Record<string, Record<ExecutionStatus, number>>;

/** Counts that took less are taken anew each time. */
const CHEAP_MS = 50;
/** Others are good for so long from when they began: less than a page waits, after an event, before it asks again. */
const GOOD_MS = 900;

/** Counts executions. Where counting takes long, as among very many, a count serves all who ask for a while. */
export class Counter {
  readonly #server: Server;
  #latest: Promise<Counts> | undefined;
  /** Until when the latest counts are good, by the monotonic clock. */
  #goodUntil = 0;

  /** No I/O. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** The counts. */
  get(): Promise<Counts> {
    if (this.#latest === undefined || performance.now() >= this.#goodUntil) {
      this.#goodUntil = Infinity;
      this.#latest = this.#count();
    }
    return this.#latest;
  }

  async #count(): Promise<Counts> {
    const began = performance.now();
    try {
      const counts = await this.#server.counts();
      this.#goodUntil = performance.now() - began < CHEAP_MS ? 0 : began + GOOD_MS;
      return counts;
    } catch (error) {
      this.#goodUntil = 0;
      throw error;
    }
  }
}

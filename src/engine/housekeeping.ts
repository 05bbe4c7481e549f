/**
 * Housekeeping: looking over the namespace when its schedule is due, however long that takes.
 *
 * @module
 */

import type { Delivery } from "../nats/delivery.ts";

/** What housekeeping is done with. */
export interface HousekeepingOptions {
  /** Looks over the namespace; ends early where the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** How often the server is told that a tick is still being dealt with, in milliseconds. */
  readonly keepAliveMs: number;
}

/** Does the housekeeping of one engine: once at a time. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #stopping = new AbortController();
  /** Keeps the tick alive that is being dealt with. */
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  /** Creates one that does nothing yet. */
  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  /** Deals with a tick. One that comes while another is dealt with asks for what is being done already. */
  async tick(delivery: Delivery): Promise<void> {
    if (this.#keepAlive !== undefined) return delivery.ack();
    const { run, keepAliveMs } = this.#options;
    const { signal } = this.#stopping;
    this.#keepAlive = setInterval(() => delivery.working(), keepAliveMs);
    try {
      await run(signal);
      // What was not looked at is another engine's.
      if (signal.aborted) delivery.nak();
      else delivery.ack();
    } finally {
      clearInterval(this.#keepAlive);
      this.#keepAlive = undefined;
    }
  }

  /** Ends early what is under way. Its tick is not kept alive any more: what does not end is another engine's. */
  stop(): void {
    clearInterval(this.#keepAlive);
    this.#stopping.abort();
  }
}

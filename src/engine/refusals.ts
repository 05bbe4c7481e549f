/**
 * Refused writes: one that is refused although its head is still the newest is not made again at once (R9).
 *
 * So answers a server while it has another write under way of which nothing is known yet: for a moment; or, where it is
 * cut off from its cluster, for as long as it does not know that. Who writes again at once asks it thousands of times.
 *
 * @module
 */

import type { Head } from "../nats/head.ts";

const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 250;

/** The refusals of one writer. */
export class Refusals {
  #last: Head | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  /** Waits for a moment where the same head was given the last time, and longer each time. */
  async settle(head: Head): Promise<void> {
    const isSame = this.#last?.revision === head.revision && this.#last.fence === head.fence;
    this.#last = head;
    if (!isSame) {
      this.#pauseMs = FIRST_PAUSE_MS;
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
  }
}

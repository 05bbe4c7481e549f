/**
 * What goes out to NATS: all that one turn of the event loop sends leaves in one write to the socket.
 *
 * A write costs more than all else that a step does in this process. The client flushes after each round of
 * microtasks, and executions that are worked on side by side publish in different ones.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** How long that may wait which is in no hurry, in milliseconds. */
const LONGEST_WAIT_MS = 1;

/** What is to be sent on one connection. */
export class Outbox {
  #waiting: (() => void)[] = [];
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Sends at the end of this turn of the event loop. `action` must not throw. */
  send(action: () => void): void {
    this.#waiting.push(action);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#flush();
    });
  }

  /** Sends at once, and what waits with it: for what has nothing to share a write with. `action` must not throw. */
  sendNow(action: () => void): void {
    this.#waiting.push(action);
    this.#flush();
  }

  /** Sends with what is sent next, or in a moment. `action` must not throw. */
  sendLater(action: () => void): void {
    this.#waiting.push(action);
    if (!this.#isDue) this.#timer ??= setTimeout(() => this.finish(), LONGEST_WAIT_MS);
  }

  /** Sends what waits now, and leaves no timer behind. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flush();
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const action of waiting) action();
  }
}

/**
 * Acks that go out with the next publish: one write to the socket for both.
 *
 * A write costs more than all else that a step does in this process. Where nothing is published in this turn of the
 * event loop, they go out at its end.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Msg } from "@nats-io/nats-core";
import type { Connection } from "../connection.ts";

const ACK = new TextEncoder().encode("+ACK");

/** The acks of one connection. */
export class Acks {
  readonly #nc: Connection;
  #waiting: Msg[] = [];
  #isScheduled = false;

  /** Creates them. No I/O. */
  constructor(nc: Connection) {
    this.#nc = nc;
  }

  /** Acks a message: now or with what is published in this turn of the event loop. */
  add(msg: Msg): void {
    this.#waiting.push(msg);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Sends what waits. On a closed connection nothing can: what is not acked is delivered again. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const acked = this.#waiting;
    this.#waiting = [];
    if (this.#nc.isClosed()) return;
    for (const msg of acked) msg.respond(ACK);
  }
}

/**
 * Acks that go out with the next publish: one write to the socket for both.
 *
 * A write costs more than all else that a step does in this process. Where nothing is published for a moment, they go
 * out by themselves.
 *
 * @module
 */

import type { Msg } from "@nats-io/nats-core";
import type { Connection } from "../connection.ts";

const ACK = new TextEncoder().encode("+ACK");

/** How long an ack may wait for a publish to go out with, in milliseconds. */
const LONGEST_WAIT_MS = 1;

/** The acks of one connection. */
export class Acks {
  readonly #nc: Connection;
  #waiting: Msg[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Creates them. No I/O. */
  constructor(nc: Connection) {
    this.#nc = nc;
  }

  /** Acks a message: with what is published next, or in a moment. */
  add(msg: Msg): void {
    this.#waiting.push(msg);
    this.#timer ??= setTimeout(() => this.finish(), LONGEST_WAIT_MS);
  }

  /** Sends what waits. On a closed connection nothing can: what is not acked is delivered again. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const acked = this.#waiting;
    this.#waiting = [];
    if (this.#nc.isClosed()) return;
    for (const msg of acked) msg.respond(ACK);
  }

  /** Sends what waits, and leaves no timer behind. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.flush();
  }
}

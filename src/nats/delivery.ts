/**
 * One delivery of a message by a pull consumer, and the answers to it.
 *
 * @module
 */

import type { Msg, MsgHdrs } from "@nats-io/nats-core";
import type { Nats } from "./client.ts";

const ACK = new TextEncoder().encode("+ACK");
const WORKING = new TextEncoder().encode("+WPI");
const TERM = new TextEncoder().encode("+TERM");

/** A delivered message. The answers are sent without waiting; acks with what is published next. */
export class Delivery {
  readonly #msg: Msg;
  readonly #nats: Nats;
  /** The message's sequence in its stream. */
  readonly sequence: number;
  /** How often it has been delivered, this time included. */
  readonly deliveries: number;
  /** When the server stored the message, in milliseconds since the epoch. */
  readonly time: number;

  /** Takes a message with an acknowledgement subject. */
  constructor(msg: Msg, nats: Nats) {
    this.#msg = msg;
    this.#nats = nats;
    // $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
    const tokens = msg.reply!.split(".");
    const first = tokens.length > 9 ? 6 : 4;
    this.deliveries = Number(tokens[first]);
    this.sequence = Number(tokens[first + 1]);
    this.time = Number(tokens[first + 3]!.slice(0, -6));
  }

  /** The subject the message was published to. */
  get subject(): string {
    return this.#msg.subject;
  }

  /** The headers, where the message has any. */
  get headers(): MsgHdrs | undefined {
    return this.#msg.headers;
  }

  /** The body as text. */
  text(): string {
    return this.#msg.string();
  }

  /** Done with: never deliver it again (R3: only once it is superseded). */
  ack(): void {
    this.#nats.outbox.sendLater(() => this.#answer(ACK));
  }

  /** Still being worked on: starts the ack wait anew. */
  working(): void {
    this.#answer(WORKING);
  }

  /** Deliver it again, after a delay in milliseconds. */
  nak(delayMs = 0): void {
    this.#answer(delayMs > 0 ? `-NAK {"delay":${Math.round(delayMs * 1e6)}}` : "-NAK");
  }

  /** Given up on: never deliver it again. */
  term(): void {
    this.#answer(TERM);
  }

  /** On a closed connection nothing can be answered: what is not acked is delivered again. */
  #answer(answer: Uint8Array | string): void {
    if (!this.#nats.nc.isClosed()) this.#msg.respond(answer);
  }
}

/**
 * Until when nobody else can have had a message that is delivered for the first time, by the server's time. It may have
 * been on its way, or in the hands of a process that was stopped, for longer than its lease: then it was given to
 * another. When it was given to us is not known, but not before it was stored. Half of the lease is left for clocks.
 */
export function firstUntil({ deliveries, time }: Delivery, leaseMs: number): number {
  return deliveries === 1 ? time + leaseMs / 2 : 0;
}

/** Answers and acks that are lost, late, or come twice, on the way between a server and its clients. @module */

import { bodyOf, type Frame, headersOf, isMessage } from "../nats_frames.ts";
import type { Fate, Judges } from "../proxy.ts";
import type { Random } from "../random.ts";

/** How likely a fault is, each from 0 to 1. */
export interface ReplyFaultRates {
  /** The acknowledgement of a publish is lost. */
  readonly lostPubAck?: number;
  /** It comes later than anybody waits for it. */
  readonly latePubAck?: number;
  /** It comes twice. */
  readonly doublePubAck?: number;
  /** A message of a consumer comes twice. */
  readonly doubleDelivery?: number;
  /** An engine's ack is lost, so that the message is delivered again. */
  readonly lostAck?: number;
  /** A consumer's word that it was deleted is lost. */
  readonly lostNotice?: number;
}

const TOO_LATE_MS = 6_000;

/** Injects faults into what passes the connections that it judges. */
export class ReplyFaults {
  /** How many of each there were. */
  readonly counts: Record<string, number> = {};
  /** What is injected from now on. */
  rates: ReplyFaultRates = {};
  readonly #random: Random;

  /** Injects nothing yet. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** Judges the frames of a connection. */
  readonly judges: Judges = { down: (frame) => this.#down(frame), up: (frame) => this.#up(frame) };

  #down(frame: Frame): Fate {
    if (!isMessage(frame)) return "pass";
    if (frame.reply?.startsWith("$JS.ACK.")) return this.#falls("doubleDelivery") ? "twice" : "pass";
    if (isPubAck(frame)) {
      if (this.#falls("lostPubAck")) return "drop";
      if (this.#falls("latePubAck")) return { lateMs: TOO_LATE_MS };
      return this.#falls("doublePubAck") ? "twice" : "pass";
    }
    return isDeletion(frame) && this.#falls("lostNotice") ? "drop" : "pass";
  }

  #up(frame: Frame): Fate {
    const isAck = frame.subject.startsWith("$JS.ACK.") && bodyOf(frame) === "+ACK";
    return isAck && this.#falls("lostAck") ? "drop" : "pass";
  }

  #falls(fault: keyof ReplyFaultRates): boolean {
    const rate = this.rates[fault] ?? 0;
    if (rate === 0 || this.#random.next() >= rate) return false;
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
    return true;
  }
}

/** Whether a message acknowledges a publish to a stream. */
function isPubAck(frame: Frame): boolean {
  return frame.subject.startsWith("_INBOX.") && bodyOf(frame).startsWith('{"stream":');
}

/** Whether a message tells a pull request that its consumer is gone. */
function isDeletion(frame: Frame): boolean {
  return frame.verb === "HMSG" && /^NATS\/1\.0 409 .*deleted/i.test(headersOf(frame));
}

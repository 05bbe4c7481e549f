/**
 * Dead letters: a durable record of everything that was given up on.
 *
 * @module
 */

import type { StoredMsg } from "@nats-io/jetstream";
import type { Json } from "../json.ts";
import type { Logger } from "../logger.ts";
import { quoted } from "../names.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError, removeMessage } from "./client.ts";
import { readBackwards } from "./read.ts";

const SOURCES = ["work", "schedule", "signal", "async", "ingress"] as const;

/** What a dead letter was: work, a schedule's tick, a signal, an async job, or another command from outside. */
export type DeadLetterSource = "work" | "schedule" | "signal" | "async" | "ingress";

/** Something that was given up on. */
export interface DeadLetter {
  /** Its number: what `redrive` takes. */
  sequence: number;
  /** What it was. */
  source: DeadLetterSource;
  /** Whose it was: an execution id, a schedule's name, a subject. */
  key: string;
  /** Why it was given up on. */
  reason: string;
  /** How often it was delivered before. */
  deliveries?: number;
  /** When it was given up on. */
  time: Date;
  /** What it held; text where it was not JSON. */
  body?: Json;
  /** Whether `body` is only the beginning of what it held, which was too large to be kept. */
  isCut?: true;
  /** The subject it was delivered on, where it came from the inbox. */
  subject?: string;
}

/** The largest body that is kept whole, in bytes of JSON. */
const MAX_BODY = 256 * 1024;

/** What of a record is not its body, in bytes. */
const RECORD_BYTES = 16 * 1024;

/** Writes and reads dead letters. */
export class DeadLetters {
  readonly #nats: Nats;
  readonly #logger: Logger;

  /** Creates the dead letters of a namespace; each that is recorded here is logged. No I/O. */
  constructor(nats: Nats, logger: Logger) {
    this.#nats = nats;
    this.#logger = logger;
  }

  /**
   * Records a dead letter. `body` is the text of what was given up on.
   *
   * @param dedupe Makes the record once, however often it is tried within two minutes.
   */
  async record(
    letter: Omit<DeadLetter, "sequence" | "time" | "body" | "isCut"> & { body?: string },
    dedupe?: string,
  ): Promise<void> {
    const { body, ...rest } = letter;
    const { source, key } = letter;
    const reason = letter.reason.slice(0, 2_000);
    const record = {
      ...rest,
      reason,
      time: new Date(this.#nats.clock.now()).toISOString(),
      ...(body === undefined ? {} : bodyOf(body, this.#maxBody())),
    };
    try {
      const options = dedupe === undefined ? {} : { msgID: dedupe };
      const subject = this.#nats.names.deadLetter(source);
      await this.#nats.js.publish(subject, JSON.stringify(record), options);
    } catch (error) {
      throw packtrailError(error, `recording a dead letter of ${key}`);
    }
    this.#logger.warn("given up on: a dead letter", { source, key, reason });
  }

  /** A server may take smaller messages than we would send. */
  #maxBody(): number {
    const { info } = this.#nats.nc;
    return Math.min(MAX_BODY, Math.max(0, (info?.max_payload ?? Infinity) - RECORD_BYTES));
  }

  /** The latest dead letters, newest first. */
  async latest(limit: number): Promise<DeadLetter[]> {
    const { names } = this.#nats;
    const letters: DeadLetter[] = [];
    try {
      for await (const message of readBackwards(this.#nats, names.deadLetterStream, names.deadLetters())) {
        letters.push(parseLetter(message));
        if (letters.length >= limit) break;
      }
    } catch (error) {
      if (isNotFound(error) || isNoResponders(error)) return letters;
      throw packtrailError(error, "reading dead letters");
    }
    return letters;
  }

  /** A dead letter by its number, from the leader; `undefined` where there is none. */
  async find(sequence: number): Promise<DeadLetter | undefined> {
    try {
      const message = await this.#nats.jsm.streams.getMessage(this.#nats.names.deadLetterStream, { seq: sequence });
      return message === null ? undefined : parseLetter(message);
    } catch (error) {
      if (isNotFound(error) || isNoResponders(error)) return undefined;
      throw packtrailError(error, `reading dead letter ${sequence}`);
    }
  }

  /** Removes a dead letter. */
  async remove(sequence: number): Promise<void> {
    const stream = this.#nats.names.deadLetterStream;
    await removeMessage(this.#nats, { stream, sequence }, `removing dead letter ${sequence}`);
  }
}

/** The text that a body was read from, as far as that matters to whoever parses it. */
export function textOf({ body, source }: DeadLetter): string {
  if (body === undefined) return "";
  // A body that is text was no JSON, but for the payload of a signal or a result: those were refused unless they were.
  return typeof body === "string" && source === "ingress" ? body : JSON.stringify(body);
}

/** Whether a dead letter holds only the beginning of its body. */
export function isCut(letter: DeadLetter): boolean {
  return letter.isCut === true;
}

/** A body as it is kept: its value where it is JSON, else its text, and of a large one only the beginning. */
function bodyOf(text: string, limit: number): { body: Json; isCut?: true } {
  let body: Json = text;
  try {
    body = JSON.parse(text);
  } catch {
    // it is kept as the text it is
  }
  if (sizeOf(JSON.stringify(body)) <= limit) return { body };
  // A character is at most six bytes of JSON.
  return { body: `${text.slice(0, Math.floor(limit / 6))}…`, isCut: true };
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function parseLetter(message: StoredMsg): DeadLetter {
  const { seq: sequence } = message;
  const text = message.string();
  try {
    const letter = JSON.parse(text);
    const time = new Date(letter.time);
    if (SOURCES.includes(letter.source) && [letter.key, letter.reason].every(isText) && !isNaN(time.getTime())) {
      return { ...letter, sequence, time };
    }
  } catch { /* it is told below */ }
  const reason = `a record that cannot be read: ${quoted(text)}`;
  return { sequence, source: "ingress", key: "", reason, time: message.time };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

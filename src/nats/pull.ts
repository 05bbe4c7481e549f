/**
 * A puller: keeps a consumer's messages coming, no more than there is room for.
 *
 * The engine says how much room there is; what is pulled is held by the engine and kept alive by it. Nothing waits in
 * a buffer where its ack wait would run out unseen.
 *
 * @module
 */

import { createInbox, type Msg, type Subscription } from "@nats-io/nats-core";
import { Delivery } from "./delivery.ts";
import type { Nats } from "./client.ts";

/** How long a pull request waits for messages, in milliseconds; so long can a deleted consumer go unnoticed. */
export const PULL_EXPIRES_MS = 5_000;

/** How long a stopping puller waits for the server to confirm that it gets no more, in milliseconds. */
const STOP_MS = 5_000;

/** What a puller asks and tells. */
export interface PullerOptions {
  /** The stream. */
  readonly stream: string;
  /** The durable consumer. */
  readonly consumer: string;
  /** How many more messages there is room for, beside those that were asked for. */
  room(): number;
  /** Takes a message. */
  deliver(delivery: Delivery): void;
  /** The consumer or its stream is gone: make it again. A rejection is tried again later. */
  restore(): Promise<void>;
  /** Something went wrong that the puller goes on after. */
  warn(message: string, fields: Record<string, unknown>): void;
}

/** Pulls messages of one durable consumer. */
export class Puller {
  readonly #nats: Nats;
  readonly #options: PullerOptions;
  readonly #inbox: string;
  readonly #requests = new Map<string, { left: number; until: number }>();
  #subscription: Subscription | undefined;
  #asked = 0;
  #number = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>();
  #restoring = false;

  /** Creates a puller that does nothing until it is started. */
  constructor(nats: Nats, options: PullerOptions) {
    this.#nats = nats;
    this.#options = options;
    // Where a user may subscribe to no inboxes but its own, the connection was given their prefix.
    this.#inbox = createInbox((nats.nc as { options?: { inboxPrefix?: string } }).options?.inboxPrefix);
  }

  /** Starts pulling. */
  start(): void {
    this.#subscribe();
    this.#timer = setInterval(() => {
      // The server ends it where the user may not subscribe any more.
      if (this.#subscription?.isClosed() && !this.#nats.nc.isClosed()) this.#subscribe();
      this.#forgetLost();
      this.kick();
    }, 1_000);
    this.kick();
  }

  #subscribe(): void {
    this.#subscription = this.#nats.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => {
        if (error) this.#options.warn("a pull subscription failed", { error: error.message });
        else this.#receive(msg);
      },
    });
  }

  /** Asks for more, where there is room. */
  kick(): void {
    if (this.#subscription === undefined || this.#restoring || this.#nats.nc.isClosed()) return;
    const room = this.#options.room();
    if (room <= 0 || this.#asked * 2 > room) return;
    const batch = room - this.#asked;
    const token = String(++this.#number);
    this.#requests.set(token, { left: batch, until: performance.now() + PULL_EXPIRES_MS + 2_000 });
    this.#asked += batch;
    const { stream, consumer } = this.#options;
    const body = `{"batch":${batch},"expires":${PULL_EXPIRES_MS * 1e6}}`;
    this.#nats.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, body, {
      reply: `${this.#inbox}.${token}`,
    });
  }

  /** The connection was lost and is back: what was asked for before will not be answered. */
  reconnected(): void {
    this.#requests.clear();
    this.#asked = 0;
    this.kick();
  }

  /** Stops pulling. Messages on their way are given back to the server as they come in. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const timer of this.#pauses) clearTimeout(timer);
    this.#pauses.clear();
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#requests.clear();
    this.#asked = 0;
    if (subscription === undefined || this.#nats.nc.isClosed()) return;
    // A lost connection takes the subscription and the pull requests with it: there is nobody to wait for then.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => timer = setTimeout(resolve, STOP_MS));
    await Promise.race([subscription.drain().catch(() => {}), patience]);
    clearTimeout(timer);
  }

  #receive(msg: Msg): void {
    if (msg.reply && msg.reply.startsWith("$JS.ACK.")) {
      this.#settle();
      if (this.#subscription === undefined) new Delivery(msg, this.#nats).nak();
      else this.#options.deliver(new Delivery(msg, this.#nats));
      return;
    }
    if (msg.headers === undefined || msg.headers.code === 100) return;
    this.#status(msg.subject.slice(this.#inbox.length + 1), msg.headers.code, msg.headers.description);
  }

  /** Counts a message towards the oldest request: the server serves requests in order. */
  #settle(): void {
    this.#asked = Math.max(0, this.#asked - 1);
    for (const [token, request] of this.#requests) {
      if (--request.left <= 0) this.#requests.delete(token);
      return;
    }
  }

  #status(token: string, code: number, description: string): void {
    this.#forget(token);
    const gone = code === 503 || code === 404 || /consumer (deleted|is push)|not found/i.test(description);
    if (gone) void this.#restore(`${code} ${description}`.trim());
    else if (code === 409) this.#later(100, () => this.kick());
    else this.kick();
  }

  #forget(token: string): void {
    const request = this.#requests.get(token);
    if (request === undefined) return;
    this.#requests.delete(token);
    this.#asked = Math.max(0, this.#asked - request.left);
  }

  /** Forgets requests that were never answered: the connection was lost, or the server restarted. */
  #forgetLost(): void {
    const now = performance.now();
    for (const [token, request] of this.#requests) if (request.until < now) this.#forget(token);
  }

  async #restore(reason: string): Promise<void> {
    if (this.#restoring || this.#subscription === undefined) return;
    this.#restoring = true;
    this.#options.warn("a consumer cannot be reached and is looked after", {
      consumer: this.#options.consumer,
      stream: this.#options.stream,
      reason,
    });
    const goOn = () => {
      this.#restoring = false;
      this.kick();
    };
    try {
      await this.#options.restore();
      goOn();
    } catch (error) {
      this.#options.warn("a consumer could not be restored, trying again", {
        consumer: this.#options.consumer,
        error: error instanceof Error ? error.message : String(error),
      });
      this.#later(500, goOn);
    }
  }

  /** Does something after a pause, unless it has been stopped by then. */
  #later(ms: number, run: () => void): void {
    if (this.#subscription === undefined) return;
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      run();
    }, ms);
    this.#pauses.add(timer);
  }
}

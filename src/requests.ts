/**
 * Requests over one NATS subscription that can be aborted and hold no timer or listener of their own.
 *
 * `request` of nats.js cannot be aborted, keeps a timer for each request until its time is up, and records two stack
 * traces for each. Here one timer serves all requests, and the abort signal of a request is looked at only
 * when it has been under way for a moment: most have been answered by then.
 *
 * @module
 */

import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
  type Subscription,
} from "@nats-io/nats-core";
import { Outbox } from "./outbox.ts";

/** How a request ended. */
export type Outcome =
  | { readonly kind: "reply"; readonly data: Uint8Array }
  | { readonly kind: "no-responders" | "timeout" | "closed" }
  | { readonly kind: "aborted"; readonly reason: unknown }
  | { readonly kind: "denied"; readonly error: PermissionViolationError }
  | { readonly kind: "unsent"; readonly error: Error };

/** How long a request may take, and what goes with it. */
export interface RequestLimits {
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends it early. Read only when the request has been under way for a moment. */
  readonly signal?: AbortSignal;
  /** Headers to send. */
  readonly headers?: MsgHdrs;
}

interface Call {
  readonly subject: string;
  readonly limits: RequestLimits;
  readonly settle: (outcome: Outcome) => void;
  /** When it runs out of time, by `performance.now()`. */
  readonly due: number;
  /** When its signal is looked at, by `performance.now()`; never again once it is listened to. */
  listenAt: number;
  stopListening?: () => void;
}

const LISTEN_AFTER_MS = 20;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Sends requests of one connection. */
export class Requests {
  readonly #nc: NatsConnection;
  readonly #outbox: Outbox;
  readonly #inbox: string;
  readonly #calls = new Map<string, Call>();
  #subscription: Subscription | undefined;
  #stopWatching: (() => void) | undefined;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /** Creates an instance. No I/O before the first request. */
  constructor(nc: NatsConnection, outbox: Outbox = new Outbox()) {
    this.#nc = nc;
    this.#outbox = outbox;
    // Where a user may subscribe to no inboxes but its own, the connection was given their prefix.
    this.#inbox = createInbox((nc as { options?: { inboxPrefix?: string } }).options?.inboxPrefix);
  }

  /** Sends a request and resolves with what came of it; it never rejects. */
  send(subject: string, data: Uint8Array | string, limits: RequestLimits): Promise<Outcome> {
    return new Promise((settle) => this.call(subject, data, limits, settle));
  }

  /** Sends a request. `settle` is told what came of it before what the server sends next is looked at. */
  call(subject: string, data: Uint8Array | string, limits: RequestLimits, settle: (outcome: Outcome) => void): void {
    const now = performance.now();
    const due = now + limits.timeoutMs;
    const token = (++this.#count).toString(36);
    this.#calls.set(token, { subject, limits, settle, due, listenAt: now + LISTEN_AFTER_MS });
    const publish = () => this.#publish(token, subject, data, limits.headers);
    if (this.#calls.size === 1) this.#outbox.sendNow(publish);
    else this.#outbox.send(publish);
    if (this.#calls.has(token)) this.#lookAt(Math.min(due, now + LISTEN_AFTER_MS));
  }

  #publish(token: string, subject: string, data: Uint8Array | string, headers: MsgHdrs | undefined): void {
    if (!this.#calls.has(token)) return;
    try {
      this.#listen();
      const reply = `${this.#inbox}.${token}`;
      this.#nc.publish(subject, data, headers === undefined ? { reply } : { reply, headers });
    } catch (error) {
      this.#settle(token, { kind: "unsent", error: error as Error });
    }
  }

  /** Ends the requests under way and gives up the subscription. May be called again. */
  close(): void {
    const subscription = this.#subscription;
    this.#forget({ kind: "closed" });
    if (subscription !== undefined && !subscription.isClosed()) subscription.unsubscribe();
  }

  #listen(): void {
    if (this.#subscription !== undefined) return;
    const subscription = this.#nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => {
        if (error instanceof PermissionViolationError) this.#forget({ kind: "denied", error });
        else if (error === null) this.#receive(msg);
      },
    });
    this.#subscription = subscription;
    this.#stopWatching = watchDenials(this.#nc, (error) => this.#deny(error));
    void subscription.closed.then(() => {
      if (this.#subscription === subscription) this.#forget({ kind: "closed" });
    });
  }

  #receive(msg: Msg): void {
    const unheard = msg.data.length === 0 && msg.headers?.code === 503;
    const outcome: Outcome = unheard ? { kind: "no-responders" } : { kind: "reply", data: msg.data };
    this.#settle(msg.subject.slice(this.#inbox.length + 1), outcome);
  }

  #deny(error: PermissionViolationError): void {
    if (error.operation !== "publish") return;
    for (const [token, call] of this.#calls) {
      if (call.subject === error.subject) this.#settle(token, { kind: "denied", error });
    }
  }

  /** Ends all that is under way; the next request starts anew. */
  #forget(outcome: Outcome): void {
    this.#subscription = undefined;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    for (const token of [...this.#calls.keys()]) this.#settle(token, outcome);
    this.#clearTimer();
  }

  #settle(token: string, outcome: Outcome): void {
    const call = this.#calls.get(token);
    if (call === undefined) return; // a second reply, or one that came too late
    this.#calls.delete(token);
    call.stopListening?.();
    call.settle(outcome);
  }

  /** Ends what has run out of time, listens to the signals of what takes long, and says when to look again. */
  #look(): void {
    this.#clearTimer();
    const now = performance.now();
    let next = Infinity;
    for (const [token, call] of [...this.#calls]) {
      if (call.due <= now) {
        this.#settle(token, { kind: "timeout" });
        continue;
      }
      if (call.listenAt <= now) this.#listenToSignal(token, call);
      next = Math.min(next, call.due, call.listenAt);
    }
    if (this.#calls.size > 0) this.#lookAt(next);
  }

  #listenToSignal(token: string, call: Call): void {
    call.listenAt = Infinity;
    const { signal } = call.limits;
    if (signal === undefined) return;
    const abort = () => this.#settle(token, { kind: "aborted", reason: signal.reason });
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    call.stopListening = () => signal.removeEventListener("abort", abort);
  }

  #lookAt(time: number): void {
    if (this.#timerAt <= time) return;
    this.#clearTimer();
    this.#timerAt = time;
    const wait = Math.max(1, Math.ceil(time - performance.now()));
    this.#timer = setTimeout(() => this.#look(), Math.min(wait, LONGEST_TIMER_MS));
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }
}

/** Tells of each thing that the server did not let the connection do, until the returned function is called. */
export function watchDenials(nc: NatsConnection, tell: (error: PermissionViolationError) => void): () => void {
  const statuses = nc.status();
  void (async () => {
    for await (const status of statuses) {
      if (status.type !== "error") continue;
      const { error } = status;
      if (error instanceof PermissionViolationError) tell(error);
    }
  })();
  // The iterator of nats.js has `stop`; without it, its end comes with the connection's.
  return () => (statuses as { stop?: () => void }).stop?.();
}

/**
 * A worker at work: takes requests of one subscription, runs the handler and replies.
 *
 * @module
 */

import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import { decodeTaskRequest, encodeTaskResponse, type TaskRequest, type TaskResponse } from "../protocol/mod.ts";

/** Answers one request. A thrown error replies `retry` with its message. */
export type Handler = (request: TaskRequest) => TaskResponse | Promise<TaskResponse>;

/** A worker that listens. */
export interface TaskWorker extends AsyncDisposable {
  /**
   * Resolves when it listens no more: with an error where the server or the connection ended it, with `undefined`
   * after `stop()`.
   */
  readonly closed: Promise<Error | undefined>;
  /** Takes no more requests, and resolves when those that were taken have been answered. May be called again. */
  stop(): Promise<void>;
}

const SERVER_ANSWER_MS = 5_000;
const LONGEST_MESSAGE = 2_000;

/** Takes requests and answers them. */
export class Serving implements TaskWorker {
  readonly closed: Promise<Error | undefined>;
  readonly #nc: NatsConnection;
  readonly #handler: Handler;
  readonly #ignores: (subject: string) => boolean;
  readonly #running = new Set<Promise<void>>();
  readonly #close: (error: Error | undefined) => void;
  #subscription: Subscription | undefined;
  #failure: Error | undefined;
  #stopped: Promise<void> | undefined;

  /**
   * Creates a worker that does nothing until it is started.
   *
   * @param ignores Which subjects are not answered, where the subscription's wildcards match too much.
   */
  constructor(nc: NatsConnection, handler: Handler, ignores: (subject: string) => boolean = () => false) {
    this.#nc = nc;
    this.#handler = handler;
    this.#ignores = ignores;
    let close!: (error: Error | undefined) => void;
    this.closed = new Promise((resolve) => close = resolve);
    this.#close = close;
  }

  /** What ended the subscription, where it was neither `stop()` nor the connection's end. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Subscribes. */
  start(subject: string, queue: string): void {
    const subscription = this.#nc.subscribe(subject, {
      queue,
      callback: (error, msg) => {
        if (error) this.#failure = error;
        else this.#take(msg);
      },
    });
    this.#subscription = subscription;
    void subscription.closed.then((error) => this.#close(this.#whyClosed(error)));
  }

  /** Gives up what `start` began. */
  abandon(): void {
    const subscription = this.#subscription;
    if (subscription !== undefined && !subscription.isClosed()) subscription.unsubscribe();
  }

  /** Takes no more requests, and resolves when those that were taken have been answered. May be called again. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** The same as `stop`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const subscription = this.#subscription;
    if (subscription !== undefined && !subscription.isClosed()) {
      // The server has sent all it had for us when it answers; without a server there is nothing to wait for.
      await within(SERVER_ANSWER_MS, subscription.drain());
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (!this.#nc.isClosed()) await within(SERVER_ANSWER_MS, this.#nc.flush());
    if (subscription !== undefined && !subscription.isClosed()) subscription.unsubscribe();
    this.#close(undefined);
  }

  #take(msg: Msg): void {
    if (!msg.reply || this.#ignores(msg.subject)) return;
    const run = this.#answer(msg).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #answer(msg: Msg): Promise<void> {
    const reply = this.#fit(await this.#run(msg));
    try {
      msg.respond(reply);
    } catch {
      // The connection is closed: nobody can be told, and the caller's deadline will pass.
    }
  }

  async #run(msg: Msg): Promise<Uint8Array> {
    let request: TaskRequest;
    try {
      request = decodeTaskRequest(msg.data);
    } catch (error) {
      return refusal("error", `bad request: ${messageOf(error)}`);
    }
    let response: TaskResponse;
    try {
      response = await this.#handler(request);
    } catch (error) {
      return refusal("retry", messageOf(error));
    }
    try {
      return encodeTaskResponse(response);
    } catch (error) {
      return refusal("error", `the handler's result is no task response: ${messageOf(error)}`);
    }
  }

  /** The reply, or one that says that it is too large. */
  #fit(reply: Uint8Array): Uint8Array {
    const limit = this.#nc.info?.max_payload ?? Infinity;
    if (reply.length <= limit) return reply;
    return refusal("error", `the reply is ${reply.length} bytes, the NATS server takes ${limit} (max_payload)`);
  }

  #whyClosed(error: unknown): Error | undefined {
    if (this.#stopped !== undefined) return undefined;
    if (error instanceof Error) return error;
    return this.#failure ?? new Error("the connection was closed");
  }
}

function refusal(status: "error" | "retry", error: string): Uint8Array {
  return encodeTaskResponse({ status, error });
}

/** The message of anything that was thrown; bounded, so that a long one cannot turn a `retry` into an `error`. */
function messageOf(error: unknown): string {
  let message = "a value that cannot be shown was thrown";
  try {
    message = String(error instanceof Error ? error.message || error.name : error);
  } catch {
    // an object without a prototype, or with a `toString` that throws
  }
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message;
}

/** Waits for a promise, but not for ever; its rejection counts as its end. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([promise.catch(() => {}), late]);
  clearTimeout(timer);
}

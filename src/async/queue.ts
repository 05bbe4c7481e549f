/**
 * The engine's side of async invokers: attempts are queued, and are pending from then on.
 *
 * @module
 */

import type { Dispatch, Dispatcher } from "../engine/attempts.ts";
import { idempotencyKey } from "../engine/invocation.ts";
import type { Result } from "../invoker/types.ts";
import type { Nats } from "../nats/client.ts";
import { DEFAULT_MAX_QUEUED, type QueueConfig, queueJob } from "./jobs.ts";

/** Queues the attempts of one kind. */
export class JobQueue implements Dispatcher {
  readonly #nats: Nats;
  readonly #config: QueueConfig;

  /** Creates the queue's engine side. No I/O. */
  constructor(nats: Nats, config: QueueConfig) {
    this.#nats = nats;
    this.#config = config;
  }

  /** Queues an attempt: `pending`; `retry` where the queue is full. */
  async dispatch({ state, attempt, isStopped }: Dispatch): Promise<Result> {
    // Of an execution that was removed and started again, the jobs may be queued side by side.
    const dedupe = `${idempotencyKey(state.id, attempt)}.${state.startedAt}`;
    const queued = await queueJob(this.#nats, this.#config, { state, attempt }, { dedupe, isStopped });
    switch (queued) {
      case "queued":
        return { status: "pending" };
      case "full":
        return { status: "retry", error: this.#full() };
      case "aborted":
        return { status: "retry", error: `the queue of async invoker ${this.#config.kind} did not answer in time` };
      default:
        return queued satisfies never;
    }
  }

  #full(): string {
    const { kind, maxQueued } = this.#config;
    return `the queue of async invoker ${kind} is full: it holds ${
      maxQueued ?? DEFAULT_MAX_QUEUED
    } jobs at the most (maxQueued)`;
  }
}

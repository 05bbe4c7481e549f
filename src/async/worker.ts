/**
 * The worker's side of async invokers: takes jobs of one kind, runs them, and completes their nodes.
 *
 * - A job is acked only after its completion is stored in the inbox, or after it was seen to be wanted no more: so a
 *   crash at any point has it run again.
 * - No job is held that is not being worked on: what a worker cannot start at once stays in the queue for others.
 *
 * @module
 */

import type { Logger } from "../logger.ts";
import { type Nats, onReconnect } from "../nats/client.ts";
import type { Delivery } from "../nats/delivery.ts";
import { Puller } from "../nats/pull.ts";
import { ensureQueue, ensureWorkers, type QueueConfig, WORKERS } from "./jobs.ts";
import { type JobRunner, RunningJob } from "./running_job.ts";

/** What a worker is made of. */
export interface AsyncWorkerOptions {
  readonly nats: Nats;
  readonly queue: QueueConfig;
  readonly runner: JobRunner;
  /** Jobs it works on at once. */
  readonly concurrency: number;
  /** How long a stopping worker waits for jobs under way, in milliseconds. */
  readonly drainTimeoutMs: number;
  readonly logger: Logger;
}

/** The longest time between two heartbeats: another worker, with a shorter lease, may have set the consumer's. */
const MAX_HEARTBEAT_MS = 1_000;

/** Works on the jobs of one kind until it is stopped. */
export class AsyncWorker {
  readonly #options: AsyncWorkerOptions;
  readonly #running = new Set<RunningJob>();
  readonly #puller: Puller;
  #isStopping = false;
  #idle: (() => void) | undefined;

  /** Creates a worker that does nothing yet. */
  constructor(options: AsyncWorkerOptions) {
    this.#options = options;
    const { nats, queue, logger } = options;
    this.#puller = new Puller(nats, {
      stream: nats.names.asyncStream(queue.kind),
      consumer: WORKERS,
      room: () => options.concurrency - this.#running.size,
      deliver: (delivery) => this.#take(delivery),
      restore: () => this.provision(),
      warn: (message, fields) => logger.warn(message, fields),
    });
  }

  /** Makes the queue and its consumer where they are missing. */
  async provision(): Promise<void> {
    const { nats, queue } = this.#options;
    await ensureQueue(nats, queue);
    await ensureWorkers(nats, queue);
  }

  /** Works until the signal is aborted, and the jobs under way are done or given back. */
  async run(signal: AbortSignal): Promise<void> {
    const { nats, queue } = this.#options;
    await this.provision();
    if (signal.aborted) return;
    const heartbeat = setInterval(() => this.#keepAlive(), Math.min(MAX_HEARTBEAT_MS, queue.leaseMs / 3));
    const unwatch = onReconnect(this.#options.nats.nc, () => this.#reconnected());
    this.#puller.start();
    try {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        void nats.nc.closed().then(() => resolve());
      });
      await this.#drain();
    } finally {
      clearInterval(heartbeat);
      unwatch();
      nats.outbox.finish();
    }
  }

  #take(delivery: Delivery): void {
    const { concurrency, runner } = this.#options;
    // The server has lost sight of a job that is being worked on here: it was away, or we were silent for too long.
    for (const running of this.#running) if (running.adopt(delivery)) return;
    if (this.#isStopping || this.#running.size >= concurrency) return delivery.nak();
    const job = new RunningJob(runner, delivery);
    this.#running.add(job);
    void job.run().finally(() => {
      this.#running.delete(job);
      if (this.#running.size === 0) this.#idle?.();
      if (!this.#isStopping) this.#puller.kick();
    });
  }

  #keepAlive(): void {
    for (const job of this.#running) job.keepAlive();
  }

  async #drain(): Promise<void> {
    this.#isStopping = true;
    await this.#puller.stop();
    if (this.#running.size === 0) return;
    const drop = () => {
      for (const job of this.#running) job.drop();
    };
    const timer = setTimeout(drop, this.#options.drainTimeoutMs);
    void this.#options.nats.nc.closed().then(drop); // nobody can be told of a result any more
    await new Promise<void>((resolve) => this.#idle = resolve);
    clearTimeout(timer);
  }

  /** Anything may have been missed: every job looks whether it is still wanted. */
  #reconnected(): void {
    for (const job of this.#running) job.doubt();
    this.#puller.reconnected();
  }
}

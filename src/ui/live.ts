/**
 * What happens in the namespace, as it happens: one subscription for all who look, and what is counted on the way.
 *
 * @module
 */

import type { ExecutionEvent, ExecutionStatus, Server } from "../../mod.ts";

/** How wide a bar of the chart is, in milliseconds. */
export const BUCKET_MS = 10_000;
/** How many bars are kept. */
export const BUCKETS = 60;

const MAX_SEED = 1_000;
const MAX_ENGINES = 200;
const RESTART_MS = 2_000;

/** What ended within the time of one bar. */
export interface Bucket {
  /** When it began, in milliseconds since the epoch. */
  readonly start: number;
  /** Executions that completed. */
  completed: number;
  /** Executions that failed. */
  failed: number;
  /** Executions that were cancelled. */
  cancelled: number;
}

/** What has been counted of a flow since the dashboard started to listen. */
export interface FlowCounters {
  /** Changes of executions: every one is a step done, an attempt failed or a wait begun. */
  changes: number;
  /** Attempts that were repeated. */
  retries: number;
  /** Executions that ended, by how. */
  ended: Record<"completed" | "failed" | "cancelled", number>;
}

/** Somebody who made changes. */
export interface Writer {
  /** Its owner id. */
  readonly id: string;
  /** How many of its changes were seen. */
  changes: number;
  /** When it made its last. */
  last: Date;
}

/** Watches a namespace from the first time that somebody looks. */
export class Live {
  readonly #server: Server;
  readonly #signal: AbortSignal;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<(event: ExecutionEvent) => void>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #writers = new Map<string, Writer>();
  readonly #flows = new Map<string, FlowCounters>();
  #seeded: Promise<void> | undefined;
  /** The revisions that came while what was before them is read. */
  #taken: Set<number> | undefined;

  /** No I/O. `signal` ends the watching. */
  constructor(server: Server, options: { signal: AbortSignal; onError: (error: unknown) => void }) {
    this.#server = server;
    this.#signal = options.signal;
    this.#onError = options.onError;
  }

  /** Starts to watch, where it has not begun. Resolves when what ended before is in the chart as well. */
  start(): Promise<void> {
    this.#seeded ??= this.#start();
    return this.#seeded;
  }

  /** Starts to watch, and waits a moment for what ended before. */
  async startAndWait(ms: number): Promise<void> {
    const waited = new AbortController();
    await Promise.race([this.start(), pause(ms, AbortSignal.any([this.#signal, waited.signal]))]);
    waited.abort();
  }

  /** Calls back for every event from now on. Returns what ends that. */
  listen(listener: (event: ExecutionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** The bars of the chart, oldest first, without gaps. */
  buckets(now: Date): Bucket[] {
    const last = bucketStart(now.getTime());
    return Array.from({ length: BUCKETS }, (_, index) => {
      const start = last - (BUCKETS - 1 - index) * BUCKET_MS;
      return this.#buckets.get(start) ?? { start, completed: 0, failed: 0, cancelled: 0 };
    });
  }

  /** Who was seen making changes, the latest first. */
  writers(): Writer[] {
    return [...this.#writers.values()].sort((left, right) => right.last.getTime() - left.last.getTime());
  }

  /** What was counted since the watching began, by flow. */
  counters(): ReadonlyMap<string, FlowCounters> {
    return this.#flows;
  }

  #start(): Promise<void> {
    this.#watch();
    return this.#seed().catch((error) => {
      if (!this.#signal.aborted) this.#onError(error);
    });
  }

  async #watch(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        for await (const event of this.#server.watchEvents({ signal: this.#signal })) this.#take(event);
        return;
      } catch (error) {
        this.#onError(error);
        await pause(RESTART_MS, this.#signal);
      }
    }
  }

  /** What ended in the last minutes, as far as the latest changes tell. */
  async #seed(): Promise<void> {
    const oldest = bucketStart(Date.now()) - (BUCKETS - 1) * BUCKET_MS;
    const taken = this.#taken = new Set<number>();
    try {
      for (const event of await this.#server.recent({ limit: MAX_SEED })) {
        if (taken.has(event.revision)) continue;
        if (event.time.getTime() >= oldest) this.#chart(event);
        this.#see(event);
      }
    } finally {
      this.#taken = undefined;
    }
  }

  #take(event: ExecutionEvent): void {
    this.#taken?.add(event.revision);
    this.#chart(event);
    this.#see(event);
    this.#count(event);
    for (const listener of this.#listeners) listener(event);
  }

  #chart({ status, time }: ExecutionEvent): void {
    if (!isEnded(status)) return;
    const start = bucketStart(time.getTime());
    let bucket = this.#buckets.get(start);
    if (bucket === undefined) {
      bucket = { start, completed: 0, failed: 0, cancelled: 0 };
      this.#buckets.set(start, bucket);
      const oldest = bucketStart(Date.now()) - BUCKETS * BUCKET_MS;
      for (const known of this.#buckets.keys()) if (known < oldest) this.#buckets.delete(known);
    }
    bucket[status]++;
  }

  #see({ writer, time }: ExecutionEvent): void {
    if (writer === undefined) return;
    const known = this.#writers.get(writer);
    if (known === undefined) {
      if (this.#writers.size >= MAX_ENGINES) this.#writers.delete(this.writers().at(-1)!.id);
      this.#writers.set(writer, { id: writer, changes: 1, last: time });
      return;
    }
    known.changes++;
    if (time > known.last) known.last = time;
  }

  #count({ flow, status, attempt, error }: ExecutionEvent): void {
    let counters = this.#flows.get(flow);
    if (counters === undefined) {
      counters = { changes: 0, retries: 0, ended: { completed: 0, failed: 0, cancelled: 0 } };
      this.#flows.set(flow, counters);
    }
    counters.changes++;
    if (isEnded(status)) counters.ended[status]++;
    else if (error !== undefined && (attempt ?? 0) > 0) counters.retries++;
  }
}

function isEnded(status: ExecutionStatus): status is "completed" | "failed" | "cancelled" {
  return status === "completed" || status === "failed" || status === "cancelled";
}

function bucketStart(time: number): number {
  return Math.floor(time / BUCKET_MS) * BUCKET_MS;
}

/** Waits, no longer than until the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

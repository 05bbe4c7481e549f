/**
 * Async invokers of a server, and workers for them in a process of their own.
 *
 * @module
 */

import { ensureQueue, prepareWorkers, type QueueConfig } from "../async/jobs.ts";
import { JobQueue } from "../async/queue.ts";
import { AsyncWorker } from "../async/worker.ts";
import type { Outcome } from "../core/events.ts";
import type { Dispatcher } from "../engine/attempts.ts";
import type { Executions } from "../engine/executions.ts";
import { errorText } from "../engine/result.ts";
import { KvResults } from "../engine/result_records.ts";
import { invalid } from "../errors.ts";
import { ResultCache, type ResultKey, type Results, UNCACHED } from "../invoker/cache.ts";
import { NATS_TASK_KIND, toInvoker } from "../invoker/registry.ts";
import type { Invoker, Result } from "../invoker/types.ts";
import type { Logger } from "../logger.ts";
import { checkName } from "../names.ts";
import type { Nats } from "../nats/client.ts";
import { type DataStore, ValueGoneError } from "../nats/data.ts";
import type { DeadLetters } from "../nats/dead_letters.ts";
import type { Patience } from "../nats/patience.ts";
import { type AsyncInvokerOptions, type CheckedOptions, checkKnown, count, duration } from "./options.ts";

/** An async invoker, checked. */
export interface AsyncKind {
  /** The kind. */
  readonly kind: string;
  /** Does the work; absent where it is done in other processes only. */
  readonly invoker: Invoker | undefined;
  /** Jobs worked on at once. */
  readonly concurrency: number;
  /** The time one job may take, in milliseconds; that of its node where absent. */
  readonly timeoutMs: number | undefined;
  /** Jobs the queue holds at the most; as it is, where absent. */
  readonly maxQueued: number | undefined;
}

/** What async invokers are run with. */
export interface AsyncParts {
  readonly nats: Nats;
  readonly executions: Executions;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  /** Deliveries of a job before it is dead-lettered. */
  readonly maxDeliver: number;
  /** How long a silent worker keeps its jobs, in milliseconds. */
  readonly leaseMs: number;
  /** How long a stopping worker waits for jobs under way, in milliseconds. */
  readonly drainTimeoutMs: number;
  /** Copies of each queue. */
  readonly replicas: number;
  /** The results of the workers. */
  readonly results: Results<Result>;
}

const DEFAULT_CONCURRENCY = 16;

/** The options of one async invoker. */
export const KIND_OPTIONS = ["invoker", "concurrency", "timeout", "maxQueued"] as const satisfies readonly (
  keyof AsyncInvokerOptions
)[];

/** Checks the async invokers of a server. @throws {ValidationError} Where one is not valid; it names the option. */
export function checkAsyncInvokers({ asyncInvokers, invokers }: CheckedOptions): AsyncKind[] {
  return Object.entries(asyncInvokers).map(([kind, options]) => {
    checkAsyncName("asyncInvokers", kind);
    const path = `asyncInvokers.${kind}`;
    if (Object.hasOwn(invokers, kind)) throw invalid(path, `the kind ${kind} is in invokers, too: rename one`);
    return checkAsyncKind(path, kind, options);
  });
}

/** Checks the name of a kind. @throws {ValidationError} */
export function checkAsyncName(path: string, kind: unknown): string {
  if (kind !== NATS_TASK_KIND) return checkName(path, kind);
  throw invalid(path, `the kind ${NATS_TASK_KIND} cannot be async: use another name`);
}

/** Checks the options of one async invoker. @throws {ValidationError} */
export function checkAsyncKind(path: string, kind: string, options: AsyncInvokerOptions): AsyncKind {
  checkKnown(path, options, new Set(KIND_OPTIONS));
  const { invoker, concurrency, timeout, maxQueued } = options;
  return {
    kind,
    invoker: invoker === "elsewhere" ? undefined : toInvoker(`${path}.invoker`, invoker),
    concurrency: count(`${path}.concurrency`, concurrency, DEFAULT_CONCURRENCY),
    timeoutMs: timeout === undefined ? undefined : duration(`${path}.timeout`, timeout, 0),
    maxQueued: maxQueued === undefined ? undefined : count(`${path}.maxQueued`, maxQueued, 0),
  };
}

/** The async invokers of a server: their queues, and the workers of those whose work is done here. */
export class AsyncInvokers {
  readonly #parts: AsyncParts;
  readonly #kinds: readonly AsyncKind[];

  /** Creates them. No I/O. */
  constructor(kinds: readonly AsyncKind[], parts: AsyncParts) {
    this.#kinds = kinds;
    this.#parts = parts;
  }

  /** The engine's side of them, by kind. */
  dispatchers(): ReadonlyMap<string, Dispatcher> {
    return new Map(this.#kinds.map((kind) => [kind.kind, new JobQueue(this.#parts.nats, this.#queueOf(kind))]));
  }

  /** The workers of those whose work is done here. */
  workers(): AsyncWorker[] {
    return this.#kinds.flatMap((kind) => {
      const { invoker, concurrency } = kind;
      if (invoker === undefined) return [];
      const runner = { ...this.#parts, kind: kind.kind, invoker, timeoutMs: kind.timeoutMs };
      return [new AsyncWorker({ ...this.#parts, queue: this.#queueOf(kind), runner, concurrency })];
    });
  }

  /** Makes the queues and their consumers where they are missing: so workers need no permission to. */
  async provision(): Promise<void> {
    const { nats } = this.#parts;
    for (const kind of this.#kinds) {
      await ensureQueue(nats, this.#queueOf(kind));
      await prepareWorkers(nats, this.#queueOf(kind));
    }
  }

  #queueOf({ kind, maxQueued }: AsyncKind): QueueConfig {
    const { leaseMs, replicas } = this.#parts;
    return { kind, maxQueued, leaseMs, replicas };
  }
}

/** What a result cache is made with. */
export interface CacheParts<T> {
  readonly nats: Nats;
  readonly patience: Patience;
  /** How long results are kept, in milliseconds; there is no cache where absent. */
  readonly resultTtlMs: number | undefined;
  /** How long a claim holds, in milliseconds. */
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Whether a recorded result can still be used. */
  isUsable?(result: T): Promise<boolean>;
}

/** The result cache, where there is one. */
export function resultCache<T>(parts: CacheParts<T>): Results<T> {
  const { nats, patience, resultTtlMs, leaseMs, logger, isUsable } = parts;
  if (resultTtlMs === undefined) return UNCACHED;
  const failed = ({ name }: ResultKey, error: unknown) =>
    logger.warn("a result was not recorded", { key: name, error: errorText(error, "unknown") });
  return new ResultCache<T>({
    records: new KvResults(nats),
    claimMs: leaseMs,
    failed,
    untilAnswered: (run, isStopped) => patience.until(run, isStopped),
    ...(isUsable && { isUsable }),
  });
}

/** Whether the value that a recorded outcome refers to is still there. */
export async function isOutcomeUsable(data: DataStore, outcome: Outcome): Promise<boolean> {
  if (outcome.status !== "ok" || outcome.payload === undefined || !("ref" in outcome.payload)) return true;
  try {
    await data.loaded([outcome.payload.ref]);
    return true;
  } catch (error) {
    if (error instanceof ValueGoneError) return false;
    throw error;
  }
}

/** Runs several things until the signal is aborted. Where one fails, the others are stopped, and it is thrown. */
export async function together(
  signal: AbortSignal,
  runs: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const results = await Promise.allSettled(runs.map(async (run) => {
    try {
      await run(either);
    } finally {
      stop.abort();
    }
  }));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

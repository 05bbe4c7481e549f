/**
 * Jobs of async invokers: attempts that wait in a durable queue for a worker.
 *
 * A job carries the state its attempt was started from. The state is small whatever the execution has been through,
 * and its values are referred to: so a job is small too, and its invoker sees the same payload and context however
 * late, and however often, it is run.
 *
 * @module
 */

import {
  type ConsumerConfig,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { decodeState, encodeState } from "../core/codec.ts";
import type { Attempt } from "../core/events.ts";
import type { State } from "../core/state.ts";
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { isName } from "../names.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError, untilAnswered } from "../nats/client.ts";
import { ensureConsumer, ensureStream, workConsumer } from "../nats/provision.ts";

/** An attempt that waits for a worker. */
export interface Job {
  /** Which it is. */
  readonly attempt: Attempt;
  /** The state it was started from, without its trail. */
  readonly state: State;
}

/** Whose a job is. */
export interface JobOwner {
  /** The execution. */
  readonly id: string;
  /** When it was started, where the job says it: an id is used again once its execution was removed. */
  readonly startedAt: number | undefined;
  /** The attempt. */
  readonly attempt: Attempt;
}

/** A job that cannot be read. What is known of it lets its node fail with a reason. */
export class JobFormatError extends Error {
  /** Whose it is, where the job says so. */
  readonly of: JobOwner | undefined;

  /** Creates the error. */
  constructor(message: string, of: JobOwner | undefined) {
    super(message);
    this.name = "JobFormatError";
    this.of = of;
  }
}

/** How the queue of a kind is made. */
export interface QueueConfig {
  /** The kind. */
  readonly kind: string;
  /** Jobs it holds at the most, those being worked on included; an existing queue is left as it is where absent. */
  readonly maxQueued: number | undefined;
  /** How long a silent worker keeps its jobs, in milliseconds. */
  readonly leaseMs: number;
  /** Copies of the queue. */
  readonly replicas: number;
}

/** How many jobs a queue holds where it is not told. */
export const DEFAULT_MAX_QUEUED = 100_000;

/** The durable consumer that all workers of a kind share. */
export const WORKERS = "workers";

const DEDUPE_MS = 120_000;
const QUEUE_FULL = 10077;

/** What became of a job that was to be queued. */
export type Queued = "queued" | "full" | "aborted";

/** Makes the queue of a kind where it is missing, and sets its limit where one is given. */
export async function ensureQueue(nats: Nats, { kind, maxQueued, leaseMs, replicas }: QueueConfig): Promise<void> {
  const name = nats.names.asyncStream(kind);
  await ensureStream(nats, {
    name,
    subjects: [nats.names.asyncJobs(kind)],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    num_replicas: replicas,
    discard: DiscardPolicy.New,
    max_msgs: maxQueued ?? DEFAULT_MAX_QUEUED,
    // An engine that crashed between queueing and parking queues the same job again, after about a lease.
    duplicate_window: nanos(Math.max(DEDUPE_MS, 4 * leaseMs)),
  });
  if (maxQueued !== undefined) await setLimit(nats, name, maxQueued);
}

/** Makes the consumer that the workers of a kind share, where it is missing. Its lease is that of the workers. */
export async function ensureWorkers(nats: Nats, { kind, leaseMs }: QueueConfig): Promise<void> {
  const config: Partial<ConsumerConfig> = workConsumer(WORKERS, [], leaseMs);
  await ensureConsumer(nats, nats.names.asyncStream(kind), config);
}

/** Makes that consumer where it is missing, on behalf of workers elsewhere; one that exists keeps its lease. */
export async function prepareWorkers(nats: Nats, config: QueueConfig): Promise<void> {
  try {
    await nats.jsm.consumers.info(nats.names.asyncStream(config.kind), WORKERS);
  } catch (error) {
    if (!isNotFound(error)) throw packtrailError(error, `setting up the workers of ${config.kind}`);
    await ensureWorkers(nats, config);
  }
}

/**
 * Queues a job, however often the server has to be asked.
 *
 * @param dedupe Makes the job one, within the queue's window.
 */
export async function queueJob(
  nats: Nats,
  config: QueueConfig,
  job: Job,
  { dedupe, isStopped }: { dedupe: string; isStopped(): boolean },
): Promise<Queued> {
  const body = encodeJob(job);
  const queued = await untilAnswered(nats, async () => {
    try {
      await publishJob(nats, config.kind, body, dedupe);
      return "queued" as const;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === QUEUE_FULL) return "full" as const;
      if (isNoResponders(error)) await ensureQueue(nats, config);
      throw error;
    }
  }, isStopped).catch((error) => {
    throw packtrailError(error, `queueing a job of ${config.kind} for execution ${job.state.id}`);
  });
  return queued ?? "aborted";
}

/** The body of a job's message. */
export function encodeJob({ attempt, state }: Job): string {
  const { trail: _trail, path: _path, ...rest } = state;
  const { node, generation } = attempt;
  const ids = { id: state.id, node, generation, attempt: attempt.attempt };
  return `${JSON.stringify(ids).slice(0, -1)},"state":${encodeState(rest)}}`;
}

/** The job in a message's body. @throws {JobFormatError} Where there is none. */
export function parseJob(body: string): Job {
  let value: Json;
  try {
    value = JSON.parse(body);
  } catch {
    throw new JobFormatError("the job is not JSON", undefined);
  }
  const of = ownerOf(value);
  if (of === undefined) throw new JobFormatError("the job does not say which attempt it is", undefined);
  try {
    const state = decodeState(JSON.stringify((value as JsonObject).state ?? null));
    if (state.id !== of.id) throw new Error(`its state is of execution ${state.id}`);
    return { attempt: of.attempt, state };
  } catch (error) {
    throw new JobFormatError(`the job of execution ${of.id} cannot be read: ${(error as Error).message}`, of);
  }
}

/** Whose a job is, where its body says so; it need not be readable otherwise. */
export function jobOwner(body: string): JobOwner | undefined {
  try {
    return ownerOf(JSON.parse(body));
  } catch {
    return undefined; // it is not JSON
  }
}

function ownerOf(value: Json): JobOwner | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, node, generation, attempt, state } = value;
  if (!isName(id) || !isName(node) || !isCount(generation) || !isCount(attempt)) return undefined;
  const startedAt = isJsonObject(state) && isCount(state.startedAt) ? state.startedAt : undefined;
  return { id, startedAt, attempt: { node, generation, attempt } };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Publishes a job. One that was queued before and is done with is queued again: its execution asks for it, and a
 * worker finds out whether it still does.
 */
async function publishJob(nats: Nats, kind: string, body: string, dedupe: string): Promise<void> {
  const subject = nats.names.asyncJobs(kind);
  const { duplicate, seq } = await nats.js.publish(subject, body, { msgID: dedupe });
  if (!duplicate) return;
  const earlier = await nats.jsm.streams.getMessage(nats.names.asyncStream(kind), { seq }).catch((error) => {
    if (error instanceof JetStreamApiError && error.status === 404) return null;
    throw error;
  });
  if (earlier === null) await nats.js.publish(subject, body);
}

async function setLimit(nats: Nats, name: string, maxQueued: number): Promise<void> {
  try {
    const { config } = await nats.jsm.streams.info(name);
    if (config.max_msgs === maxQueued) return;
    const change: Partial<StreamConfig> = { max_msgs: maxQueued };
    await nats.jsm.streams.update(name, change);
  } catch (error) {
    throw packtrailError(error, `setting the limit of ${name}`);
  }
}

/**
 * Provisioning: the streams, buckets and consumers of a namespace.
 *
 * What exists is left as it is, but for what packtrail cannot do without: replicas, limits and retention that an
 * operator has set stay. A consumer that exists is never re-created.
 *
 * @module
 */

import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { ServerVersionError } from "../errors.ts";
import { isBeyondLimit } from "./limits.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";

/** The oldest NATS server that packtrail works with: earlier ones have a bug in compare-and-set with subject filters. */
export const MIN_SERVER_VERSION = "2.14.4";

const DAY_MS = 24 * 3_600_000;

/** How the streams of a namespace are made. */
export interface ProvisionOptions {
  /** Copies of each stream. */
  readonly replicas: number;
  /** How long events are kept, in milliseconds; where absent, as long as they are, or a day. */
  readonly eventRetentionMs: number | undefined;
}

/** Refuses a server that packtrail cannot work with. No I/O. @throws {ServerVersionError} */
export function checkServer(nats: Nats): void {
  const info = nats.nc.info;
  if (info === undefined) return;
  if (olderThan(info.version, MIN_SERVER_VERSION)) {
    throw new ServerVersionError(
      `the NATS server is version ${info.version}, packtrail needs ${MIN_SERVER_VERSION} or newer: upgrade nats-server`,
    );
  }
  if (info.jetstream !== true) throw noJetStream();
}

/** Creates what is missing of the namespace's streams, and learns the server's time. */
export async function provisionStreams(nats: Nats, options: ProvisionOptions): Promise<void> {
  checkServer(nats);
  for (const config of streamConfigs(nats, options)) await ensureStream(nats, config);
  if (options.eventRetentionMs !== undefined) await keepEvents(nats, options.eventRetentionMs);
}

/** Changes how long events are kept, where it is not so yet: who says so means it. */
async function keepEvents(nats: Nats, ms: number): Promise<void> {
  const name = nats.names.eventStream;
  try {
    const { config } = await nats.jsm.streams.info(name);
    if (config.max_age === nanos(ms)) return;
    const window = Math.min(config.duplicate_window, nanos(ms));
    await nats.jsm.streams.update(name, { max_age: nanos(ms), duplicate_window: window });
  } catch (error) {
    throw packtrailError(error, `changing how long stream ${name} keeps events`);
  }
}

/** Creates a stream where it is missing. @throws {ServerVersionError} Where the server has no JetStream for us. */
export async function ensureStream(nats: Nats, config: StreamConfigPart): Promise<void> {
  const action = `setting up stream ${config.name}`;
  try {
    const askedAt = performance.now();
    const info = await nats.jsm.streams.info(config.name);
    nats.clock.observe(info, askedAt);
    checkStream(config, info.config);
  } catch (error) {
    if (error instanceof ServerVersionError) throw error;
    if (isNoResponders(error)) throw noJetStream(error);
    if (!isNotFound(error)) throw packtrailError(error, action);
    await createStream(nats, config, action);
  }
}

/**
 * Creates a durable consumer where it is missing; changes the ack wait of one that has another, unless told to keep it.
 *
 * Returns when it was created: the server's time, in milliseconds since the epoch.
 */
export async function ensureConsumer(
  nats: Nats,
  stream: string,
  config: Partial<ConsumerConfig>,
  how: { keep: boolean } = { keep: false },
): Promise<number> {
  const durable = config.durable_name!;
  try {
    const { config: found, created } = await nats.jsm.consumers.info(stream, durable);
    if (found.ack_wait !== config.ack_wait && !how.keep) {
      await nats.jsm.consumers.update(stream, durable, { ...found, ack_wait: config.ack_wait! });
    }
    return Date.parse(created);
  } catch (error) {
    if (!isNotFound(error)) throw packtrailError(error, `setting up consumer ${durable} of ${stream}`);
    return await createConsumer(nats, stream, config) ?? await ensureConsumer(nats, stream, config, how);
  }
}

const CONSUMER_EXISTS = 10148;

/** Creates a consumer. `undefined` where somebody else was first, with another ack wait. */
async function createConsumer(
  nats: Nats,
  stream: string,
  config: Partial<ConsumerConfig>,
): Promise<number | undefined> {
  try {
    return Date.parse((await nats.jsm.consumers.add(stream, config)).created);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === CONSUMER_EXISTS) return undefined;
    const { max_ack_pending: _, ...withoutLimit } = config;
    // The account has a limit of its own, which then is that of the consumer.
    if (isBeyondLimit(error, "acks") && config.max_ack_pending !== undefined) {
      return await createConsumer(nats, stream, withoutLimit);
    }
    throw packtrailError(error, `creating consumer ${config.durable_name} of ${stream}`);
  }
}

/** The durable consumer of a flow's work. No `max_deliver`: a message past it would stay for ever, unseen. */
export function flowConsumer(nats: Nats, flow: string, leaseMs: number): Partial<ConsumerConfig> {
  return workConsumer(nats.names.flowConsumer(flow), nats.names.work(flow), leaseMs);
}

/** Whether an engine takes a flow's work: it waits for some, or has some in hand. */
export async function isServed(nats: Nats, flow: string): Promise<boolean> {
  try {
    const info = await nats.jsm.consumers.info(nats.names.executionStream(), nats.names.flowConsumer(flow));
    return info.num_waiting > 0 || info.num_ack_pending > 0;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw packtrailError(error, `looking for an engine that has flow ${flow}`);
  }
}

/** A durable pull consumer that many engines share. */
export function workConsumer(durable: string, filters: string[], ackWaitMs: number): Partial<ConsumerConfig> {
  return {
    durable_name: durable,
    ...(filters.length === 0 ? {} : { filter_subjects: filters }),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: MAX_ACK_PENDING,
    max_waiting: 4_096,
  };
}

/** Deliveries of a consumer that may be under way at once, over all engines. */
export const MAX_ACK_PENDING = 8_192;

/** Consumers the stream of executions may have, one for each flow: the server takes no limit for one of 1,000. */
const MAX_CONSUMERS = 100_000;

type StreamConfigPart = Partial<StreamConfig> & { name: string };

function streamConfigs(nats: Nats, options: ProvisionOptions): StreamConfigPart[] {
  const { names } = nats;
  const common = { storage: StorageType.File, num_replicas: options.replicas };
  return [
    {
      ...common,
      name: names.executionStream(),
      subjects: names.executionSubjects(),
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: 1,
      max_consumers: MAX_CONSUMERS,
      allow_direct: true,
      allow_msg_schedules: true,
      allow_msg_ttl: true,
      republish: { ...names.republish(), headers_only: true },
    },
    { ...common, name: names.inboxStream, subjects: [names.inboxSubjects()], retention: RetentionPolicy.Workqueue },
    {
      ...common,
      name: names.eventStream,
      subjects: [names.history("*", "*")],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(options.eventRetentionMs ?? DAY_MS),
      allow_direct: true,
    },
    { ...common, name: names.dataStream, subjects: [`${names.namespace}.data.>`], allow_direct: true },
    {
      ...common,
      name: names.deadLetterStream,
      subjects: [names.deadLetters()],
      discard: DiscardPolicy.Old,
      max_msgs: 1_000_000,
      allow_direct: true,
    },
  ];
}

async function createStream(nats: Nats, config: StreamConfigPart, action: string): Promise<void> {
  try {
    const askedAt = performance.now();
    const info = await nats.jsm.streams.add(config as StreamConfig & { name: string });
    nats.clock.observe(info, askedAt);
  } catch (error) {
    const { max_consumers: _, ...withoutLimit } = config;
    // The account has a limit of its own, which then is that of the stream.
    if (isBeyondLimit(error, "consumers") && config.max_consumers !== undefined) {
      return await createStream(nats, withoutLimit, action);
    }
    throw packtrailError(error, action);
  }
}

/** Refuses a stream of our name that lacks what packtrail relies on: it is of somebody else. */
function checkStream(wanted: StreamConfigPart, found: StreamConfig): void {
  const missing = wanted.subjects?.find((subject) => !found.subjects?.includes(subject));
  if (missing !== undefined) {
    throw new ServerVersionError(
      `stream ${wanted.name} exists without subject ${missing}, packtrail needs it: ` +
        `use another namespace, or delete the stream if it is not in use`,
    );
  }
  for (const field of ["allow_msg_schedules", "allow_msg_ttl", "max_msgs_per_subject", "retention"] as const) {
    if (wanted[field] === undefined || found[field] === wanted[field]) continue;
    throw new ServerVersionError(
      `stream ${wanted.name} exists with ${field} ${found[field]}, packtrail needs ${wanted[field]}: ` +
        `use another namespace, or delete the stream if it is not in use`,
    );
  }
}

function noJetStream(cause?: unknown): ServerVersionError {
  return new ServerVersionError(
    "the NATS server has no JetStream for this connection: start nats-server with -js, or enable it for the account",
    cause === undefined ? undefined : { cause },
  );
}

function olderThan(version: string, minimum: string): boolean {
  const [found, wanted] = [version, minimum].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (found![part] ?? 0) - wanted![part]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

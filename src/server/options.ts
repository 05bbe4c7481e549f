/**
 * The options of a server, checked once.
 *
 * @module
 */

import { type Duration, parseDuration } from "../duration.ts";
import { invalid } from "../errors.ts";
import type { FlowDef } from "../flow/types.ts";
import type { Invoker, InvokerFunction } from "../invoker/types.ts";
import { consoleLogger, type Logger } from "../logger.ts";
import { checkName, checkNamespace, quoted } from "../names.ts";
import { checkCron } from "../nats/cron.ts";
import type { Retention } from "../nats/heads.ts";

/** How long ended executions and events are kept; for ever, and 24 h for events, where absent. */
export interface RetentionOptions {
  /** Completed executions. */
  completed?: Duration;
  /** Failed executions, which can be resumed for so long. */
  failed?: Duration;
  /** Cancelled executions. */
  cancelled?: Duration;
  /**
   * Events, and with them `history`; not those that the head of an execution still carries. Where it is given, it
   * changes what the namespace had before.
   *
   * @default {"24h"}
   */
  events?: Duration;
}

/** An invoker whose work goes through a durable queue. */
export interface AsyncInvokerOptions {
  /** Does the work; `"elsewhere"` where only workers of other processes do it, see {@linkcode serveAsync}. */
  invoker: Invoker | InvokerFunction | "elsewhere";
  /**
   * Jobs this instance works on at once.
   *
   * @default {16}
   */
  concurrency?: number;
  /** The time one job may take; the node's own timeout where absent. */
  timeout?: Duration;
  /**
   * Jobs the queue holds, those being worked on included; more are refused, which counts as `retry`. Where it is not
   * given, a queue that exists keeps its limit.
   *
   * @default {100_000}
   */
  maxQueued?: number;
}

/** What {@linkcode createServer} is told. */
export interface ServerOptions {
  /**
   * The prefix of every stream, bucket, subject and consumer: `[A-Za-z0-9_-]{1,64}`.
   *
   * @default {"packtrail"}
   */
  namespace?: string;
  /** A folder whose `*.yaml` and `*.yml` files are flows. */
  flowsDir?: string;
  /** Flows: YAML text, or values. Names must be unique over all sources. */
  flows?: readonly (string | FlowDef)[];
  /** Invokers by kind. `nats-task` is always there, and may be replaced. */
  invokers?: Record<string, Invoker | InvokerFunction>;
  /** Invokers by kind whose work goes through a durable queue, done by workers of this instance. */
  asyncInvokers?: Record<string, AsyncInvokerOptions>;
  /**
   * Record the result of every attempt, so that a redelivery does not repeat it; `ttl` is 24 h where absent.
   *
   * @default {false}
   */
  resultCache?: boolean | { ttl?: Duration };
  /**
   * When `reconcile` runs by itself: a cron expression of six fields, UTC. There is one schedule for the namespace:
   * the last instance that set one decides, `false` removes it, an instance that says nothing leaves it as it is.
   */
  reconcile?: string | false;
  /** This instance's id; random where absent. */
  ownerId?: string;
  /**
   * How long a silent instance keeps its work: a crashed one's becomes available to others after about this.
   *
   * @default {"30s"}
   */
  leaseTtl?: Duration;
  /**
   * Work items processed at once.
   *
   * @default {64}
   */
  maxConcurrency?: number;
  /**
   * The time an invocation may take where its node does not say.
   *
   * @default {"30s"}
   */
  defaultTimeout?: Duration;
  /**
   * Deliveries of one work item before it is dead-lettered.
   *
   * @default {10}
   */
  maxDeliver?: number;
  /**
   * How long a stopping `run` waits for work in flight.
   *
   * @default {"30s"}
   */
  drainTimeout?: Duration;
  /**
   * The limit of one payload (start, output, signal), in bytes of JSON; less where the NATS server's `max_payload` is
   * not at least 4 KiB more.
   *
   * @default {524_288}
   */
  maxPayloadBytes?: number;
  /** How long ended executions and events are kept. */
  retention?: RetentionOptions;
  /**
   * Copies of every stream, on a cluster. Streams that exist are left as they are.
   *
   * @default {1}
   */
  replicas?: number;
  /** Where the server says what it does; JSON lines on the console where absent. */
  logger?: Logger;
}

/** The options with their defaults, durations in milliseconds. */
export interface CheckedOptions {
  readonly namespace: string;
  readonly flowsDir: string | undefined;
  readonly flows: readonly (string | FlowDef)[];
  readonly invokers: Readonly<Record<string, Invoker | InvokerFunction>>;
  readonly asyncInvokers: Readonly<Record<string, AsyncInvokerOptions>>;
  readonly resultTtlMs: number | undefined;
  readonly reconcile: string | false | undefined;
  readonly ownerId: string;
  readonly leaseMs: number;
  readonly maxConcurrency: number;
  readonly defaultTimeoutMs: number;
  readonly maxDeliver: number;
  readonly drainTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly retention: Retention;
  /** Absent where it was not given: what exists is then left as it is. */
  readonly eventRetentionMs: number | undefined;
  readonly replicas: number;
  readonly logger: Logger;
}

const OPTIONS: ReadonlySet<string> = new Set(
  [
    "namespace",
    "flowsDir",
    "flows",
    "invokers",
    "asyncInvokers",
    "resultCache",
    "reconcile",
    "ownerId",
    "leaseTtl",
    "maxConcurrency",
    "defaultTimeout",
    "maxDeliver",
    "drainTimeout",
    "maxPayloadBytes",
    "retention",
    "replicas",
    "logger",
  ] satisfies (keyof ServerOptions)[],
);

const MIN_LEASE_MS = 100;

/** Checks the options. @throws {ValidationError} Where one is not valid; it names the option. */
export function checkOptions(options: ServerOptions): CheckedOptions {
  checkKnown("options", options, OPTIONS);
  const { namespace = "packtrail", retention = {} } = options;
  checkKnown("retention", retention, new Set(["completed", "failed", "cancelled", "events"]));
  const leaseMs = duration("leaseTtl", options.leaseTtl, 30_000);
  if (leaseMs < MIN_LEASE_MS) throw invalid("leaseTtl", `must be at least ${MIN_LEASE_MS} ms, it is ${leaseMs}`);
  return {
    namespace: checkNamespace(namespace),
    flowsDir: optional("flowsDir", options.flowsDir, "string"),
    flows: list("flows", options.flows),
    invokers: table("invokers", options.invokers),
    asyncInvokers: table("asyncInvokers", options.asyncInvokers),
    resultTtlMs: resultTtl(options.resultCache),
    reconcile: options.reconcile ? checkCron("reconcile", options.reconcile).cron : housekeeping(options.reconcile),
    ownerId: options.ownerId === undefined ? randomId() : checkName("ownerId", options.ownerId),
    leaseMs,
    maxConcurrency: count("maxConcurrency", options.maxConcurrency, 64),
    defaultTimeoutMs: duration("defaultTimeout", options.defaultTimeout, 30_000),
    maxDeliver: count("maxDeliver", options.maxDeliver, 10),
    drainTimeoutMs: duration("drainTimeout", options.drainTimeout, 30_000),
    maxPayloadBytes: count("maxPayloadBytes", options.maxPayloadBytes, 512 * 1024),
    retention: endedRetention(retention),
    eventRetentionMs: retention.events === undefined ? undefined : duration("retention.events", retention.events, 0),
    replicas: count("replicas", options.replicas, 1),
    logger: options.logger === undefined ? consoleLogger() : checkLogger(options.logger),
  };
}

/** A duration option in milliseconds. @throws {ValidationError} */
export function duration(path: string, value: Duration | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  throw invalid(path, `${quoted(value)} is not a duration: use a positive number of milliseconds, or "30s", "1h30m"`);
}

/** A positive whole number. @throws {ValidationError} */
export function count(path: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(path, `${quoted(value)} is not a positive whole number`);
}

/** Refuses fields that are not known. @throws {ValidationError} */
export function checkKnown(path: string, value: unknown, known: ReadonlySet<string>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(path, `must be an object, it is ${quoted(value)}`);
  }
  for (const key of Object.keys(value)) {
    if (!known.has(key)) throw invalid(`${path}.${key}`, `is not known; there are ${[...known].join(", ")}`);
  }
}

/** Random letters and digits. */
export function randomId(length = 10): string {
  let id = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
    id += "0123456789abcdefghijklmnopqrstuvwxyz"[byte % 36];
  }
  return id;
}

function endedRetention(options: RetentionOptions): Retention {
  const retention: { completed?: number; failed?: number; cancelled?: number } = {};
  for (const phase of ["completed", "failed", "cancelled"] as const) {
    if (options[phase] !== undefined) retention[phase] = duration(`retention.${phase}`, options[phase], 0);
  }
  return retention;
}

function housekeeping(option: unknown): false | undefined {
  if (option === undefined || option === false) return option;
  throw invalid("reconcile", `${quoted(option)} is not a cron expression of six fields, or false`);
}

function resultTtl(option: ServerOptions["resultCache"]): number | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return 24 * 3_600_000;
  checkKnown("resultCache", option, new Set(["ttl"]));
  return duration("resultCache.ttl", option.ttl, 24 * 3_600_000);
}

function optional<T>(path: string, value: T | undefined, type: "string"): T | undefined {
  if (value === undefined || typeof value === type) return value;
  throw invalid(path, `must be a ${type}, it is ${quoted(value)}`);
}

function list<T>(path: string, value: readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw invalid(path, `must be a list, it is ${quoted(value)}`);
}

function table<T>(path: string, value: Record<string, T> | undefined): Readonly<Record<string, T>> {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw invalid(path, `must be an object, it is ${quoted(value)}`);
}

function checkLogger(logger: Logger): Logger {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    if (typeof logger?.[level] !== "function") throw invalid("logger", `has no function ${level}`);
  }
  return logger;
}

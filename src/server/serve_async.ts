/**
 * Workers of async invokers in a process of their own.
 *
 * @module
 */

import type { AsyncWorker as JobWorker } from "../async/worker.ts";
import { Executions } from "../engine/executions.ts";
import { provisionResults } from "../engine/result_records.ts";
import { invalid } from "../errors.ts";
import type { Invoker, InvokerFunction, Result } from "../invoker/types.ts";
import { Names } from "../names.ts";
import { type Connection, type Nats, natsOf } from "../nats/client.ts";
import { DataStore } from "../nats/data.ts";
import { DeadLetters } from "../nats/dead_letters.ts";
import { Heads } from "../nats/heads.ts";
import { Mailbox } from "../nats/mail.ts";
import { checkServer } from "../nats/provision.ts";
import { Patience } from "../nats/patience.ts";
import { FlowRegistry } from "../nats/registry.ts";
import { AsyncInvokers, checkAsyncKind, checkAsyncName, KIND_OPTIONS, resultCache } from "./async.ts";
import {
  type AsyncInvokerOptions,
  type CheckedOptions,
  checkKnown,
  checkOptions,
  randomId,
  type ServerOptions,
} from "./options.ts";

/** What {@linkcode serveAsync} is told. Those that {@linkcode ServerOptions} has, too, mean the same. */
export interface ServeAsyncOptions extends
  Omit<AsyncInvokerOptions, "invoker">,
  Pick<
    ServerOptions,
    | "namespace"
    | "resultCache"
    | "leaseTtl"
    | "defaultTimeout"
    | "maxDeliver"
    | "drainTimeout"
    | "maxPayloadBytes"
    | "replicas"
    | "logger"
  > {
  /** The kind of invoker: the engines have it in `asyncInvokers`, with `invoker: "elsewhere"` or one of their own. */
  kind: string;
  /** Does the work. */
  invoker: Invoker | InvokerFunction;
}

/** A worker that takes jobs. */
export interface AsyncWorker extends AsyncDisposable {
  /** Resolves when it takes no more: with an error where it failed, with `undefined` after `stop()`. */
  readonly closed: Promise<Error | undefined>;
  /** Takes no more jobs, and resolves when those under way are done or given back. May be called again. */
  stop(): Promise<void>;
}

const SHARED_OPTIONS = [
  "namespace",
  "resultCache",
  "leaseTtl",
  "defaultTimeout",
  "maxDeliver",
  "drainTimeout",
  "maxPayloadBytes",
  "replicas",
  "logger",
] as const satisfies (keyof ServeAsyncOptions & keyof ServerOptions)[];

/**
 * Works on the jobs of an async invoker, in a process that need not know any flow. Resolves when it takes jobs.
 *
 * Any number of such workers, and those that engines host, share the jobs of a kind. A job whose worker crashes is
 * run again after about `leaseTtl`, which should be the same for all of them: invokers use `idempotencyKey` where that
 * matters. A job that runs out of time is attempted again even if its invoker does not look at its `signal`.
 *
 * @param nc The connection; it stays the caller's.
 * @throws {ValidationError} Where an option is not valid; before any I/O.
 * @throws {PermissionError} Where the connection's user may not.
 * @throws {ServerVersionError} Where the NATS server is too old, or has no JetStream.
 *
 * @example
 * ```ts no-eval
 * import { connect } from "@nats-io/transport-deno";
 * import { serveAsync } from "@packtrail/core";
 *
 * const nc = await connect({ servers: "127.0.0.1:4222", maxReconnectAttempts: -1 });
 * await using worker = await serveAsync(nc, {
 *   kind: "render",
 *   concurrency: 4,
 *   timeout: "10m",
 *   invoker: ({ payload }) => ({ status: "ok", payload: { rendered: payload } }),
 * });
 * await worker.closed;
 * ```
 */
export async function serveAsync(nc: Connection, options: ServeAsyncOptions): Promise<AsyncWorker> {
  checkKnown("options", options, new Set(["kind", ...KIND_OPTIONS, ...SHARED_OPTIONS]));
  const checked = checkOptions(pick(options, SHARED_OPTIONS));
  const name = checkAsyncName("kind", options.kind);
  const kind = checkAsyncKind("options", name, { ...pick(options, KIND_OPTIONS), invoker: options.invoker });
  if (kind.invoker === undefined) throw invalid("options.invoker", "does the work here: give a function");
  const nats = await natsOf(nc, new Names(checked.namespace));
  checkServer(nats);
  const patience = new Patience(nats, checked.logger);
  const invokers = new AsyncInvokers([kind], {
    ...checked,
    nats,
    executions: executionsOf(nats, patience, checked),
    deadLetters: new DeadLetters(nats, checked.logger),
    results: resultCache<Result>({ ...checked, nats, patience }),
  });
  const [worker] = invokers.workers();
  await worker!.provision();
  if (checked.resultTtlMs !== undefined) await provisionResults(nats, checked.resultTtlMs, checked.replicas);
  return started(worker!);
}

function started(worker: JobWorker): AsyncWorker {
  const stopping = new AbortController();
  const closed = worker.run(stopping.signal).then(
    () => undefined,
    (error) => error instanceof Error ? error : new Error(String(error)),
  );
  const stop = async () => {
    stopping.abort();
    await closed;
  };
  return { closed, stop, [Symbol.asyncDispose]: stop };
}

/** What a worker needs of executions: to read them, and the values they refer to. It never writes one. */
function executionsOf(nats: Nats, patience: Patience, settings: CheckedOptions): Executions {
  const writer = `${settings.ownerId}.${randomId()}`;
  return new Executions({
    nats,
    heads: new Heads(nats, writer, {}),
    data: new DataStore(nats, writer.replaceAll(".", "-")),
    mailbox: new Mailbox(nats),
    registry: new FlowRegistry(nats),
    patience,
    settings,
  });
}

function pick<T extends object, K extends keyof T>(object: T, keys: readonly K[]): Pick<T, K> {
  const picked = {} as Pick<T, K>;
  for (const key of keys) if (object[key] !== undefined) picked[key] = object[key];
  return picked;
}

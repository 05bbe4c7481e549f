/**
 * Workers: handlers that answer the tasks of `nats-task` nodes.
 *
 * @module
 */

import { PermissionViolationError } from "@nats-io/nats-core";
import type { Connection } from "../connection.ts";
import { invalid, PermissionError, UnavailableError } from "../errors.ts";
import { checkNamespace, isCapturedTarget } from "../names.ts";
import { checkSubject } from "./subject.ts";
import { type Handler, Serving, type TaskWorker } from "./serving.ts";

/** The queue group that all workers of a subject share, in any language: each request goes to one of them. */
export const QUEUE_GROUP = "packtrail-workers";

/**
 * Answers the tasks that are sent to a subject, which may have wildcards. Resolves when the server knows of it, so a
 * request that is sent from then on is answered.
 *
 * Handlers run concurrently. Use {@linkcode serveNamespaced} for the targets of flows.
 *
 * @throws {ValidationError} Where the subject or the handler is none; before any I/O.
 * @throws {PermissionError} Where the connection's user may not subscribe to the subject.
 * @throws {UnavailableError} Where the connection is closed, or closes meanwhile.
 *
 * @example
 * ```ts no-eval
 * import { connect } from "@nats-io/transport-deno";
 * import { serve } from "./serve.ts";
 *
 * const nc = await connect({ servers: "127.0.0.1:4222", maxReconnectAttempts: -1 });
 * await using worker = await serve(nc, "packtrail.tasks.greet.*", ({ executionId }) => ({
 *   status: "ok",
 *   payload: { greeting: `hello, ${executionId}` },
 * }));
 * await worker.closed;
 * ```
 */
export async function serve(nc: Connection, subject: string, handler: Handler): Promise<TaskWorker> {
  checkSubject(subject);
  checkHandler(handler);
  return await listen(nc, subject, new Serving(nc, handler));
}

/**
 * Answers the tasks whose target matches the subject, in a namespace: {@linkcode serve} on `<namespace>.<subject>`.
 *
 * What the subject's wildcards match of the namespace's own streams is left alone.
 *
 * @throws {ValidationError} Where the namespace, the subject or the handler is none; before any I/O.
 * @throws {PermissionError} Where the connection's user may not subscribe to the subject.
 * @throws {UnavailableError} Where the connection is closed, or closes meanwhile.
 */
export async function serveNamespaced(
  nc: Connection,
  namespace: string,
  subject: string,
  handler: Handler,
): Promise<TaskWorker> {
  const prefix = `${checkNamespace(namespace)}.`;
  if (isCapturedTarget(checkSubject(subject))) {
    throw invalid("subject", `"${subject}" belongs to packtrail's own streams: choose another first token`);
  }
  checkHandler(handler);
  const ignores = (received: string) => isCapturedTarget(received.slice(prefix.length));
  return await listen(nc, prefix + subject, new Serving(nc, handler, ignores));
}

function checkHandler(handler: unknown): void {
  if (typeof handler !== "function") throw invalid("handler", `a handler is a function, not ${typeof handler}`);
}

async function listen(nc: Connection, subject: string, serving: Serving): Promise<TaskWorker> {
  const action = `serving tasks on ${subject}`;
  try {
    serving.start(subject, QUEUE_GROUP);
    await nc.flush(); // the server answers in order: it knows the subscription, or has refused it
  } catch (error) {
    serving.abandon();
    throw new UnavailableError(`${action}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  const { failure } = serving;
  if (failure === undefined) return serving;
  if (failure instanceof PermissionViolationError) {
    throw new PermissionError(`${action}: this connection's user may not subscribe to it: grant it`, {
      cause: failure,
    });
  }
  throw new UnavailableError(`${action}: ${failure.message}`, { cause: failure });
}

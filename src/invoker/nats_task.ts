/**
 * The built-in invoker: a request to the workers that listen on the target's subject, over NATS.
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { isCapturedTarget, type Names } from "../names.ts";
import { decodeTaskResponse, encodeTaskRequest, ProtocolError } from "../protocol/mod.ts";
import { type Outcome, Requests } from "../requests.ts";
import type { Invoker, InvokeRequest, Result } from "./types.ts";

/** Runs tasks by request/reply with the workers that listen on `<namespace>.<target>`. */
export class NatsTaskInvoker implements Invoker {
  /** Workers get the shared payload, and no more. */
  readonly readsContext = false;
  readonly #nc: NatsConnection;
  readonly #names: Names;
  readonly #requests: Requests;

  /** Creates an invoker over a connection that stays the caller's. No I/O before the first task. */
  constructor(nc: NatsConnection, names: Names) {
    this.#nc = nc;
    this.#names = names;
    this.#requests = new Requests(nc);
  }

  /** Asks a worker, and resolves with its answer or with why there is none. */
  async invoke(request: InvokeRequest): Promise<Result> {
    const subject = this.#names.task(request.target);
    if (isCapturedTarget(request.target)) {
      return failed(`target ${request.target} belongs to packtrail's own streams: choose another first token`);
    }
    let data: Uint8Array;
    try {
      data = encodeTaskRequest(request);
    } catch (error) {
      return failed(messageOf(error));
    }
    const limit = this.#nc.info?.max_payload ?? Infinity;
    if (data.length > limit) {
      return failed(`the request to ${subject} is ${data.length} bytes, the NATS server takes ${limit} (max_payload)`);
    }
    const timeoutMs = request.deadline.getTime() - Date.now();
    if (timeoutMs <= 0) {
      return again(`the deadline passed before the request to ${subject} was sent`);
    }
    const limits = {
      timeoutMs,
      // Made only when it is looked at, which few requests take long enough for.
      get signal() {
        return request.signal;
      },
    };
    return toResult(await this.#requests.send(subject, data, limits), subject);
  }

  /** Ends the requests under way, which then count as `retry`, and gives up what it holds of the connection. */
  close(): void {
    this.#requests.close();
  }
}

function toResult(outcome: Outcome, subject: string): Result {
  switch (outcome.kind) {
    case "reply":
      return readReply(outcome.data, subject);
    case "no-responders":
      return again(`no worker listens on ${subject}: start one, or check its namespace and subject`);
    case "timeout":
      return again(`no reply from a worker on ${subject} before the deadline`);
    case "aborted":
      return again(`the request to ${subject} was aborted: ${messageOf(outcome.reason)}`);
    case "closed":
      return again(`the connection was closed before a worker on ${subject} replied`);
    case "denied":
      return failed(
        `this connection's user may not ${verb(outcome.error.operation)} ${outcome.error.subject}: grant it`,
      );
    case "unsent": {
      const give = outcome.error.name === "InvalidSubjectError" ? failed : again;
      return give(`the request to ${subject} could not be sent: ${messageOf(outcome.error)}`);
    }
    default:
      return outcome satisfies never;
  }
}

function readReply(data: Uint8Array, subject: string): Result {
  try {
    return decodeTaskResponse(data);
  } catch (error) {
    if (error instanceof ProtocolError) return failed(`a worker on ${subject} replied badly: ${error.message}`);
    throw error;
  }
}

function verb(operation: string): string {
  return operation === "publish" ? "publish to" : "subscribe to";
}

function failed(error: string): Result {
  return { status: "error", error };
}

function again(error: string): Result {
  return { status: "retry", error };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

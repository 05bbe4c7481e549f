/**
 * An invoker that posts tasks to HTTP services.
 *
 * @module
 */

import { invalid } from "../errors.ts";
import { quoted } from "../names.ts";
import { encodeTaskRequest } from "../protocol/mod.ts";
import { type Endpoint, endpointOf } from "./http_endpoint.ts";
import { post, readAtMost } from "./http_post.ts";
import type { Invoker, InvokeRequest, Result } from "./types.ts";

/** How an HTTP invoker behaves. */
export interface HttpInvokerOptions {
  /**
   * Where the services live: `http://` or `https://`. Targets are paths below it, and no target leads out of it.
   *
   * @default {none: targets are whole URLs}
   */
  baseUrl?: string | URL;
  /** Headers of every request, such as `authorization`. `content-type`, `accept` and `idempotency-key` are set anyway. */
  headers?: Readonly<Record<string, string>>;
  /**
   * Whether `202 Accepted` means `pending`: the service calls back, and `completeActivity` settles the node.
   *
   * @default {false: it means `ok`}
   */
  acceptedIsPending?: boolean;
  /**
   * The largest response that is read, in bytes.
   *
   * @default {524288}
   */
  maxResponseBytes?: number;
  /**
   * What becomes of redirects: refused, or followed where the status is 307 or 308 and the origin the same. Others
   * would turn the POST into a GET, or hand the headers to someone else.
   *
   * @default {"refuse"}
   */
  redirect?: "refuse" | "same-origin";
}

interface Settings {
  readonly base: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly acceptedIsPending: boolean;
  readonly maxResponseBytes: number;
  readonly followRedirects: boolean;
}

const DEFAULT_MAX_RESPONSE_BYTES = 512 * 1024;
const QUOTED_BYTES = 200;
const RETRYABLE = new Set([408, 425, 429]);

/**
 * Creates an invoker that posts each task as JSON, the request of the `nats-task` contract, to its target.
 *
 * The response decides: 2xx is `ok` with the JSON of the body as payload (an empty body is none), 408, 425, 429, 5xx and
 * network errors are `retry`, any other status is `error`. The request has the attempt's deadline, is aborted with it,
 * and carries the idempotency key in the header `idempotency-key`.
 *
 * @throws {ValidationError} Where an option is not legal.
 *
 * @example
 * ```ts
 * import { httpInvoker } from "./http.ts";
 *
 * const invoker = httpInvoker({ baseUrl: "https://payments.example/api", headers: { authorization: "Bearer …" } });
 * const invokers = { http: invoker }; // a node with `invoker: http` and `target: /charges` posts to …/api/charges
 * ```
 */
export function httpInvoker(options: HttpInvokerOptions = {}): Invoker {
  const settings = readSettings(options);
  return { invoke: (request) => invoke(settings, request), readsContext: false };
}

async function invoke(settings: Settings, request: InvokeRequest): Promise<Result> {
  const endpoint = endpointOf(request.target, settings.base);
  if ("problem" in endpoint) return { status: "error", error: endpoint.problem };
  const headers = {
    ...settings.headers,
    "accept": "application/json",
    "content-type": "application/json",
    "idempotency-key": request.idempotencyKey,
  };
  return await post({
    endpoint,
    headers,
    body: encodeTaskRequest(request),
    limits: request,
    followRedirects: settings.followRedirects,
    read: (response) => toResult(settings, endpoint, response),
  });
}

async function toResult(settings: Settings, endpoint: Endpoint, response: Response): Promise<Result> {
  const { status } = response;
  if (!response.ok) return await toFailure(endpoint, response);
  if (status === 202 && settings.acceptedIsPending) {
    await response.body?.cancel();
    return { status: "pending" };
  }
  const { text, whole } = await readAtMost(response, settings.maxResponseBytes);
  if (!whole) {
    return { status: "error", error: `${endpoint.name} answered more than ${settings.maxResponseBytes} bytes` };
  }
  if (text.trim() === "") return { status: "ok" };
  try {
    return { status: "ok", payload: JSON.parse(text) };
  } catch {
    return { status: "error", error: `${endpoint.name} answered ${status}, but not JSON: ${quoted(text)}` };
  }
}

async function toFailure(endpoint: Endpoint, response: Response): Promise<Result> {
  const { status } = response;
  const { text } = await readAtMost(response, QUOTED_BYTES);
  const detail = text.trim() === "" ? "" : `: ${quoted(text.trim())}`;
  const redirect = status >= 300 && status < 400 ? ", a redirect that is not followed" : "";
  const retry = RETRYABLE.has(status) || status >= 500;
  return { status: retry ? "retry" : "error", error: `${endpoint.name} answered ${status}${redirect}${detail}` };
}

function readSettings(options: HttpInvokerOptions): Settings {
  const {
    baseUrl,
    headers = {},
    acceptedIsPending = false,
    maxResponseBytes = DEFAULT_MAX_RESPONSE_BYTES,
    redirect = "refuse",
  } = options;
  if (typeof acceptedIsPending !== "boolean") {
    throw invalid("acceptedIsPending", `${quoted(acceptedIsPending)} is not true or false`);
  }
  if (!Number.isSafeInteger(maxResponseBytes) || maxResponseBytes <= 0) {
    throw invalid("maxResponseBytes", `${quoted(maxResponseBytes)} is not a whole number of bytes from 1`);
  }
  if (redirect !== "refuse" && redirect !== "same-origin") {
    throw invalid("redirect", `${quoted(redirect)} is not "refuse" or "same-origin"`);
  }
  return {
    base: baseUrl === undefined ? undefined : readBase(baseUrl),
    headers: readHeaders(headers),
    acceptedIsPending,
    maxResponseBytes,
    followRedirects: redirect === "same-origin",
  };
}

function readBase(value: string | URL): URL {
  const endpoint = endpointOf(String(value), undefined);
  if ("problem" in endpoint) throw invalid("baseUrl", endpoint.problem);
  const { url } = endpoint;
  if (url.search !== "" || url.hash !== "") throw invalid("baseUrl", `${endpoint.name} must have no query or fragment`);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function readHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(new Headers(headers));
  } catch (error) {
    throw invalid("headers", error instanceof Error ? error.message : String(error));
  }
}

/**
 * One POST with a deadline, and the reading of bounded responses.
 *
 * @module
 */

import type { Endpoint } from "./http_endpoint.ts";
import type { Result } from "./types.ts";

/** A POST, and what to make of the response. */
export interface Post {
  /** Where to. */
  readonly endpoint: Endpoint;
  /** The headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: Uint8Array;
  /** When it runs out of time, and what aborts it. */
  readonly limits: { readonly deadline: Date; readonly signal: AbortSignal };
  /** Whether redirects of status 307 and 308 within the origin are followed. */
  readonly followRedirects: boolean;
  /** Makes a result of the response; still within the limits. */
  read(response: Response): Promise<Result>;
}

const MAX_REDIRECTS = 5;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Posts, and resolves with what `read` makes of the response, or with why there is none. */
export async function post(task: Post): Promise<Result> {
  const { endpoint, limits: { deadline, signal } } = task;
  const controller = new AbortController();
  const left = deadline.getTime() - Date.now();
  if (left <= 0) return { status: "retry", error: `the deadline passed before ${endpoint.name} was called` };
  const abort = () => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(), Math.min(left, LONGEST_TIMER_MS));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await task.read(await send(task, controller.signal));
  } catch (error) {
    if (signal.aborted) {
      return { status: "retry", error: `the call of ${endpoint.name} was aborted: ${reasonOf(signal)}` };
    }
    if (controller.signal.aborted) {
      return { status: "retry", error: `no response from ${endpoint.name} before the deadline` };
    }
    return {
      status: isRefusedByRuntime(error) ? "error" : "retry",
      error: `${endpoint.name}: ${causesOf(error, endpoint)}`,
    };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

async function send({ endpoint, headers, body, followRedirects }: Post, signal: AbortSignal): Promise<Response> {
  let { url } = endpoint;
  for (let redirects = 0;; redirects++) {
    const init = {
      method: "POST",
      headers,
      body: body as Uint8Array<ArrayBuffer>,
      redirect: "manual",
      signal,
    } as const;
    const response = await fetch(url, init);
    const next = followRedirects && redirects < MAX_REDIRECTS ? nextUrl(url, response) : undefined;
    if (next === undefined) return response;
    await response.body?.cancel();
    url = next;
  }
}

function nextUrl(url: URL, response: Response): URL | undefined {
  if (response.status !== 307 && response.status !== 308) return undefined;
  const next = URL.parse(response.headers.get("location") ?? "", url);
  return next !== null && next.origin === url.origin ? next : undefined;
}

/** The text of a response up to a number of bytes, and whether that is all of it. The rest is not read. */
export async function readAtMost(response: Response, limit: number): Promise<{ text: string; whole: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const room = limit - size;
    size += chunk.length;
    text += decoder.decode(chunk.subarray(0, room), { stream: true });
    if (size > limit) return { text, whole: false }; // leaving the loop cancels the body
  }
  return { text: text + decoder.decode(), whole: true };
}

/** Whether the runtime does not let the program call the host: trying again would not help. */
function isRefusedByRuntime(error: unknown): boolean {
  return error instanceof Error && (error.name === "NotCapable" || error.name === "PermissionDenied");
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}

/** The messages of an error and its causes, without the query of the URL, which may hold secrets. */
function causesOf(error: unknown, { url, name }: Endpoint): string {
  const messages = new Set<string>();
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.add(cause.message);
  const text = [...messages].join(": ") || String(error);
  return url.search === "" ? text : text.replaceAll(url.href, name).replaceAll(url.search, "");
}

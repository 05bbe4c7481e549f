/**
 * A handler of requests on an address, by `node:http`: the same on every runtime.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** A handler that is being served. */
export interface Listening {
  /** The port. */
  readonly port: number;
  /**
   * Takes no more connections; resolves when those there are have been answered. Whoever has not taken an answer after
   * two seconds, or has not said what it asks, is cut off.
   */
  stop(): Promise<void>;
}

/** How long a stopping server waits for its clients, in milliseconds. */
const GRACE_MS = 2_000;

/** Where to listen. */
export interface ListenAddress {
  /** A name or an IP address. */
  hostname: string;
  /** The port; 0 is a free one. */
  port: number;
}

type Handler = (request: Request) => Promise<Response>;

/** Serves a handler. @throws {Error} Where the address cannot be listened on, with what the system says. */
export async function listen(handler: Handler, { hostname, port }: ListenAddress): Promise<Listening> {
  let isStopping = false;
  const server = createServer((incoming, outgoing) => {
    outgoing.once("close", () => {
      if (isStopping) server.closeIdleConnections();
    });
    respond(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: hostname, port }, () => resolve());
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      isStopping = true;
      // A client that reads nothing more, or has sent half a request, would hold it up for ever.
      const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      server.closeIdleConnections();
    });
  return { port: (server.address() as AddressInfo).port, stop };
}

async function respond(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const request = requestOf(incoming, gone.signal);
  await send(request === undefined ? new Response("bad request", { status: 400 }) : await handler(request), outgoing);
}

/** The request; `undefined` where its target or its host is none. */
function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = "GET", url = "" } = incoming;
  const target = `http://${incoming.headers.host ?? "localhost"}${url}`;
  if (!url.startsWith("/") || !URL.canParse(target)) return undefined;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  if (method === "GET" || method === "HEAD") return new Request(target, { method, headers, signal });
  const body = Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
  // `duplex` is what Node asks for where the body is a stream.
  return new Request(target, { method, headers, body, signal, duplex: "half" } as RequestInit);
}

/** Sends an answer. Resolves when it is sent, or when the client is gone: its body is cancelled then. */
export async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  // Whoever left while the answer was being made has closed already: that event does not come again.
  if (isGone(outgoing)) return await response.body?.cancel();
  const headers: Record<string, string | string[]> = Object.fromEntries(response.headers);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  outgoing.writeHead(response.status, headers);
  if (response.body === null) {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  const reader = response.body.getReader();
  // Cancelled as soon as the client goes away: the live stream learns it from this alone.
  outgoing.once("close", () => void reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  if (isGone(outgoing)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.once("drain", done).once("close", done);
  });
}

function isGone({ destroyed, closed }: ServerResponse): boolean {
  return destroyed || closed;
}

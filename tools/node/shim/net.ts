/** The network of `Deno`, over `node:net` and the package's own HTTP server. @module */

import { Buffer } from "node:buffer";
import { connect, createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { listen as serveHandler } from "../../../src/ui/listen.ts";

class ConnectionRefused extends Error {}
class ConnectionReset extends Error {}
class ConnectionAborted extends Error {}
class BadResource extends Error {}

/** The error classes of `Deno` that the tests name. */
export const errors = { BadResource, ConnectionAborted, ConnectionRefused, ConnectionReset };

/** A connection. */
class Conn {
  readonly #socket: Socket;
  readonly readable: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #rest = new Uint8Array();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    this.readable = Readable.toWeb(socket) as ReadableStream<Uint8Array>;
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.#reader ??= this.readable.getReader();
    while (this.#rest.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#rest = new Uint8Array(value);
    }
    const part = this.#rest.subarray(0, into.length);
    into.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(Buffer.from(bytes), (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

interface Place {
  hostname: string;
  port: number;
}

/** A port for those who want any: here it has to be known before anything listens. */
function chosen(port: number): number {
  return port === 0 ? 32_000 + Math.floor(Math.random() * 700) : port;
}

class Listener {
  readonly addr: Place;
  readonly #server = createServer((socket) => this.#arrive(new Conn(socket)));
  readonly #waiting: ((conn: Conn | undefined) => void)[] = [];
  readonly #arrived: Conn[] = [];
  #isClosed = false;

  constructor({ hostname, port }: Place) {
    this.addr = { hostname, port: chosen(port) };
    this.#server.listen(this.addr.port, hostname);
  }

  #arrive(conn: Conn): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#arrived.push(conn);
    else next(conn);
  }

  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const wait of this.#waiting) wait(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Conn> {
    while (!this.#isClosed) {
      const conn = this.#arrived.shift() ?? await new Promise<Conn | undefined>((done) => this.#waiting.push(done));
      if (conn !== undefined) yield conn;
    }
  }
}

/** What the tests use of `Deno` to work with the network. */
export const net = {
  connect: ({ hostname, port }: Place): Promise<Conn> => {
    const socket = connect(port, hostname);
    return new Promise((resolve, reject) => {
      socket.once("connect", () => resolve(new Conn(socket)));
      socket.once("error", ({ code, message }: NodeJS.ErrnoException) => {
        const Kind = code === "ECONNREFUSED" ? ConnectionRefused : code === "ECONNRESET" ? ConnectionReset : Error;
        reject(new Kind(message));
      });
    });
  },
  listen: (place: Place): Listener => new Listener(place),
  serve: (place: Place, handler: (request: Request) => Response | Promise<Response>) => {
    const addr = { hostname: place.hostname, port: chosen(place.port) };
    const server = serveHandler(async (request) => await handler(request), addr);
    return { addr, shutdown: async (): Promise<void> => await (await server).stop() };
  },
};

/**
 * A TCP proxy on the loopback interface: what passes through it can be held back, cut off, and told apart by frames of
 * the NATS protocol.
 *
 * @module
 */

import { type Frame, FrameSplitter } from "./nats_frames.ts";

/** What is to become of a frame: let through, lost, sent twice, or late by some milliseconds. */
export type Fate = "pass" | "drop" | "twice" | { readonly lateMs: number };

/** Decides on frames. */
export type Judge = (frame: Frame) => Fate;

/** How a proxy judges frames; what has no judge passes as bytes. */
export interface Judges {
  /** Of what comes from the server. */
  readonly down?: Judge;
  /** Of what comes from the client. */
  readonly up?: Judge;
}

/**
 * How the proxy is.
 *
 * - `open`: bytes pass.
 * - `stalled`: connections stay, and no byte passes; what was sent meanwhile passes later. A network that is away.
 * - `cut`: connections are closed, and new ones at once.
 */
export type Way = "open" | "stalled" | "cut";

const HOST = "127.0.0.1";

/** A proxy in front of one port. */
export class Proxy implements AsyncDisposable {
  /** The port it listens on. */
  readonly port: number;
  readonly #listener: Deno.Listener;
  readonly #target: number;
  readonly #judges: Judges;
  readonly #links = new Set<Link>();
  readonly #accepting: Promise<void>;
  #way: Way = "open";
  #gate = Promise.withResolvers<void>();
  #isOver = false;

  /** Listens on a free port, and connects to the target as soon as somebody comes. */
  constructor(target: number, judges: Judges = {}) {
    this.#target = target;
    this.#judges = judges;
    this.#listener = Deno.listen({ hostname: HOST, port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#gate.resolve();
    this.#accepting = this.#accept();
  }

  /** The address for NATS clients. */
  get url(): string {
    return `nats://${HOST}:${this.port}`;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#links.size;
  }

  /** How it is now. */
  get way(): Way {
    return this.#way;
  }

  /** Changes how it is. */
  turn(way: Way): void {
    const wasStalled = this.#way === "stalled";
    this.#way = way;
    if (way === "cut") this.drop();
    if (way === "stalled") {
      if (!wasStalled) this.#gate = Promise.withResolvers<void>();
    } else this.#gate.resolve();
  }

  /** Closes the connections there are; new ones are as the proxy is. */
  drop(): void {
    for (const link of this.#links) link.close();
  }

  /** Closes all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.turn("cut");
    this.#listener.close();
    await this.#accepting;
    await Promise.all([...this.#links].map(({ done }) => done));
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      if (this.#way === "cut" || this.#isOver) {
        client.close();
        continue;
      }
      const link = new Link(client, this.#target, this.#judges, () => this.#gate.promise);
      this.#links.add(link);
      void link.done.then(() => this.#links.delete(link));
    }
  }
}

/** One connection through the proxy. */
class Link {
  /** Resolves when it is over. */
  readonly done: Promise<void>;
  readonly #client: Deno.Conn;
  readonly #gate: () => Promise<void>;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #closing = Promise.withResolvers<void>();
  #server: Deno.Conn | undefined;
  #isClosed = false;

  constructor(client: Deno.Conn, target: number, judges: Judges, gate: () => Promise<void>) {
    this.#client = client;
    this.#gate = gate;
    this.done = this.#run(target, judges).catch(() => {}).finally(() => this.close());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    closeQuietly(this.#client);
    if (this.#server !== undefined) closeQuietly(this.#server);
    this.#closing.resolve();
  }

  async #run(target: number, { up, down }: Judges): Promise<void> {
    await this.#mayPass();
    const server = await Deno.connect({ hostname: HOST, port: target });
    if (this.#isClosed) return closeQuietly(server);
    this.#server = server;
    await Promise.race([this.#pump(this.#client, server, up), this.#pump(server, this.#client, down)]);
  }

  /** Waits while the proxy is stalled, unless the connection is closed. */
  async #mayPass(): Promise<void> {
    await Promise.race([this.#gate(), this.#closing.promise]);
    if (this.#isClosed) throw new Deno.errors.ConnectionAborted();
  }

  async #pump(from: Deno.Conn, to: Deno.Conn, judge: Judge | undefined): Promise<void> {
    const splitter = new FrameSplitter();
    const outlet = new Outlet(to, () => this.#mayPass());
    const buffer = new Uint8Array(65_536);
    for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
      const bytes = buffer.slice(0, read);
      if (judge === undefined) await outlet.write(bytes);
      else for (const frame of splitter.take(bytes)) this.#send(outlet, frame.bytes, judge(frame));
      await outlet.drained;
    }
  }

  #send(outlet: Outlet, bytes: Uint8Array, fate: Fate): void {
    if (fate === "drop") return;
    if (fate === "pass" || fate === "twice") {
      outlet.send(bytes);
      if (fate === "twice") outlet.send(bytes);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      outlet.send(bytes);
    }, fate.lateMs);
    this.#timers.add(timer);
  }
}

/** Writes to a connection, one after the other. */
class Outlet {
  readonly #conn: Deno.Conn;
  readonly #mayPass: () => Promise<void>;
  /** Resolves when all is written. */
  drained: Promise<void> = Promise.resolve();

  constructor(conn: Deno.Conn, mayPass: () => Promise<void>) {
    this.#conn = conn;
    this.#mayPass = mayPass;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.send(bytes);
    return this.drained;
  }

  send(bytes: Uint8Array): void {
    this.drained = this.drained.then(() => this.#write(bytes));
    this.drained.catch(() => {}); // whoever waits for it is told
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#mayPass();
    for (let written = 0; written < bytes.length;) written += await this.#conn.write(bytes.subarray(written));
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // it is closed
  }
}

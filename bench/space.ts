/** A namespace to measure in: a packtrail instance, and an observer that sees executions end. @module */

import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import { createServer, type JsonObject, type Logger, type Server, type ServerOptions } from "../mod.ts";
import { PAYLOAD } from "./flows.ts";

/** Starts that are under way at once. */
export const STARTS_IN_FLIGHT = 64;

const quiet = () => {};

/** Says only what should not happen. */
export const logger: Logger = {
  debug: quiet,
  info: quiet,
  warn: (message, fields) => console.error(`warning: ${message}`, fields ?? ""),
  error: (message, fields) => console.error(`error: ${message}`, fields ?? ""),
};

/** A namespace of its own on a NATS server. */
export class Space implements AsyncDisposable {
  /** The name. */
  readonly namespace: string;
  /** The instance: engine, where it runs, and client. */
  readonly server: Server;
  readonly #observer: NatsConnection;
  readonly #nc: NatsConnection;
  #completed = 0;
  #awaited: { count: number; resolve: () => void } | undefined;
  #engine: { stop: AbortController; done: Promise<void> } | undefined;

  private constructor(server: Server, nc: NatsConnection, observer: NatsConnection) {
    this.namespace = server.namespace;
    this.server = server;
    this.#nc = nc;
    this.#observer = observer;
  }

  /** Sets a namespace up. */
  static async create(url: string, options: ServerOptions): Promise<Space> {
    const nc = await connect({ servers: url });
    const namespace = `bench-${crypto.randomUUID().slice(0, 8)}`;
    const server = await createServer(nc, { namespace, logger, ...options });
    await server.init();
    const space = new Space(server, nc, await connect({ servers: url }));
    space.#observe();
    await space.#observer.flush();
    return space;
  }

  /** How many executions have completed. */
  get completed(): number {
    return this.#completed;
  }

  /** Runs the engine in this process, until it is stopped. */
  run(): void {
    const stop = new AbortController();
    const done = this.server.run({ signal: stop.signal });
    done.catch((error) => console.error("error: the engine ended", error));
    this.#engine = { stop, done };
  }

  /** Stops the engine, when it has swept behind it. */
  async stop(): Promise<void> {
    this.#engine?.stop.abort();
    await this.#engine?.done;
    this.#engine = undefined;
  }

  /** Starts executions, 64 at once. Returns their ids. */
  async start(flow: string, count: number, payload: (index: number) => JsonObject = () => PAYLOAD): Promise<string[]> {
    const ids: string[] = [];
    let next = 0;
    await Promise.all(Array.from({ length: Math.min(STARTS_IN_FLIGHT, count) }, async () => {
      while (next < count) ids.push(await this.server.start(flow, payload(next++)));
    }));
    return ids;
  }

  /** Resolves when so many more executions have completed. */
  complete(count: number): Promise<void> {
    return new Promise((resolve) => this.#awaited = { count: this.#completed + count, resolve });
  }

  /** Starts executions and waits until all have completed. Returns how long that took, in seconds. */
  async drive(flow: string, count: number): Promise<number> {
    const began = performance.now();
    await Promise.all([this.complete(count), this.start(flow, count)]);
    return (performance.now() - began) / 1_000;
  }

  /** How many messages all streams of the namespace have stored so far, those that are gone included. */
  async storedMessages(): Promise<number> {
    let stored = 0;
    for await (const { state } of (await jetstreamManager(this.#observer)).streams.list(`${this.namespace}.>`)) {
      stored += state.last_seq;
    }
    return stored;
  }

  /** Stops the engine, and removes the namespace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.server.close();
    const jsm = await jetstreamManager(this.#observer);
    for await (const name of jsm.streams.names()) {
      if (name.startsWith(`${this.namespace}-`) || name.startsWith(`KV_${this.namespace}-`)) {
        await jsm.streams.delete(name);
      }
    }
    await this.#nc.close();
    await this.#observer.close();
  }

  #observe(): void {
    this.#observer.subscribe(`${this.namespace}.events.completed.>`, {
      callback: () => {
        this.#completed++;
        if (this.#awaited !== undefined && this.#completed >= this.#awaited.count) this.#awaited.resolve();
      },
    });
  }
}

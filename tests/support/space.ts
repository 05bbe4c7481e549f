/** A namespace for each test, on the NATS server that the tests share. @module */

import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import { createServer, type Logger, type Server, type ServerOptions } from "../../mod.ts";
import { Names } from "../../src/names.ts";
import { startNatsServer } from "../../tools/nats.ts";
import { within } from "./until.ts";

/** A line that a server logged. */
export interface LogLine {
  /** How serious. */
  level: "debug" | "info" | "warn" | "error";
  /** What happened. */
  message: string;
  /** To what. */
  fields: Record<string, unknown>;
}

/** An engine that runs in this process. */
export interface RunningEngine {
  /** The server it belongs to. */
  readonly server: Server;
  /** Stops it, and waits until it has drained. May be called again. */
  stop(): Promise<void>;
  /** How `run` ended. */
  readonly done: Promise<void>;
}

/** How a space is made. */
export interface SpaceOptions {
  /** The NATS server; the one that all tests share where absent. */
  url?: string;
  /** The namespace; one that nobody else has where absent. */
  namespace?: string;
}

/** What a test works with: a namespace of its own, a connection, and servers that end with the test. */
export class Space {
  /** The NATS server. */
  readonly url: string;
  /** The test's namespace. */
  readonly namespace: string;
  /** The namespace's NATS names. */
  readonly names: Names;
  /** The test's connection. */
  readonly nc: NatsConnection;
  /** What every server of this space has logged. */
  readonly log: LogLine[] = [];
  readonly #connections: NatsConnection[] = [];
  readonly #servers: Server[] = [];
  readonly #engines: RunningEngine[] = [];

  /** @ignore Use {@linkcode inSpace}. */
  constructor(url: string, nc: NatsConnection, namespace: string) {
    this.url = url;
    this.nc = nc;
    this.namespace = namespace;
    this.names = new Names(namespace);
  }

  /** Another connection, closed with the space. */
  async connect(): Promise<NatsConnection> {
    const nc = await connectTo(this.url);
    this.#connections.push(nc);
    return nc;
  }

  /** A server in the namespace that logs to {@linkcode Space.log}; closed with the space. */
  async server(options: ServerOptions = {}, nc: NatsConnection = this.nc): Promise<Server> {
    const server = await createServer(nc, { namespace: this.namespace, logger: this.logger(), ...options });
    this.#servers.push(server);
    return server;
  }

  /** A server whose engine runs; stopped with the space. */
  async engine(options: ServerOptions = {}, nc: NatsConnection = this.nc): Promise<RunningEngine> {
    return this.run(await this.server(options, nc));
  }

  /** Runs a server's engine until the space ends, or it is stopped. */
  run(server: Server): RunningEngine {
    const stopping = new AbortController();
    const done = server.run({ signal: stopping.signal });
    done.catch(() => {}); // whoever stops it is told
    const stop = () => {
      stopping.abort();
      return within(done, "an engine to stop");
    };
    const engine = { server, stop, done };
    this.#engines.push(engine);
    return engine;
  }

  /** A logger that collects lines. */
  logger(): Logger {
    const line = (level: LogLine["level"]) => (message: string, fields: Record<string, unknown> = {}) => {
      this.log.push({ level, message, fields });
    };
    return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  }

  /** Ends everything that was made, and removes the namespace from the NATS server. */
  async end(): Promise<void> {
    const results = await Promise.allSettled(this.#engines.map((engine) => engine.stop()));
    for (const server of this.#servers) await server.close();
    for (const nc of this.#connections) await nc.close();
    if (!this.nc.isClosed()) await removeNamespace(this.nc, this.namespace).catch(() => {});
    await this.nc.close();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }
}

/** Runs a step in a space of its own. */
export async function inSpace(step: (space: Space) => Promise<void>, options: SpaceOptions = {}): Promise<void> {
  const shared = options.url ?? Deno.env.get("NATS_URL");
  await using own = shared ? undefined : await startNatsServer();
  const url = shared ?? own!.url;
  const space = new Space(url, await connectTo(url), options.namespace ?? newNamespace());
  try {
    await step(space);
  } catch (error) {
    await space.end().catch(() => {}); // what failed first is what matters
    throw error;
  }
  await space.end();
}

/** A namespace that nobody else has. */
export function newNamespace(): string {
  return `t-${crypto.randomUUID()}`;
}

/** A connection that comes back as soon as its server does. */
export async function connectTo(url: string, options: { user?: string; pass?: string } = {}): Promise<NatsConnection> {
  return await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100, ...options });
}

/** The names of a namespace's streams, buckets included, sorted. */
export async function streamsOf(nc: NatsConnection, namespace: string): Promise<string[]> {
  const jsm = await jetstreamManager(nc);
  const names: string[] = [];
  for await (const name of jsm.streams.names()) {
    if (name.startsWith(`${namespace}-`) || name.startsWith(`KV_${namespace}-`)) names.push(name);
  }
  return names.sort();
}

async function removeNamespace(nc: NatsConnection, namespace: string): Promise<void> {
  const jsm = await jetstreamManager(nc);
  for (const name of await streamsOf(nc, namespace)) await jsm.streams.delete(name);
}

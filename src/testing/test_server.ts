/**
 * Real servers for tests: a NATS server that is thrown away, and packtrail servers on it.
 *
 * @module
 */

import { connect } from "@nats-io/transport-node";
import type { Execution } from "../server/execution.ts";
import type { ServerOptions } from "../server/options.ts";
import { createServer, type Server } from "../server.ts";
import type { Connection } from "../nats/client.ts";
import { NotFoundError } from "../errors.ts";
import { startNatsServer } from "../nats_server/mod.ts";

/** How {@linkcode withTestServer} starts NATS. */
export interface TestServerOptions {
  /** A NATS server to use instead of one that is started. */
  url?: string;
  /** Text added to the NATS server's configuration. */
  config?: string;
  /**
   * The namespace.
   *
   * @default {one that nobody else has}
   */
  namespace?: string;
}

/** What a test on a real server works with. */
export interface TestServer {
  /** Where NATS is. */
  readonly url: string;
  /** A connection; closed with the test. */
  readonly nc: Connection;
  /** The test's namespace. */
  readonly namespace: string;
  /** A server in the namespace; closed with the test. It logs nothing. */
  server(options?: ServerOptions): Promise<Server>;
  /** A server whose engine runs; stopped with the test. */
  engine(options?: ServerOptions): Promise<Server>;
  /** Waits until an execution has ended. */
  ended(id: string): Promise<Execution>;
}

/**
 * Runs a test on a NATS server of its own, and ends everything after it.
 *
 * Needs `--allow-net=127.0.0.1`, a nats-server (found by `NATS_SERVER_BIN` and the PATH, or fetched), and the permissions
 * to run it with files in a temporary folder, and to read `TMPDIR`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { withTestServer } from "@packtrail/core/testing";
 *
 * Deno.test("the payload comes back", async () => {
 *   await withTestServer(async ({ engine, ended }) => {
 *     const server = await engine({
 *       flows: [{ name: "greeting", nodes: [{ id: "greet", type: "task", invoker: "echo" }] }],
 *       invokers: { echo: ({ payload }) => ({ status: "ok", payload }) },
 *     });
 *     const { status, payload } = await ended(await server.start("greeting", { name: "Ada" }));
 *     assertEquals([status, payload], ["completed", { name: "Ada" }]);
 *   });
 * });
 * ```
 */
export async function withTestServer<T>(
  test: (server: TestServer) => Promise<T>,
  options: TestServerOptions = {},
): Promise<T> {
  const { url, config, namespace = `test-${crypto.randomUUID()}` } = options;
  // Node 20 cannot read `await using`.
  const nats = url === undefined ? await startNatsServer(config === undefined ? {} : { config }) : undefined;
  try {
    return await onServer(url ?? nats!.url, namespace, test);
  } finally {
    await nats?.stop();
  }
}

async function onServer<T>(url: string, namespace: string, test: (server: TestServer) => Promise<T>): Promise<T> {
  const nc = await connect({ servers: url });
  const ground = new Ground(url, nc, namespace);
  try {
    return await test(ground);
  } finally {
    await ground.end().finally(() => nc.close());
  }
}

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

class Ground implements TestServer {
  readonly url: string;
  readonly nc: Connection;
  readonly namespace: string;
  readonly #servers: Server[] = [];
  readonly #engines: Promise<void>[] = [];

  constructor(url: string, nc: Connection, namespace: string) {
    this.url = url;
    this.nc = nc;
    this.namespace = namespace;
  }

  readonly server = async (options: ServerOptions = {}): Promise<Server> => {
    const server = await createServer(this.nc, { namespace: this.namespace, logger: QUIET, ...options });
    this.#servers.push(server);
    return server;
  };

  readonly engine = async (options: ServerOptions = {}): Promise<Server> => {
    const server = await this.server(options);
    await server.init();
    const running = server.run();
    running.catch(() => {}); // it is told at the end
    this.#engines.push(running);
    return server;
  };

  readonly ended = async (id: string): Promise<Execution> => {
    const server = await this.server();
    const stop = new AbortController();
    try {
      const events = server.watchEvents({ signal: stop.signal });
      await this.nc.flush(); // the server knows that we listen
      const found = await endedAlready(server, id);
      if (found !== undefined) return found;
      for await (const { executionId, status } of events) {
        if (executionId === id && status !== "running" && status !== "waiting") break;
      }
      return await server.get(id);
    } finally {
      stop.abort();
    }
  };

  async end(): Promise<void> {
    for (const server of this.#servers) await server.close();
    await Promise.all(this.#engines);
  }
}

/** The execution, where it has ended; `undefined` while it lives, or has not begun. */
async function endedAlready(server: Server, id: string): Promise<Execution | undefined> {
  try {
    const execution = await server.get(id);
    return execution.status === "running" || execution.status === "waiting" ? undefined : execution;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

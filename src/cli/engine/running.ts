/**
 * An engine that runs in this process.
 *
 * @module
 */

import { type Connection, createServer, type Server, type ServerOptions } from "../../../mod.ts";
import type { Extension } from "./extension.ts";

/** An engine at work. */
export interface RunningEngine {
  /** The server. */
  readonly server: Server;
  /** Resolves when it has ended; rejects where it broke. */
  readonly ended: Promise<void>;
}

/** Starts an engine with its handlers. It takes work when this resolves. */
export async function startEngine(
  nc: Connection,
  options: ServerOptions,
  { invokers, asyncInvokers, handlers }: Extension,
): Promise<RunningEngine> {
  const server = await createServer(nc, { ...options, invokers, asyncInvokers });
  try {
    await server.init();
    for (const [subject, handler] of Object.entries(handlers)) await server.handle(subject, handler);
    return { server, ended: server.run() };
  } catch (error) {
    await server.close();
    throw error;
  }
}

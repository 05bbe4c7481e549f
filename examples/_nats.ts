/**
 * NATS for the examples: the server that `NATS_URL` names, or else one that is started for the example and ended with
 * it. A service of yours has a NATS server already, and only calls `connect`.
 *
 * @module
 */

import type { Connection, Logger } from "@packtrail/core";
import { connect } from "@nats-io/transport-deno";
import { startNatsServer } from "../tools/nats.ts";

/** A connection, and the server behind it where it was started here. */
export interface Nats extends AsyncDisposable {
  /** The connection. */
  readonly connection: Connection;
}

/** The prefix of every stream and subject: `PACKTRAIL_NAMESPACE`, or packtrail's default. */
export const namespace: string = Deno.env.get("PACKTRAIL_NAMESPACE") || "packtrail";

/** Connects to NATS. What it gives closes the connection, and ends the server where there is one of its own. */
export async function openNats(): Promise<Nats> {
  const given = Deno.env.get("NATS_URL");
  if (!given) console.log("NATS       starting a server for this example (set NATS_URL to use yours) ...");
  const server = given ? undefined : await startNatsServer();
  const url = given || server!.url;
  try {
    const connection = await connect({ servers: url, maxReconnectAttempts: -1 });
    console.log(`NATS       ${url}, version ${connection.info?.version}`);
    return {
      connection,
      async [Symbol.asyncDispose]() {
        await connection.close();
        await server?.stop();
      },
    };
  } catch (cause) {
    await server?.stop();
    throw new Error(`cannot connect to NATS at ${url}: ${(cause as Error).message}`, { cause });
  }
}

/** Only what went wrong, as plain text: the default logger writes JSON lines, which are for machines. */
export const logger: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => console.error(`warning: ${message} ${Deno.inspect(fields)}`),
  error: (message, fields) => console.error(`error: ${message} ${Deno.inspect(fields)}`),
};

/** Runs an example to its end; the exit code says how it went. */
export async function runExample(main: () => Promise<boolean>): Promise<void> {
  try {
    if (!await main()) Deno.exitCode = 1;
  } catch (error) {
    console.error(`the example failed: ${error instanceof Error ? error.message : Deno.inspect(error)}`);
    Deno.exitCode = 1;
  }
}

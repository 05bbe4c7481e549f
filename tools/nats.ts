/**
 * A NATS server for development, tests and examples: provisions the binary, starts servers and clusters of them.
 *
 * As a program: `deno run tools/nats.ts` runs a server in the foreground, `--ensure` only provisions one.
 *
 * @module
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  cacheFolder,
  ensureNatsServer,
  isPortTaken,
  NatsServerError,
  reason,
  startNatsServer,
} from "../src/nats_server/mod.ts";

export {
  ensureNatsServer,
  type NatsCluster,
  type NatsClusterNode,
  type NatsClusterOptions,
  type NatsServer,
  NatsServerError,
  type NatsServerErrorCode,
  type NatsServerOptions,
  startNatsCluster,
  startNatsServer,
} from "../src/nats_server/mod.ts";

const USAGE = `usage: deno task nats [--port PORT] [--store-dir FOLDER] [--ensure]

Runs a NATS server with JetStream on 127.0.0.1 until it is interrupted.

  --port PORT         the port to listen on (4222)
  --store-dir FOLDER  where streams are kept (a folder of the port's own in the user's cache)
  --ensure            only make sure that a server binary is there, and print its path`;

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "4222" },
      "store-dir": { type: "string" },
      ensure: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) console.log(USAGE);
  else if (values.ensure) console.log(await ensureNatsServer());
  else return await serve(Number(values.port), values["store-dir"]);
  return 0;
}

async function serve(port: number, folder?: string): Promise<number> {
  const storeDir = folder ?? join(cacheFolder(), `nats-${port}`);
  await Deno.mkdir(storeDir, { recursive: true });
  const server = await startNatsServer({ port, storeDir });
  let asked = false;
  const end = () => {
    asked = true;
    server.stop();
  };
  for (const signal of ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"] as const) {
    Deno.addSignalListener(signal, end);
  }
  console.log(`NATS server on ${server.url}, process ${server.pid}, streams in ${storeDir}`);
  await server.ended;
  if (!asked) console.error("the NATS server ended on its own");
  return asked ? 0 : 1;
}

function explain(error: unknown): string {
  if (isPortTaken(error)) return "the port is in use: end what listens on it, or choose another with --port";
  return error instanceof NatsServerError ? error.message : `${reason(error)}\n\n${USAGE}`;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(`packtrail: ${explain(error)}`);
    Deno.exit(1);
  }
}

/** The process of {@linkcode startEngineProcess}: an engine that stops when its standard input ends. @module */

import { createServer, type ServerOptions } from "../../mod.ts";
import { askTest, readySubject } from "./engine_process.ts";
import { runUntilInputEnds } from "./engine_run.ts";
import { connectTo } from "./space.ts";

type Settings = ServerOptions & { url: string; namespace: string; ownerId: string };

async function main({ url, ...options }: Settings): Promise<void> {
  const { namespace, ownerId } = options;
  const nc = await connectTo(url);
  const remote = askTest(nc, namespace, ownerId);
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: console.error };
  const server = await createServer(nc, { ...options, logger, invokers: { remote } });
  await runUntilInputEnds(server, { ready: () => nc.publish(readySubject(namespace, ownerId)) });
  await nc.close();
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}

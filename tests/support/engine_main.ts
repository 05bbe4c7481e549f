/** The process of {@linkcode startEngineProcess}: an engine that stops when its standard input ends. @module */

import { createServer, type InvokeRequest, type Result, type ServerOptions } from "../../mod.ts";
import { readySubject, type RemoteAttempt, remoteSubject } from "./engine_process.ts";
import { connectTo } from "./space.ts";

const HOUR_MS = 3_600_000;

async function main(settings: string): Promise<void> {
  const { url, ...options } = JSON.parse(settings) as ServerOptions & { url: string; namespace: string };
  const { namespace, ownerId } = options;
  const nc = await connectTo(url);
  const remote = async (request: InvokeRequest): Promise<Result> => {
    const { executionId, nodeId: node, attempt, generation, idempotencyKey: key } = request;
    const asked: RemoteAttempt = { owner: ownerId!, executionId, node, attempt, generation, key };
    const answer = await nc.request(remoteSubject(namespace), JSON.stringify(asked), { timeout: HOUR_MS });
    return answer.json<Result>();
  };
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: console.error };
  const server = await createServer(nc, { ...options, logger, invokers: { remote } });
  await server.init();
  const stopping = new AbortController();
  const running = server.run({ signal: stopping.signal });
  nc.publish(readySubject(namespace, ownerId!));
  for await (const _chunk of Deno.stdin.readable) { /* until it ends */ }
  stopping.abort();
  await running;
  await nc.close();
}

if (import.meta.main) {
  await main(Deno.args[0]!);
  Deno.exit(0);
}

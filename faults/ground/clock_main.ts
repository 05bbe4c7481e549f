/**
 * An engine whose clock is wrong: lines on its standard input say by how many milliseconds, from then on. It stops when
 * its standard input ends. Attempts are answered by whoever started it, as those of `tests/support/engine_process.ts`.
 *
 * @module
 */

import { createServer, type InvokeRequest, type Result, type ServerOptions } from "../../mod.ts";
import { readySubject, type RemoteAttempt, remoteSubject } from "../../tests/support/engine_process.ts";
import { connectTo } from "../../tests/support/space.ts";

const HOUR_MS = 3_600_000;

const TrueDate = Date;
let shiftMs = 0;

/** The time of a machine whose clock was set by somebody. */
class ShiftedDate extends TrueDate {
  constructor(...args: []) {
    super(...(args.length === 0 ? [TrueDate.now() + shiftMs] : args) as []);
  }

  static override now(): number {
    return TrueDate.now() + shiftMs;
  }
}

async function main(settings: string): Promise<void> {
  const { url, shift, ...options } = JSON.parse(settings) as ServerOptions & {
    url: string;
    shift: number;
    namespace: string;
    ownerId: string;
  };
  shiftMs = shift;
  globalThis.Date = ShiftedDate as DateConstructor;
  const { namespace, ownerId } = options;
  const nc = await connectTo(url);
  const f = async (request: InvokeRequest): Promise<Result> => {
    const { executionId, nodeId: node, attempt, generation, idempotencyKey: key } = request;
    const asked: RemoteAttempt = { owner: ownerId, executionId, node, attempt, generation, key };
    const answer = await nc.request(remoteSubject(namespace), JSON.stringify(asked), { timeout: HOUR_MS });
    return answer.json<Result>();
  };
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: console.error };
  const server = await createServer(nc, { ...options, logger, invokers: { f } });
  await server.init();
  const stopping = new AbortController();
  const running = server.run({ signal: stopping.signal });
  nc.publish(readySubject(namespace, ownerId));
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    shiftMs = Number(text.trim().split("\n").at(-1));
    // What is told back is what the engine now takes for the time.
    nc.publish(`${readySubject(namespace, ownerId)}.clock`, String(Date.now()));
  }
  stopping.abort();
  await running;
  await nc.close();
}

if (import.meta.main) {
  await main(Deno.args[0]!);
  Deno.exit(0);
}

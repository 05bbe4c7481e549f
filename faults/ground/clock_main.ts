/**
 * An engine whose clock is wrong: lines on its standard input say by how many milliseconds, from then on. It stops when
 * its standard input ends. Attempts are answered by whoever started it, as those of `tests/support/engine_process.ts`.
 *
 * @module
 */

import { createServer, type ServerOptions } from "../../mod.ts";
import { askTest, readySubject } from "../../tests/support/engine_process.ts";
import { runUntilInputEnds } from "../../tests/support/engine_run.ts";
import { connectTo } from "../../tests/support/space.ts";

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

type Settings = ServerOptions & { url: string; shift: number; namespace: string; ownerId: string };

async function main({ url, shift, ...options }: Settings): Promise<void> {
  shiftMs = shift;
  globalThis.Date = ShiftedDate as DateConstructor;
  const { namespace, ownerId } = options;
  const nc = await connectTo(url);
  const f = askTest(nc, namespace, ownerId);
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: console.error };
  const server = await createServer(nc, { ...options, logger, invokers: { f } });
  const ready = readySubject(namespace, ownerId);
  await runUntilInputEnds(server, {
    ready: () => nc.publish(ready),
    onInput(chunk) {
      shiftMs = Number(new TextDecoder().decode(chunk).trim().split("\n").at(-1));
      // What is told back is what the engine now takes for the time.
      nc.publish(`${ready}.clock`, String(Date.now()));
    },
  });
  await nc.close();
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}

/** An engine process of the soak: it takes work until it is killed, or its standard input ends. @module */

import { createServer } from "../../mod.ts";
import { runUntilInputEnds } from "../../tests/support/engine_run.ts";
import { connectTo } from "../../tests/support/space.ts";
import { KINDS } from "./flows.ts";

/** What the process is told. */
export interface EngineSettings {
  readonly url: string;
  readonly namespace: string;
  readonly ownerId: string;
}

async function main({ url, namespace, ownerId }: EngineSettings): Promise<void> {
  const nc = await connectTo(url);
  const quiet = () => {};
  const server = await createServer(nc, {
    namespace,
    ownerId,
    flows: KINDS.map(({ flow }) => flow),
    leaseTtl: "10s",
    drainTimeout: "5s",
    resultCache: { ttl: "2m" },
    logger: { debug: quiet, info: quiet, warn: quiet, error: console.error },
  });
  await runUntilInputEnds(server, { ready: () => console.log("ready") });
  await nc.close();
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}

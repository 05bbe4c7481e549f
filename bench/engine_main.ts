/** The process of `startEngine`: an engine that stops when its standard input ends. @module */

import { connect } from "@nats-io/transport-deno";
import { createServer } from "../mod.ts";
import { runUntilInputEnds } from "../tests/support/engine_run.ts";
import type { EngineSettings } from "./engine_process.ts";
import { noop } from "./flows.ts";
import { logger } from "./space.ts";

async function main({ url, namespace, flows }: EngineSettings): Promise<void> {
  const nc = await connect({ servers: url });
  await using server = await createServer(nc, { namespace, flows, logger, invokers: { noop } });
  await runUntilInputEnds(server, { ready: () => console.log("ready") });
  await nc.close();
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));

/** The process of `startDashboard`: a dashboard that ends when its standard input does. @module */

import { connect } from "@nats-io/transport-deno";
import { createServer } from "../../mod.ts";
import { serveDashboard } from "../../src/ui/mod.ts";
import { logger } from "../space.ts";
import type { DashboardSettings } from "./process.ts";

async function main({ url, namespace }: DashboardSettings): Promise<void> {
  const nc = await connect({ servers: url });
  await using server = await createServer(nc, { namespace, logger });
  await using dashboard = await serveDashboard(server, { addr: "127.0.0.1:0" });
  console.log(dashboard.url);
  for await (const _chunk of Deno.stdin.readable) { /* until it ends */ }
  await dashboard.stop();
  await nc.close();
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));

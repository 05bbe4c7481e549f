/**
 * A deployment in one file: an engine with its flows and its workers, made by `deno task compile`. The folder `flows/`
 * is part of the binary; it needs a NATS server and nothing else.
 *
 *     deno task compile
 *     NATS_URL=127.0.0.1:4222 dist/worker
 *     NATS_URL=127.0.0.1:4222 deno run --allow-net --allow-env --allow-read=flows examples/compiled_worker.ts
 *
 * Start as many as you like, on as many machines: they share the work. SIGTERM or SIGINT drains one and ends it.
 *
 * @module
 */

import { createServer, type InvokeRequest, type Result } from "@packtrail/core";
import { connect } from "@nats-io/transport-deno";
import { join } from "node:path";
import { researchers } from "./_research.ts";

/** Beside this module: in the checkout as well as in the binary, which has files of its own. */
const FLOWS = join(import.meta.dirname!, "..", "flows");

async function main(): Promise<void> {
  const namespace = Deno.env.get("PACKTRAIL_NAMESPACE") || "packtrail";
  const servers = Deno.env.get("NATS_URL") || "127.0.0.1:4222";
  const connection = await connect({ servers, name: "compiled-worker", maxReconnectAttempts: -1 });
  const server = await createServer(connection, { namespace, flowsDir: FLOWS, invokers: { agent } });
  await server.init();
  for (const [subject, handler] of Object.entries(researchers)) await server.handle(subject, handler);
  console.log(`ready: ${server.flows().join(", ")} in namespace ${namespace} on ${servers}`);
  await server.run({ signal: interruption() });
  await server.close();
  await connection.close();
  console.log("stopped");
}

/** Stands in for an agent: `flows/agent-pipeline.yaml` says what the first has to answer. */
function agent({ target, payload }: InvokeRequest): Result {
  return target === "triage-agent"
    ? { status: "ok", payload: { category: "technical" } }
    : { status: "ok", payload: { agent: target, about: payload } };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  const signals: Deno.Signal[] = ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, () => controller.abort());
  return controller.signal;
}

try {
  await main();
  Deno.exit(0); // the listeners would keep the process alive
} catch (error) {
  console.error(`the worker failed: ${error instanceof Error ? error.message : Deno.inspect(error)}`);
  Deno.exit(1);
}

/**
 * The workers of the research pipeline in a process of their own: any number of them share the work.
 *
 *     deno task nats                                             a NATS server, in a terminal of its own
 *     deno run --allow-net --allow-env examples/worker.ts        a worker, or several
 *     NATS_URL=127.0.0.1:4222 deno run -A examples/embedded.ts --engine-only
 *
 * A worker needs no flow, no streams and no engine: it answers requests. compiled_worker.ts has workers, flows and engine in one
 * binary.
 *
 * @module
 */

import { serveNamespaced } from "@packtrail/core";
import { connect } from "@nats-io/transport-deno";
import { researchers } from "./_research.ts";

async function main(): Promise<void> {
  const namespace = Deno.env.get("PACKTRAIL_NAMESPACE") || "packtrail";
  const servers = Deno.env.get("NATS_URL") || "127.0.0.1:4222";
  const connection = await connect({ servers, name: "research-worker", maxReconnectAttempts: -1 });

  const workers = await Promise.all(
    Object.entries(researchers).map(([subject, handler]) =>
      serveNamespaced(connection, namespace, subject, async (request) => {
        const response = await handler(request);
        console.log(`${request.nodeId}, attempt ${request.attempt + 1} of ${request.executionId}: ${response.status}`);
        return response;
      })
    ),
  );
  console.log(`ready: ${workers.length} subjects of ${namespace} on ${servers}`);

  // `stop` takes no more requests and answers those in hand: nothing that was begun has to be done again.
  await interrupted();
  await Promise.all(workers.map((worker) => worker.stop()));
  await connection.close();
  console.log("stopped");
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const signals: Deno.Signal[] = ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"];
    for (const signal of signals) Deno.addSignalListener(signal, resolve);
  });
}

try {
  await main();
  Deno.exit(0); // the listeners would keep the process alive
} catch (error) {
  console.error(`the worker failed: ${error instanceof Error ? error.message : Deno.inspect(error)}`);
  Deno.exit(1);
}

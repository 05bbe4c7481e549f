/**
 * Long work in a durable queue: three clips are rendered by workers that share one queue, and one of them crashes.
 *
 *     deno run -A examples/async.ts
 *
 * Tasks of an async kind park their execution, and cost the engine nothing while they wait. The engine hosts workers
 * itself:
 *
 *     await createServer(nc, { flows, asyncInvokers: { render: { invoker: render, concurrency: 2, timeout: "10m" } } });
 *
 * or, as here, they are processes of their own, which know no flow:
 *
 *     await createServer(nc, { flows, asyncInvokers: { render: { invoker: "elsewhere" } } });
 *     await using worker = await serveAsync(nc, { kind: "render", invoker: render, concurrency: 2 });
 *
 * @module
 */

import {
  type Connection,
  createServer,
  type FlowDef,
  type InvokeRequest,
  type JsonObject,
  type Result,
  serveAsync,
} from "@packtrail/core";
import { connect } from "@nats-io/transport-deno";
import { logger, namespace, openNats, runExample } from "./_nats.ts";
import { hasEnded, Timeline } from "./_timeline.ts";

const CLIPS = ["intro", "interview", "credits"];

const FLOW: FlowDef = {
  name: "film",
  nodes: [
    { id: "cut", type: "fanout", branches: CLIPS },
    ...CLIPS.map((id) => ({ id, type: "task", invoker: "render", timeout: "10m" }) as const),
    { id: "join", type: "fanin", waitFor: CLIPS },
    { id: "publish", type: "task", invoker: "publish" },
  ],
  edges: [{ from: "cut", to: "join" }, { from: "join", to: "publish" }],
};

async function main(): Promise<boolean> {
  await using nats = await openNats();
  await using server = await createServer(nats.connection, {
    namespace,
    flows: [FLOW],
    invokers: { publish: ({ payload }) => ({ status: "ok", payload: titlesOf(payload as JsonObject) }) },
    asyncInvokers: { render: { invoker: "elsewhere", maxQueued: 1_000 } },
    logger,
  });
  await server.init();
  const engine = server.run();

  const events = server.watchEvents();
  const timeline = new Timeline(server);
  const id = await server.start("film", { title: "A day in the harbour" });
  console.log(`Execution  ${id}\n`);

  // One clip at a time each. What a worker has no room for stays in the queue, for the other one.
  await using _steady = await startWorker(nats.connection, "steady", timeline);
  await startUnsteadyWorker(nats.connection, timeline);
  for await (const event of events) {
    if (event.executionId !== id) continue;
    await timeline.show(event);
    if (hasEnded(event)) break;
  }

  const { status, error, payload } = await server.get(id);
  await server.close();
  await engine;
  console.log(status === "completed" ? `\nResult     ${JSON.stringify(payload)}` : `\n${status}: ${error}`);
  return status === "completed";
}

/** A worker that renders. A job is delivered again when its worker is silent for `leaseTtl`. */
async function startWorker(nc: Connection, name: string, timeline: Timeline): Promise<AsyncDisposable> {
  const render = async ({ nodeId, payload, idempotencyKey }: InvokeRequest): Promise<Result> => {
    timeline.note("⚙", nodeId, `${name} renders it, idempotency key ${idempotencyKey}`);
    await new Promise((resolve) => setTimeout(resolve, 600));
    return { status: "ok", payload: `${(payload as JsonObject).title}: ${nodeId}.mp4` };
  };
  return await serveAsync(nc, { namespace, kind: "render", invoker: render, concurrency: 1, leaseTtl: "1s", logger });
}

/** A worker that crashes over its first job: it loses its connection and is never heard of again. */
async function startUnsteadyWorker({ info }: Connection, timeline: Timeline): Promise<void> {
  const nc = await connect({ servers: Deno.env.get("NATS_URL") || `${info!.host}:${info!.port}` });
  const crash = async ({ nodeId }: InvokeRequest): Promise<Result> => {
    timeline.note("✘", nodeId, "unsteady crashes over it");
    await nc.close();
    return { status: "ok", payload: "nobody will see this" };
  };
  await serveAsync(nc, { namespace, kind: "render", invoker: crash, concurrency: 1, leaseTtl: "1s", logger });
}

function titlesOf({ branches }: JsonObject): string[] {
  return CLIPS.map((clip) => String((branches as JsonObject)[clip]));
}

await runExample(main);

/**
 * An invoker of your own: the tasks of `flows/agent-pipeline.yaml` become HTTP requests to agents.
 *
 *     deno run -A examples/custom_invoker.ts
 *
 * The agents are a small HTTP server in this file. It shows the three ways in which a service can answer: at once
 * (2xx), not now (503: tried again by the node's policy), and later (202: completed by a call back).
 *
 * @module
 */

import { createServer, httpInvoker, type InvokeRequest, type JsonObject, type Server } from "@packtrail/core";
import { logger, namespace, openNats, runExample } from "./_nats.ts";
import { hasEnded, Timeline } from "./_timeline.ts";

/** What an agent is posted: the same JSON as a worker over NATS gets. */
interface Task {
  execution_id: string;
  node_id: string;
  attempt: number;
  generation: number;
  payload: JsonObject;
}

async function main(): Promise<boolean> {
  await using nats = await openNats();

  // A server without flows that is never run is a client. It may live in another process, as agents would.
  const client = await createServer(nats.connection, { namespace, logger });
  await using agents = startAgents(client);

  // An invoker is a function from a request to a result. This one notes the call, and leaves the work to another.
  const http = httpInvoker({ baseUrl: agents.url, acceptedIsPending: true });
  const agent = (request: InvokeRequest) => {
    console.log(`             → POST ${request.target}, idempotency-key ${request.idempotencyKey}`);
    return http.invoke(request);
  };

  const yaml = await Deno.readTextFile(new URL("../flows/agent-pipeline.yaml", import.meta.url));
  await using server = await createServer(nats.connection, { namespace, flows: [yaml], invokers: { agent }, logger });
  await server.init(); // fails at once where the NATS server is too old, or does not let us
  const engine = server.run();

  const events = server.watchEvents();
  const timeline = new Timeline(server);
  const id = await server.start("agent-pipeline", { request: "The screen stays black after the update" });
  console.log(`Execution  ${id}\n`);
  for await (const event of events) {
    if (event.executionId !== id) continue;
    await timeline.show(event);
    if (hasEnded(event)) break;
  }

  const { status, error, payload } = await server.get(id);
  await server.close();
  await engine;
  console.log(status === "completed" ? `\nAnswer     ${(payload as JsonObject).answer}` : `\n${status}: ${error}`);
  return status === "completed";
}

/** Starts the agents. */
function startAgents(client: Server): AsyncDisposable & { url: string } {
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const task = await request.json() as Task;
    switch (new URL(request.url).pathname) {
      case "/agents/triage-agent":
        if (task.attempt === 0) return new Response("warming up", { status: 503 });
        return Response.json({ ...task.payload, category: "technical" });
      case "/agents/technical-agent":
        setTimeout(() => complete(client, task, { ...task.payload, cause: "the driver is too old" }), 800);
        return new Response(null, { status: 202 });
      case "/agents/answer-agent":
        return Response.json({ answer: `Dear customer, ${task.payload.cause}.` });
      default:
        return new Response("there is no such agent", { status: 404 });
    }
  });
  return { url: `http://127.0.0.1:${http.addr.port}/agents/`, [Symbol.asyncDispose]: () => http.shutdown() };
}

/** Settles a task that was accepted and is done now. The generation tells this visit of the node from any other. */
async function complete(client: Server, task: Task, payload: JsonObject): Promise<void> {
  const { execution_id, node_id, attempt, generation } = task;
  await client.completeActivity(execution_id, node_id, attempt, { status: "ok", payload }, { generation });
}

await runExample(main);

/**
 * A whole deployment in one process: engine, workers, a client that starts an execution, and the person who approves.
 *
 *     deno run -A examples/embedded.ts                          everything, with a NATS server of its own
 *     deno run -A examples/embedded.ts "weapons for minors"     another topic: this one is escalated
 *     NATS_URL=… deno run -A examples/embedded.ts --engine-only the engine without workers: start examples/worker.ts first
 *
 * @module
 */

import { createServer, type Server } from "@packtrail/core";
import { logger, namespace, openNats, runExample } from "./_nats.ts";
import { researchers } from "./_research.ts";
import { hasEnded, Timeline } from "./_timeline.ts";

const FLOW = "research-pipeline";

async function main(): Promise<boolean> {
  const engineOnly = Deno.args.includes("--engine-only");
  const topic = Deno.args.find((arg) => !arg.startsWith("--")) ?? "solar roofs";
  await using nats = await openNats();

  // Flows are checked here and now: a mistake in the file is an error with its line.
  const yaml = await Deno.readTextFile(new URL(`../flows/${FLOW}.yaml`, import.meta.url));
  await using server = await createServer(nats.connection, { namespace, flows: [yaml], logger });

  // Workers answer tasks. They may live here, or in a process of their own: see worker.ts.
  if (!engineOnly) {
    for (const [subject, handler] of Object.entries(researchers)) await server.handle(subject, handler);
  }

  // The engine drives executions until the server is closed.
  const engine = server.run();
  const completed = await Promise.race([engine.then(() => false), runOne(server, topic)]);
  await server.close();
  await engine;
  return completed;
}

/** Starts an execution and goes along with it to its end. */
async function runOne(server: Server, topic: string): Promise<boolean> {
  const events = server.watchEvents();
  const id = await server.start(FLOW, { topic });
  console.log(`Flow       ${FLOW} on "${topic}"\nExecution  ${id}\n`);

  const timeline = new Timeline(server);
  for await (const event of events) {
    if (event.executionId !== id) continue;
    await timeline.show(event);
    if (event.status === "waiting") approveLater(server, id, timeline);
    if (hasEnded(event)) break;
  }
  return await report(server, id);
}

/** The person who approves. Until the signal comes nothing runs: it may take a second, or a day and a redeploy. */
function approveLater(server: Server, id: string, timeline: Timeline): void {
  setTimeout(() => {
    timeline.note("✉", "Ada", 'looks at the report, and sends the signal approval: {"approved": true}');
    server.signal(id, "approval", { approved: true, by: "Ada" })
      .catch((error) => timeline.note("✘", "Ada", `the signal could not be sent: ${error.message}`));
  }, 1_500);
}

/** Prints what came out. */
async function report(server: Server, id: string): Promise<boolean> {
  const { status, error } = await server.get(id);
  if (status !== "completed") {
    console.error(`\nThe execution ${status}: ${error}`);
    return false;
  }
  const { payload } = await server.results(id);
  console.log(`\nResult     ${JSON.stringify(payload, null, 2).replaceAll("\n", "\n           ")}`);
  return true;
}

await runExample(main);

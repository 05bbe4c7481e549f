/**
 * A human approval that reminds: `flows/approval.yaml` waits for the signal `approval`, and sends a reminder each time
 * its timeout passes.
 *
 *     deno run -A examples/approval.ts           approved, after one reminder
 *     deno run -A examples/approval.ts reject    rejected
 *
 * Waiting costs nothing: the execution is one message in NATS with an alarm on it. No process, timer or connection of
 * yours has to last as long as the person takes.
 *
 * @module
 */

import { createServer, type ExecutionEvent, type JsonObject } from "@packtrail/core";
import { logger, namespace, openNats, runExample } from "./_nats.ts";
import { hasEnded, Timeline } from "./_timeline.ts";

async function main(): Promise<boolean> {
  const approved = !Deno.args.includes("reject");
  await using nats = await openNats();

  // Nobody wants to look on for eight hours: the reminder comes after two seconds here.
  const yaml = await Deno.readTextFile(new URL("../flows/approval.yaml", import.meta.url));
  const flow = yaml.replace("timeout: 8h", "timeout: 2s");
  await using server = await createServer(nats.connection, { namespace, flows: [flow], logger });

  // One worker for all the tasks of the flow: the request says which node it is for.
  await server.handle("tasks.*.*", ({ nodeId, payload }) => ({
    status: "ok",
    payload: { ...payload as JsonObject, last: nodeId },
  }));
  await server.init(); // fails at once where the NATS server is too old, or does not let us
  const engine = server.run();

  // A start with an id of the caller's is idempotent: a second click on "send" starts nothing.
  const events = server.watchEvents();
  const invoice = { invoice: "2026-0815", amount: 1_250 };
  const id = await server.start("approval", invoice, { id: `invoice-${crypto.randomUUID()}` });
  await server.start("approval", invoice, { id });
  console.log(`Execution  ${id}\n`);

  const timeline = new Timeline(server);
  for await (const event of events) {
    if (event.executionId !== id) continue;
    await timeline.show(event);
    if (isReminded(event)) {
      timeline.note("✉", "the manager", `${approved ? "approves" : "rejects"}: signal approval`);
      await server.signal(id, "approval", { approved, by: "the manager" });
    }
    if (hasEnded(event)) break;
  }

  const { status, currentNode, error } = await server.get(id);
  await server.close();
  await engine;
  console.log(`\n${status === "completed" ? `Ended at   ${currentNode}` : `${status}: ${error}`}`);
  return status === "completed" && currentNode === (approved ? "release" : "reject");
}

/** The manager reads the reminder, not the first mail. A signal that comes early is kept until it is waited for. */
function isReminded({ node, status }: ExecutionEvent): boolean {
  return node === "remind" && status === "running";
}

await runExample(main);

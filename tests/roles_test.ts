/** Each role runs with only its own NATS permissions, and is refused everything else. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "@nats-io/transport-deno";
import type { NatsConnection } from "@nats-io/nats-core";
import { createServer, PermissionError, permissionsBlock, type Role, type Server } from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import { until } from "./support/mod.ts";

const ROLES: readonly Role[] = ["engine", "worker", "client", "observer"];
const FLOW = {
  name: "approval",
  nodes: [
    { id: "ask", type: "task" as const, subject: "tasks.ask" },
    { id: "wait", type: "signal" as const, signalName: "approved" },
    { id: "pay", type: "task" as const, invoker: "bank" },
  ],
  edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "pay" }],
};
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

interface Cast {
  connections: Record<Role, NatsConnection>;
  engine: Server;
  client: Server;
  observer: Server;
}

/** A server where every role has a user of its own, and an engine and a worker at work. */
async function withRoles(run: (cast: Cast) => Promise<void>): Promise<void> {
  const users = ROLES.map((role) => `{ user: ${role}, password: secret, ${permissionsBlock(role)} }`);
  const nats = await startNatsServer({ config: `authorization { users: [ ${users.join("\n")} ] }` });
  const connections = {} as Record<Role, NatsConnection>;
  for (const role of ROLES) connections[role] = await connect({ servers: nats.url, user: role, pass: "secret" });
  const engine = await createServer(connections.engine, {
    flows: [FLOW],
    invokers: { bank: () => ({ status: "pending" }) },
    logger: quiet,
  });
  const worker = await createServer(connections.worker, { logger: quiet });
  await worker.handle("tasks.ask", () => ({ status: "ok", payload: { asked: true } }));
  await engine.init();
  const running = engine.run();
  const client = await createServer(connections.client, { logger: quiet });
  const observer = await createServer(connections.observer, { logger: quiet });
  try {
    await run({ connections, engine, client, observer });
  } finally {
    for (const server of [engine, worker, client, observer]) await server.close();
    await running;
    for (const connection of Object.values(connections)) await connection.close();
    await nats.stop();
  }
}

Deno.test("each role does its part of an execution with only its own permissions", async () => {
  await withRoles(async ({ client, observer }) => {
    const events: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of observer.watchEvents({ signal: stop.signal })) events.push(event.status);
    })();
    const id = await client.start("approval", { amount: 7 });
    await until(async () => (await observer.byStatus("waiting")).includes(id));
    await client.signal(id, "approved", { by: "Ada" });
    await until(async () => (await observer.get(id)).currentNode === "pay");
    await until(async () => (await observer.get(id)).status === "waiting");
    await client.completeActivity(id, "pay", 0, { status: "ok", payload: { paid: true } });
    await until(async () => (await observer.get(id)).status === "completed");
    assertEquals((await observer.results(id)).results, { ask: { asked: true }, pay: { paid: true } });
    assertEquals((await observer.history(id)).map((event) => event.node), ["ask", "wait", "pay", "pay", "pay"]);
    assertEquals(await observer.list(), [id]);
    assertEquals((await observer.recent())[0]?.executionId, id);
    assertEquals((await observer.counts()).approval?.completed, 1);
    assertEquals(await observer.listFlows(), ["approval"]);
    assertEquals((await observer.flowGraph("approval")).nodes.length, 3);
    assertEquals(await observer.schedules(), []);
    assertEquals(await observer.deadLetters(), []);
    await until(() => events.includes("completed"));
    stop.abort();
    await watching;
  });
});

Deno.test("a client cancels and resumes through the inbox", async () => {
  await withRoles(async ({ client, observer }) => {
    const id = await client.start("approval", {}, { id: "client-1" });
    assertEquals(id, "client-1");
    await until(async () => (await observer.byStatus("waiting")).includes(id));
    await client.cancel(id, "not needed");
    await until(async () => (await observer.get(id)).status === "cancelled");
    assertEquals((await observer.get(id)).error, "not needed");
    await client.resume(id);
    await until(async () => (await observer.deadLetters()).length === 1);
    assertEquals((await observer.deadLetters())[0]?.source, "ingress");
  });
});

Deno.test("what a role may not do is a PermissionError", async () => {
  await withRoles(async ({ client, observer }) => {
    await assertRejects(() => client.get("any"), PermissionError);
    await assertRejects(() => client.list(), PermissionError);
    await assertRejects(() => client.scheduleFlow("nightly", "approval", "0 0 3 * * *"), PermissionError);
    await assertRejects(() => client.init(), PermissionError);
    await assertRejects(() => observer.start("approval"), PermissionError);
    await assertRejects(() => observer.signal("any", "approved"), PermissionError);
    await assertRejects(() => observer.completeActivity("any", "pay", 0, { status: "ok" }), PermissionError);
    await assertRejects(() => observer.cancel("any"), PermissionError);
    await assertRejects(() => observer.init(), PermissionError);
  });
});

Deno.test("nobody but an engine can write where executions live", async () => {
  await withRoles(async ({ connections }) => {
    for (const role of ["worker", "client", "observer"] as const) {
      const forbidden = [
        "packtrail.exec.ready.approval.x",
        "packtrail.mail.x.approved",
        "packtrail.cron.x",
        "$JS.API.STREAM.PURGE.packtrail-executions",
        "$JS.API.STREAM.DELETE.packtrail-executions",
        "$JS.API.CONSUMER.DELETE.packtrail-executions.flow-approval",
        "$KV.packtrail-flows.flow.approval",
      ];
      if (role !== "client") forbidden.push("packtrail.in.cancel.x");
      for (const subject of forbidden) {
        const refusal = await connections[role].request(subject, "{}", { timeout: 5_000 }).catch((error) => error);
        assert(refusal instanceof Error && /permissions violation/i.test(describe(refusal)), `${role} ${subject}`);
      }
    }
  });
});

function describe(error: Error): string {
  return `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`;
}

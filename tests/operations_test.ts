/** The word of docs/operations.md is kept: its configuration files start, and each role works with its own user. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import { basename, dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { createServer, type FlowDef, PermissionError, permissionsBlock, type Role, UnavailableError } from "../mod.ts";
import { freePorts } from "../src/nats_server/ports.ts";
import { startNatsServer } from "../tools/nats.ts";
import { until } from "./support/mod.ts";

const DOCS = join(dirname(import.meta.dirname!), "docs");
const OPERATIONS = await Deno.readTextFile(join(DOCS, "operations.md"));
const ROLES = ["engine", "worker", "client", "observer"] as const satisfies Role[];
const FLOW: FlowDef = {
  name: "approval",
  nodes: [
    { id: "ask", type: "task", subject: "tasks.ask.{execution_id}" },
    { id: "wait", type: "signal", signalName: "go", timeout: "24h" },
    { id: "pay", type: "task", subject: "tasks.pay.{execution_id}" },
  ],
  edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "pay" }],
};
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** The configuration file after a mark such as `<!-- accounts.conf -->`. */
function configAfter(mark: string): string {
  const [, block] = OPERATIONS.split(`<!-- ${mark} -->`);
  const text = /```conf\n(.*?)```/s.exec(block ?? "")?.[1];
  assert(text !== undefined, `there is no configuration after "${mark}"`);
  return text;
}

/** Where a server of a test is, in place of what the document says. */
interface Place {
  node: string;
  folder: string;
  client: number;
  monitor: number;
  /** The ports for routes of all servers. */
  routes?: number[];
}

/** The same configuration with other ports and folders, and with passwords. */
function placed(text: string, { node, folder, client, monitor, routes = [] }: Place): string {
  let moved = text
    .replace("0.0.0.0:4222", `127.0.0.1:${client}`)
    .replace("127.0.0.1:8222", `127.0.0.1:${monitor}`)
    .replace("/var/lib/nats", join(folder, node))
    .replace("$NODE", node)
    .replace('include "', `include "../${basename(folder)}/`); // includes are relative to the file
  for (const [index, port] of routes.entries()) moved = moved.replace(`nats-${index + 1}:6222`, `127.0.0.1:${port}`);
  return moved.replace("0.0.0.0:6222", `127.0.0.1:${routes[Number(node.at(-1)) - 1]}`);
}

/** A folder with accounts.conf and the files of the roles. */
async function writeAccounts(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "packtrail-operations-" });
  for (const role of ROLES) await Deno.writeTextFile(join(folder, `${role}.conf`), permissionsBlock(role));
  const accounts = configAfter("accounts.conf").replaceAll(/\$(\w+)_PASSWORD/g, (_, name) => passwordOf(name));
  await Deno.writeTextFile(join(folder, "accounts.conf"), accounts);
  return folder;
}

function passwordOf(user: string): string {
  return `${user.toLowerCase()}-secret`;
}

/** Does something again while the server cannot: leaders of a young cluster move. */
async function persist<T>(run: () => Promise<T>): Promise<T> {
  let done: { value: T } | undefined;
  await until(async () => {
    try {
      done = { value: await run() };
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
    return done !== undefined;
  }, "the server to answer");
  return done!.value;
}

/** Runs a flow where everybody has only the user of its role. */
async function runFlowOfRoles(servers: string[], replicas: number): Promise<void> {
  const connections: NatsConnection[] = [];
  const as = async (user: string) => {
    const nc = await connect({ servers, user, pass: passwordOf(user), maxReconnectAttempts: -1 });
    connections.push(nc);
    return nc;
  };
  const engine = await createServer(await as("engine"), { flows: [FLOW], replicas, logger: quiet });
  const worker = await createServer(await as("worker"), { logger: quiet });
  const client = await createServer(await as("client"), { logger: quiet });
  const observer = await createServer(await as("observer"), { logger: quiet });
  await worker.handle("tasks.>", ({ nodeId }) => ({ status: "ok", payload: { done: nodeId } }));
  await persist(() => engine.init());
  const running = engine.run();
  try {
    const id = await persist(() => client.start("approval", {}, { id: "a" }));
    await until(async () => (await persist(() => observer.byStatus("waiting"))).includes(id));
    await persist(() => client.signal(id, "go", {}, { id: "once" }));
    await until(async () => (await persist(() => observer.get(id))).status === "completed");
    const { results } = await persist(() => observer.results(id));
    assertEquals(results, { ask: { done: "ask" }, pay: { done: "pay" } });
    await assertRejects(() => persist(() => client.get(id)), PermissionError);
    await assertRejects(() => persist(() => observer.start("approval")), PermissionError);
    const jsm = await jetstreamManager(await as("admin"));
    for await (const { config } of jsm.streams.list()) assertEquals(config.num_replicas, replicas, config.name);
  } finally {
    for (const server of [engine, worker, client, observer]) await server.close();
    await running;
    for (const nc of connections) await nc.close();
  }
}

Deno.test("the configuration of one server starts, and each role works with its own user", async () => {
  const folder = await writeAccounts();
  try {
    const [client, monitor] = await freePorts(2) as [number, number];
    const config = placed(configAfter("nats-server.conf, one server"), { node: "nats-1", folder, client, monitor });
    await using nats = await startNatsServer({ config });
    await runFlowOfRoles([nats.url], 1);
    const at = `http://127.0.0.1:${monitor}`;
    assertEquals(await (await fetch(`${at}/healthz`)).json(), { status: "ok" });
    const { jetstream, max_payload } = await (await fetch(`${at}/varz`)).json();
    assertEquals([jetstream.config.sync_always, max_payload], [true, 4 * 1024 * 1024]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the configuration of three servers starts, and each role works with its own user on three copies", async () => {
  const folder = await writeAccounts();
  const ports = await freePorts(9);
  const text = configAfter("nats-server.conf, three servers");
  const starts = await Promise.all(["nats-1", "nats-2", "nats-3"].map((node, index) => {
    const [client, monitor] = [ports[3 + index]!, ports[6 + index]!];
    return startNatsServer({ config: placed(text, { node, folder, client, monitor, routes: ports.slice(0, 3) }) });
  }));
  try {
    for (const monitor of ports.slice(6)) {
      await until(async () => {
        const response = await fetch(`http://127.0.0.1:${monitor}/healthz`);
        const { status } = await response.json();
        return status === "ok";
      }, "a server of the cluster to be healthy");
    }
    await runFlowOfRoles(starts.map(({ url }) => url), 3);
  } finally {
    for (const nats of starts) await nats.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("alerts name metrics that there are", async () => {
  const text = await Deno.readTextFile(join(DOCS, "operations", "monitoring.md"));
  const metrics = await Deno.readTextFile(join(DOCS, "dashboard.md"));
  const rules = /```yaml prometheus\n(.*?)```/s.exec(text)![1]!;
  const [document] = parseAllDocuments(rules);
  const { groups } = document!.toJS();
  const expressions = groups.flatMap((group: { rules: { expr: string }[] }) => group.rules.map(({ expr }) => expr));
  assert(expressions.length > 5);
  for (const expression of expressions) {
    for (const [name] of expression.matchAll(/packtrail_[a-z_]+/g)) {
      assertStringIncludes(metrics, `\`${name.replace(/_(bucket|sum|count)$/, "")}\``);
    }
  }
});

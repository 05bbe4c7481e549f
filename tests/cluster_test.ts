/** Executions on three servers, of which one is killed: the one that leads the executions. */

import { assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-deno";
import { createServer } from "../mod.ts";
import { startNatsCluster } from "../tools/nats.ts";
import { chain, Recorder, until } from "./support/mod.ts";

const FLOWS = [chain("steps", 5), {
  name: "approval",
  nodes: [
    { id: "fan", type: "fanout" as const, branches: ["a", "b"] },
    { id: "a", type: "task" as const, invoker: "f" },
    { id: "b", type: "task" as const, invoker: "f" },
    { id: "join", type: "fanin" as const, waitFor: ["a", "b"] },
    { id: "wait", type: "signal" as const, signalName: "go" },
    { id: "end", type: "task" as const, invoker: "f" },
  ],
  edges: [{ from: "fan", to: "join" }, { from: "join", to: "wait" }, { from: "wait", to: "end" }],
}];
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

Deno.test("nothing is lost while the leader of three servers is killed and restarted", async () => {
  await using cluster = await startNatsCluster({ size: 3 });
  const open = () => connect({ servers: [...cluster.urls], maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const connections = [await open(), await open(), await open()];
  const recorder = new Recorder(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { status: "ok", payload: { done: true } };
  });
  const options = { flows: FLOWS, replicas: 3, leaseTtl: "5s", logger: quiet, invokers: { f: recorder.invoke } };
  const engines = [await createServer(connections[0]!, options), await createServer(connections[1]!, options)];
  await engines[0]!.init();
  const running = engines.map((engine) => engine.run());
  const client = await createServer(connections[2]!, { logger: quiet });

  const jsm = await jetstreamManager(connections[2]!);
  const leaderName = (await jsm.streams.info("packtrail-executions")).cluster?.leader;

  const started: string[] = [];
  let isOver = false;
  const starting = (async () => {
    for (let count = 0; !isOver; count++) {
      const flow = count % 2 === 0 ? "steps" : "approval";
      const id = `x-${count}`;
      await persist(() => client.start(flow, { count }, { id }));
      if (flow === "approval") await persist(() => client.signal(id, "go", { count }, { id: "once" }));
      started.push(id);
    }
  })();
  await until(() => started.length >= 20, "executions to be started");
  const leader = cluster.nodes.find((node) => node.name === leaderName)!;
  await leader.kill();
  const down = started.length;
  await until(() => started.length >= down + 20, "executions to be started on two servers");
  await leader.restart();
  await cluster.ready();
  isOver = true;
  await starting;

  await until(
    async () => (await persist(() => client.byStatus("completed"))).length === started.length,
    "all to end",
    90_000,
  );
  const attempts = new Map<string, number>();
  for (const key of recorder.keys) attempts.set(key, (attempts.get(key) ?? 0) + 1);
  const expected = started.reduce((sum, id) => sum + (Number(id.slice(2)) % 2 === 0 ? 5 : 3), 0);
  assertEquals(attempts.size, expected);
  for (const id of started.slice(0, 20)) {
    const versions = (await client.history(id)).map((event) => event.revision);
    assertEquals(versions, [...versions].sort((left, right) => left - right));
  }
  assertEquals(await client.deadLetters(), []);

  for (const engine of engines) await engine.close();
  await Promise.all(running);
  await client.close();
  for (const connection of connections) await connection.close();
});

/** Does something again until it works: a server that is down answers with an error, and a start with an id is safe. */
async function persist<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if ((error as { code?: unknown }).code !== "UNAVAILABLE") throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

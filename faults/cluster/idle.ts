/**
 * The only server is killed while everything waits, and stays away for longer than what is waited for: no message is in
 * any client's hands that could come back, only the server knows what is due.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { FlowDef, Server } from "../../mod.ts";
import { startNatsServer } from "../../tools/nats.ts";
import { ended, inSpace, Recorder, type Space, until } from "../../tests/support/mod.ts";
import { checkDeadLetters, checkNothingLeft, checkVersions } from "../invariants.ts";

const LIMIT_MS = 1_500;
const EACH = 5;

/** A server that was killed has forgotten some acks: what they were of comes once more, after a lease. */
const LEASE_MS = 2_000;

const FLOWS: readonly FlowDef[] = [
  {
    name: "asks",
    nodes: [
      { id: "wait", type: "signal", signalName: "never", timeout: LIMIT_MS, onTimeout: "end" },
      { id: "end", type: "task", invoker: "f" },
    ],
  },
  { name: "retries", nodes: [{ id: "end", type: "task", invoker: "f", retry: { maxAttempts: 2 } }] },
  {
    name: "hands-over",
    nodes: [{ id: "end", type: "task", invoker: "f", activityTimeout: LIMIT_MS, retry: { maxAttempts: 2 } }],
  },
  {
    name: "is-told",
    nodes: [{ id: "wait", type: "signal", signalName: "go" }, { id: "end", type: "task", invoker: "f" }],
    edges: [{ from: "wait", to: "end" }],
  },
];

/** Restarts the only server with nothing in hand. Returns how many executions went through it. */
export async function restartIdle(downMs: number): Promise<number> {
  const storeDir = await Deno.makeTempDir({ prefix: "packtrail-idle-" });
  const first = await startNatsServer({ storeDir });
  try {
    let executions = 0;
    await inSpace(async (space) => {
      executions = await wait(space, downMs, async () => {
        await first.kill();
        return () => startNatsServer({ storeDir, port: first.port });
      });
    }, { url: first.url });
    return executions;
  } finally {
    await first.kill();
    await Deno.remove(storeDir, { recursive: true });
  }
}

type Restart = () => Promise<{ stop(): Promise<void> }>;

async function wait(space: Space, downMs: number, kill: () => Promise<Restart>): Promise<number> {
  const f = new Recorder(({ attempt, executionId }) => {
    if (attempt > 0 || executionId.startsWith("asks") || executionId.startsWith("is-told")) return { status: "ok" };
    return executionId.startsWith("hands-over") ? { status: "pending" } : { status: "retry", error: "busy" };
  });
  const { server } = await space.engine({ flows: [...FLOWS], invokers: { f: f.invoke }, leaseTtl: LEASE_MS });
  await server.init();
  const ids = FLOWS.flatMap(({ name }) => Array.from({ length: EACH }, (_, nth) => `${name}-${nth}`));
  await Promise.all(ids.map((id) => server.start(id.replace(/-\d+$/, ""), {}, { id })));
  await until(() => f.requests.length >= 2 * EACH, "the attempts that are to be made again");
  await isIdle(space, server);
  const restart = await kill();
  const since = performance.now();
  await until(() => performance.now() - since > downMs, "what is due to be long due", 2 * downMs + 10_000);
  const second = await restart();
  try {
    for (const id of ids.filter((id) => id.startsWith("is-told"))) {
      await until(() => server.signal(id, "go", null, { id: "once" }).then(() => true, () => false), "a signal");
    }
    for (const id of ids) {
      assertEquals((await ended(server, id)).status, "completed", id);
      await checkVersions(space.nc, space.names, server, id);
    }
    const made = ids.flatMap((id) =>
      /^(asks|is-told)/.test(id) ? [`${id}.end.2.0`] : [`${id}.end.1.0`, `${id}.end.1.1`]
    );
    assertEquals(f.keys.toSorted(), made.toSorted(), "each attempt was made once");
    await checkNothingLeft(space.nc, space.names, server);
    await checkDeadLetters(server, []);
    await space.end();
  } finally {
    await second.stop();
  }
  return ids.length;
}

/** Waits until no engine has anything in hand. */
async function isIdle(space: Space, server: Server): Promise<void> {
  const jsm = await jetstreamManager(space.nc);
  for (const flow of await server.listFlows()) {
    await until(async () => {
      const info = await jsm.consumers.info(space.names.executionStream(), space.names.flowConsumer(flow));
      return info.num_pending + info.num_ack_pending === 0;
    }, `flow ${flow} to be idle`);
  }
}

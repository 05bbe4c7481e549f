/** Writes that are refused although nobody was first: so answers a server that is cut off from its cluster. */

import { assert, assertEquals } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import { chain, ended, Gate, inSpace, type Space, until } from "./support/mod.ts";

/** Enough for pauses to be felt: they come to more than a second. */
const REFUSALS = 12;
const LEAST_MS = 1_000;

/** Lets the next writes of an execution's heads be refused. Returns when each was made, by the monotonic clock. */
function refuseHeads(nc: NatsConnection, { names }: Space, id: string): number[] {
  const times: number[] = [];
  const publish = nc.publish.bind(nc);
  nc.publish = (subject, data, options) => {
    if (times.length < REFUSALS && names.parseHead(subject)?.id === id) {
      times.push(performance.now());
      options?.headers?.set("Nats-Expected-Last-Subject-Sequence", "1000000");
    }
    publish(subject, data, options);
  };
  return times;
}

function assertPatient(times: number[]): void {
  assertEquals(times.length, REFUSALS);
  const took = times.at(-1)! - times[0]!;
  assert(took > LEAST_MS, `${REFUSALS} writes were made within ${took} ms`);
}

Deno.test("an engine whose writes are refused makes them again with patience, and goes on in the end", () =>
  inSpace(async (space) => {
    const f = new Gate();
    const nc = await space.connect();
    const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } }, nc);
    const id = await server.start("one");
    await until(() => f.held === 1);
    const times = refuseHeads(nc, space, id);
    f.open();
    assertEquals((await ended(server, id)).status, "completed");
    assertPatient(times);
    assertEquals(f.requests.length, 1);
  }));

Deno.test("a command whose write is refused is carried out with patience", () =>
  inSpace(async (space) => {
    const nc = await space.connect();
    const server = await space.server({ flows: [chain("one", 1)], invokers: { f: () => ({ status: "ok" }) } }, nc);
    const id = await server.start("one");
    const times = refuseHeads(nc, space, id);
    await server.cancel(id, "enough");
    assertEquals((await server.get(id)).status, "cancelled");
    assertPatient(times);
  }));

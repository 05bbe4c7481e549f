/** Counters: what has completed is counted by the server as it goes. @module */

import { assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { Server } from "../mod.ts";
import { natsOf } from "../src/nats/client.ts";
import { counterOf, Counters } from "../src/nats/counters.ts";
import { startNatsServer } from "../tools/nats.ts";
import { chain, connectTo, ended, inSpace, type Space, until } from "./support/mod.ts";

const OPTIONS = { flows: [chain("one", 1), chain("other", 1)], invokers: { f: () => ({ status: "ok" as const }) } };

async function complete(server: Server, count: number): Promise<string[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => server.start("one")));
  for (const id of ids) await ended(server, id);
  return ids;
}

/** Makes a counter for a flow that has completed something. */
async function keepCounter(space: Space): Promise<void> {
  const counters = new Counters(await natsOf(space.nc, space.names), space.logger(), 1);
  for (const flow of ["one", "other"]) counters.touched(flow);
  await counters.keep();
}

async function completed({ nc, names }: Space, server: Server): Promise<(number | undefined)[]> {
  return [await counterOf(await natsOf(nc, names), "one"), (await server.counts()).one!.completed];
}

Deno.test("a counter goes with what completes and what is removed, and comes back with the server", async () => {
  const storeDir = await Deno.makeTempDir({ prefix: "packtrail-store-" });
  const first = await startNatsServer({ storeDir });
  try {
    await inSpace(async (space) => {
      const { server } = await space.engine(OPTIONS);
      const ids = await complete(server, 20);
      await keepCounter(space);
      assertEquals(await completed(space, server), [20, 20]);
      await complete(server, 15);
      assertEquals(await completed(space, server), [35, 35]);
      const jsm = await jetstreamManager(space.nc);
      const stream = space.names.executionStream();
      for (const id of ids.slice(0, 5)) {
        await jsm.streams.purge(stream, { filter: space.names.head("completed", "one", id) });
      }
      assertEquals(await completed(space, server), [30, 30]);
      await first.kill();
      const second = await startNatsServer({ storeDir, port: first.port });
      try {
        const counter = async () => (await completed(space, server).catch(() => []))[0];
        const left = await until(counter, "the counter to be back");
        // The server may have been killed before the last removals were on its disk: those it has forgotten.
        const filter = space.names.headsIn("completed", "one");
        const { state: { subjects } } = await jsm.streams.info(stream, { subjects_filter: filter });
        assertEquals(left, Object.keys(subjects!).length);
        await complete(server, 2);
        assertEquals(await completed(space, server), [left + 2, left + 2]);
        await space.end();
      } finally {
        await second.stop();
      }
    }, { url: first.url });
  } finally {
    await first.kill();
    await Deno.remove(storeDir, { recursive: true });
  }
});

Deno.test("what its retention ends is not counted any more", () =>
  inSpace(async (space) => {
    const { server } = await space.engine({ ...OPTIONS, retention: { completed: "1s" } });
    await complete(server, 3);
    await keepCounter(space);
    await until(async () => String(await completed(space, server)) === "0,0", "the executions to be removed");
  }));

Deno.test("only a flow with much that has completed gets a counter, and without one it is counted all the same", () =>
  inSpace(async (space) => {
    const { server } = await space.engine(OPTIONS);
    await complete(server, 3);
    await keepCounter(space);
    const nats = await natsOf(space.nc, space.names);
    assertEquals([await counterOf(nats, "one"), await counterOf(nats, "other")], [3, undefined]);
    await nats.jsm.consumers.delete(space.names.executionStream(), space.names.counter("one"));
    assertEquals(await completed(space, server), [undefined, 3]);
  }));

Deno.test("where no counter can be made none is asked for again", () =>
  inSpace(async (space) => {
    const { server } = await space.engine(OPTIONS);
    await complete(server, 1);
    const nats = await natsOf(await connectTo(space.url), space.names);
    let asked = 0;
    nats.jsm.consumers.add = () => Promise.reject(new TypeError(`refused ${++asked}`));
    const counters = new Counters(nats, space.logger(), 1);
    for (let round = 0; round < 2; round++) {
      counters.touched("one");
      await counters.keep();
    }
    assertEquals([asked, space.log.filter(({ message }) => message === "a flow has no counter").length], [1, 1]);
    await nats.nc.close();
  }));

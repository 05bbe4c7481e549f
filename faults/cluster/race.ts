/**
 * A race of a signal with its time limit: the schedule fires in the instant in which it is cancelled. Exactly one of the
 * two counts, and versions rise by one (R2, I5).
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { FlowDef, Server } from "../../mod.ts";
import { ended, Recorder, type Space, within } from "../../tests/support/mod.ts";
import { checkDeadLetters, checkNothingLeft, checkVersions, WriteWatch } from "../invariants.ts";
import { provision } from "./load.ts";

/** How many races there are. */
export interface RaceOptions {
  /** One after the other. */
  readonly batches: number;
  /** Races in each batch, which are due together. @default {40} */
  readonly size?: number;
  /** Copies of each stream. @default {1} */
  readonly replicas?: number;
}

/** How they ended. */
export interface RaceReport {
  readonly races: number;
  readonly signalled: number;
  readonly timedOut: number;
  /** Those in which both took place: the signal counted, and the schedule fired all the same. */
  readonly both: number;
}

const LIMIT_MS = 700;

const FLOW: FlowDef = {
  name: "race",
  nodes: [
    { id: "wait", type: "signal", signalName: "go", timeout: LIMIT_MS, onTimeout: "late" },
    { id: "gone", type: "task", invoker: "f" },
    { id: "late", type: "task", invoker: "f" },
  ],
  edges: [{ from: "wait", to: "gone" }],
};

/** Runs races in a space whose server is not disturbed. */
export async function race(space: Space, { batches, size = 40, replicas = 1 }: RaceOptions): Promise<RaceReport> {
  const f = new Recorder();
  const server = await space.server({ flows: [FLOW], invokers: { f: f.invoke }, replicas });
  await provision(server);
  space.run(server);
  const writes = new WriteWatch(space.nc, space.names);
  const firings = new Firings(space);
  const ways = new Map<string, string>();
  for (let batch = 0; batch < batches; batch++) {
    const ids = Array.from({ length: size }, (_, nth) => `r${batch}-${nth}`);
    const first = firings.next();
    await Promise.all(ids.map((id) => server.start(FLOW.name, {}, { id })));
    // The server fires what is due together one after the other: the signals come while it is at it.
    await within(first, "the first schedule of a batch to fire");
    await Promise.all(ids.map((id) => server.signal(id, "go", { id })));
    for (const id of ids) ways.set(id, await endOf(server, id));
  }
  await checkNothingLeft(space.nc, space.names, server);
  for (const [id, way] of ways) {
    await checkVersions(space.nc, space.names, server, id);
    const keys = new Set(f.keys.filter((key) => key.startsWith(`${id}.`)));
    assertEquals([...keys].map((key) => key.split(".")[1]), [way], `what was run of ${id}`);
  }
  writes.check();
  await checkDeadLetters(server, []);
  const signalled = [...ways].filter(([, way]) => way === "gone").map(([id]) => id);
  return {
    races: ways.size,
    signalled: signalled.length,
    timedOut: ways.size - signalled.length,
    both: signalled.filter((id) => firings.seen.has(id)).length,
  };
}

/** The schedules that the server announces to have fired. */
class Firings {
  /** The executions. */
  readonly seen = new Set<string>();
  #next = Promise.withResolvers<void>();

  constructor({ nc, names }: Space) {
    nc.subscribe(names.events("due"), {
      callback: (error, msg) => {
        if (error !== null) return;
        this.seen.add(msg.subject.split(".").at(-1)!);
        this.#next.resolve();
      },
    });
  }

  /** Resolves when the next one fires. */
  next(): Promise<void> {
    this.#next = Promise.withResolvers<void>();
    return this.#next.promise;
  }
}

/** Waits for the end of a race. Returns the node that was run. */
async function endOf(server: Server, id: string): Promise<string> {
  const { status, currentNode: way, signals, revision } = await ended(server, id);
  assertEquals(status, "completed");
  assertEquals(signals ?? {}, way === "gone" ? { go: { id } } : {}, `the signals of ${id}, which came to ${way}`);
  const history = await server.history(id);
  assertEquals(history.map(({ node }) => node), ["wait", way, way], `the history of ${id}`);
  assertEquals(history.at(-1)!.revision, revision);
  return way;
}

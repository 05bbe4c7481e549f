/** Cancel and resume at the same time as whatever else can happen: one outcome, and everyone sees the same. @module */

import { assert, assertEquals } from "@std/assert";
import { type FlowDef, type Result, type Server, StateError } from "../mod.ts";
import { ended, inSpace, reaches, Recorder, type Space, until } from "./support/mod.ts";

const COUNT = 12;
const OK: Result = { status: "ok" };

/** A first node that something happens to, and one that runs after it. */
function flow(name: string, first: FlowDef["nodes"][number]): FlowDef {
  const after: FlowDef["nodes"][number] = { id: "after", type: "task", invoker: "f" };
  return { name, nodes: [first, after], edges: [{ from: first.id, to: "after" }] };
}

const FLOWS: FlowDef[] = [
  flow("signal", { id: "first", type: "signal", signalName: "go" }),
  flow("expiry", { id: "first", type: "signal", signalName: "go", timeout: "300ms", onTimeout: "after" }),
  flow("activity", { id: "first", type: "task", invoker: "pending" }),
  flow("timeout", { id: "first", type: "task", invoker: "slow", timeout: "150ms" }),
  flow("retry", { id: "first", type: "task", invoker: "flaky", retry: { maxAttempts: 2 } }),
];

interface Race {
  /** The flow. */
  flow: string;
  /** The status and time at which the race begins. */
  begins(server: Server, id: string): Promise<unknown>;
  /** What happens at the same time as the cancel. */
  happens?(server: Server, id: string): Promise<unknown>;
  /** How it may end. */
  ends: string[];
}

const waits = (server: Server, id: string) => reaches(server, id, "waiting");

/** Begins when the server's clock is near what a wait ends with. */
async function nearTheEnd(server: Server, id: string): Promise<void> {
  const { wait } = await until(async () => {
    const execution = await server.get(id);
    return execution.wait?.until !== undefined && execution;
  }, `${id} to wait for a time`) as Awaited<ReturnType<Server["get"]>>;
  await until(() => Date.now() >= wait!.until!.getTime());
}

const RACES: Record<string, Race> = {
  "a signal": {
    flow: "signal",
    begins: waits,
    happens: (server, id) => server.signal(id, "go"),
    ends: ["cancelled", "completed"],
  },
  "the time limit of a signal": { flow: "expiry", begins: nearTheEnd, ends: ["cancelled", "completed"] },
  "the completion of an activity": {
    flow: "activity",
    begins: waits,
    happens: (server, id) => server.completeActivity(id, "first", 0, { status: "ok" }),
    ends: ["cancelled", "completed"],
  },
  "the time limit of a task": {
    flow: "timeout",
    begins: (server, id) => until(async () => Date.now() - (await server.get(id)).updatedAt.getTime() >= 140),
    ends: ["cancelled", "failed"],
  },
  "the next attempt": { flow: "retry", begins: nearTheEnd, ends: ["cancelled", "completed"] },
};

async function twoEngines(space: Space, f: Recorder): Promise<[Server, Server]> {
  const invokers = {
    f: f.invoke,
    pending: () => ({ status: "pending" } as const),
    slow: () => new Promise<Result>(() => {}),
    flaky: ({ attempt }: { attempt: number }): Result => attempt === 0 ? { status: "retry", error: "x" } : OK,
  };
  const one = await space.engine({ flows: FLOWS, invokers });
  const two = await space.engine({ flows: FLOWS, invokers }, await space.connect());
  return [one.server, two.server];
}

for (const [name, race] of Object.entries(RACES)) {
  Deno.test(`of a cancel and ${name} at the same time one wins, and the other changes nothing`, () =>
    inSpace(async (space) => {
      const f = new Recorder();
      const [server, other] = await twoEngines(space, f);
      await server.init();
      await Promise.all(Array.from({ length: COUNT }, async (_, index) => {
        const id = await server.start(race.flow, {}, { id: `r-${index}` });
        await race.begins(server, id);
        const acts = [() => server.cancel(id, "stop"), () => race.happens?.(other, id)];
        await Promise.all((index % 2 === 0 ? acts : acts.reverse()).map((act) => act()));
        await ended(server, id);
      }));
      await until(async () => (await server.backlog()).commands === 0, "every command to be dealt with");
      for (let index = 0; index < COUNT; index++) {
        const id = `r-${index}`;
        const { status, error } = await server.get(id);
        assert(race.ends.includes(status), `${id} is ${status}: ${error}`);
        const history = await server.history(id);
        const ends = history.filter((event) => event.status !== "running" && event.status !== "waiting");
        assertEquals(ends.map((event) => event.status), [status], "one end in its history, the last");
        assertEquals(history.at(-1), ends[0]);
        assert(f.requests.filter(({ executionId }) => executionId === id).length <= 1, "what follows ran at most once");
        if (status === "completed") assertEquals(f.requests.some(({ executionId }) => executionId === id), true);
        if (status === "cancelled") assertEquals(error, "stop");
      }
      const { running, completed, failed, cancelled } = (await server.counts())[race.flow]!;
      assertEquals([running, completed + failed + cancelled], [0, COUNT]);
      assertEquals(await server.byStatus("cancelled").then((ids) => ids.length), cancelled);
    }));
}

Deno.test("of resumes from two sides and a cancel at the same time there is one outcome", () =>
  inSpace(async (space) => {
    const f = new Recorder();
    const [server, other] = await twoEngines(space, f);
    await server.init();
    const outcomes = await Promise.all(Array.from({ length: COUNT }, async (_, index) => {
      const id = await server.start("timeout", {}, { id: `r-${index}` });
      await reaches(server, id, "failed");
      const resumes = [server.resume(id), other.resume(id)].map((resume) =>
        resume.then(() => true, (error) => {
          assert(error instanceof StateError, String(error));
          return false;
        })
      );
      await Promise.all([...resumes, other.cancel(id, "stop")]);
      return (await Promise.all(resumes)).filter(Boolean).length;
    }));
    for (const [index, resumed] of outcomes.entries()) {
      const { status, generation } = await ended(server, `r-${index}`);
      assert(status === "cancelled" || status === "failed", status);
      assert(resumed >= 1 && generation === 1 + resumed, `resumed ${resumed} times, generation ${generation}`);
    }
  }));

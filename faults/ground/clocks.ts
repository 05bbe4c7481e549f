/**
 * Engines whose clocks are an hour apart, and jump. Every time that matters is the server's: outcomes are the reference
 * interpreter's, and no schedule is set for another time than the flow says, by the server's own time stamps.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import type { FlowDef, InvokeRequest, Result } from "../../mod.ts";
import type { Names } from "../../src/names.ts";
import { ended, inSpace, RemoteInvoker, type Space, until, within } from "../../tests/support/mod.ts";
import type { GroundOptions } from "./account.ts";
import { Crowd, type CrowdReport } from "./crowd.ts";
import { ShiftedProcess } from "./shifted_process.ts";

/** An hour and a bit: a time limit of an hour, which flows have, cannot be mistaken for it. */
const JUMP_MS = 3_600_000 + 777_000;

/** How far a schedule may be from what its flow says: far less than an hour, far more than a busy machine takes. */
const TOLERANCE_MS = 30_000;

/** What clocks were seen to do. */
export interface ClockReport extends CrowdReport {
  /** Schedules whose time was compared with the server's time stamps. */
  readonly schedules: number;
  /** How often a clock was set. */
  readonly jumps: number;
  /** The furthest that a schedule was from what its flow says, in milliseconds. */
  readonly furthestMs: number;
}

/** A crowd on two engines whose clocks are ahead and behind by an hour, and change places again and again. */
export async function wrongClocks(options: GroundOptions & { url?: string; jumps: number }): Promise<ClockReport> {
  let report: ClockReport | undefined;
  await inSpace(async (space) => {
    const watch = new ScheduleWatch(space.nc, space.names);
    const crowd = await Crowd.open(space, { ...options, engines: [] });
    const answer = (attempt: Asked) => crowd.world.invoke(asRequest(attempt)) as Promise<Result>;
    new RemoteInvoker(
      space.nc,
      space.namespace,
      (attempt) => attempt.executionId in PLAIN ? plain(attempt) : answer(attempt),
    );
    const flows = [...crowd.flows.map(({ definition }) => definition), TIMED];
    const common = { flows, leaseTtl: "2s", resultCache: true };
    await using ahead = await ShiftedProcess.start(space, { ...common, shift: JUMP_MS });
    await using behind = await ShiftedProcess.start(space, { ...common, shift: -JUMP_MS });
    try {
      report = await play(space, crowd, { watch, engines: [ahead, behind], jumps: options.jumps });
    } finally {
      await crowd.close();
    }
  }, options.url === undefined ? {} : { url: options.url });
  return report!;
}

type Asked = { executionId: string; node: string; generation: number; attempt: number; key: string };

interface Parts {
  readonly watch: ScheduleWatch;
  readonly engines: readonly ShiftedProcess[];
  readonly jumps: number;
}

async function play(space: Space, crowd: Crowd, { watch, engines, jumps }: Parts): Promise<ClockReport> {
  const timed = await space.server({ flows: [TIMED], invokers: { f: () => ({ status: "ok" }) } });
  const running = Promise.all([crowd.run(), ...Object.keys(PLAIN).map((id) => timed.start("timed", {}, { id }))]);
  running.catch(() => {});
  for (let jump = 0; jump < jumps; jump++) {
    const shifts = [JUMP_MS, 0, -JUMP_MS];
    for (const [index, engine] of engines.entries()) {
      const shift = shifts[(jump + index) % shifts.length]!;
      const told = await engine.set(shift);
      assert(Math.abs(told - Date.now() - shift) < 60_000, `the clock was not set: ${told}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await within(running, "everything to be acknowledged");
  for (const id of Object.keys(PLAIN)) {
    const { status, currentNode } = await ended(timed, id);
    assertEquals([status, currentNode], ["completed", "late"]);
    await timed.cancel(id);
  }
  await until(() => watch.seen.size >= Object.keys(PLAIN).length * 3, "the schedules to be seen");
  const schedules = watch.check();
  return { ...await crowd.check(Object.keys(PLAIN)), ...schedules, jumps: jumps * engines.length };
}

/** Executions with every kind of time limit. */
const PLAIN: Readonly<Record<string, true>> = { t0: true, t1: true, t2: true };

const TIMED: FlowDef = {
  name: "timed",
  nodes: [
    { id: "again", type: "task", invoker: "f", retry: { maxAttempts: 2 } },
    { id: "activity", type: "task", invoker: "f", activityTimeout: "1s", retry: { maxAttempts: 2 } },
    { id: "ask", type: "signal", signalName: "never", timeout: "1s", onTimeout: "late" },
    { id: "late", type: "task", invoker: "f" },
  ],
  edges: [{ from: "again", to: "activity" }, { from: "activity", to: "ask" }],
};

function plain({ node, attempt }: Asked): Result {
  if (node === "again" && attempt === 0) return { status: "retry", error: "busy" };
  return node === "activity" && attempt === 0 ? { status: "pending" } : { status: "ok" };
}

function asRequest({ executionId, node, generation, attempt, key }: Asked): InvokeRequest {
  return { executionId, nodeId: node, generation, attempt, idempotencyKey: key } as InvokeRequest;
}

/** How long after they are written schedules fire: retries, time limits of these flows, the safety alarm. */
const DELAYS_MS = [500, 1_000, 3_600_000, 86_400_000];

/** Compares what every schedule is set for with the server's time stamp of it. */
class ScheduleWatch {
  /** The schedules that were seen, by subject and version. */
  readonly seen = new Map<string, number>();
  #fired = 0;
  readonly #early: string[] = [];
  readonly #alarms = new Map<string, number>();

  constructor(nc: NatsConnection, names: Names) {
    nc.subscribe(names.events(), {
      callback: (error, msg) => {
        const head = error === null ? names.parseHead(msg.subject) : undefined;
        const stamp = Date.parse(msg.headers?.get("Nats-Time-Stamp") ?? "");
        if (head === undefined) return;
        if (head.phase === "due") return this.#fires(head.id, stamp);
        const at = /^@at (.+)$/.exec(msg.headers?.get("Nats-Schedule") ?? "")?.[1];
        if (at === undefined || (head.phase !== "delayed" && head.phase !== "waiting")) return;
        this.#alarms.set(head.id, Date.parse(at));
        this.seen.set(`${msg.subject} ${msg.headers?.get("Packtrail-Head")}`, Date.parse(at) - stamp);
      },
    });
  }

  #fires(id: string, stamp: number): void {
    this.#fired++;
    const alarm = this.#alarms.get(id);
    if (alarm !== undefined && stamp < alarm - 1) this.#early.push(`${id} fired ${alarm - stamp} ms early`);
  }

  /** Each is set for a time that a flow says, and none has fired before. */
  check(): { schedules: number; furthestMs: number } {
    const offs = [...this.seen].map(([schedule, delay]) => ({
      schedule,
      delay,
      off: Math.min(...DELAYS_MS.map((wanted) => Math.abs(delay - wanted))),
    }));
    assertEquals(offs.filter(({ off }) => !(off <= TOLERANCE_MS)), [], "schedules set for another time");
    assertEquals(this.#early, []);
    assert(this.#fired > 0, "no schedule has fired");
    return { schedules: this.seen.size, furthestMs: Math.round(Math.max(...offs.map(({ off }) => off))) };
  }
}

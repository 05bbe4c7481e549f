/**
 * Recurring schedules, and removals of ended executions, that the server has forgotten. nats-server 2.15 does not try
 * again to fire a schedule that fell due when there was no room for its message: it never fires again until it is
 * written anew, or the server restarts. `tests/ground_faults_test.ts` pins that.
 *
 * @module
 */

import type { StoredMsg } from "@nats-io/jetstream";
import { headers, type MsgHdrs } from "@nats-io/nats-core";
import type { EndedPhase } from "../core/state.ts";
import { isConflict, isNotFound, type Nats, packtrailError, publish } from "./client.ts";
import { nextFiring } from "./cron.ts";
import { readForwards } from "./read.ts";

const ENDED: readonly EndedPhase[] = ["completed", "failed", "cancelled"];

/** How many are passed over that are to be kept for longer: they ended before the retention was what it is. */
const MOST_KEPT = 1_000;

const KEPT_HEADERS = ["Nats-Schedule", "Nats-Schedule-Target", "Nats-Schedule-Time-Zone"];

/** Writes every recurring schedule anew that is overdue by more than `overdueMs`. Returns how many there were. */
export async function reviveSchedules(nats: Nats, overdueMs: number): Promise<number> {
  const { names, jsm } = nats;
  let revived = 0;
  try {
    for (const filter of [names.cron("*"), names.housekeeping("schedule")]) {
      const info = await jsm.streams.info(names.executionStream(), { subjects_filter: filter });
      for (const subject of Object.keys(info.state.subjects ?? {})) {
        const schedule = await last(nats, subject);
        if (schedule !== null && await isOverdue(nats, schedule, overdueMs) && await rewrite(nats, schedule)) revived++;
      }
    }
  } catch (error) {
    throw packtrailError(error, "looking after recurring schedules");
  }
  return revived;
}

/**
 * Removes ended executions whose retention is over by more than `overdueMs`, as the server was to. Returns how many
 * there were. They are read in the order in which they ended, until many are to be kept for longer.
 */
export async function reviveRemovals(nats: Nats, overdueMs: number, signal?: AbortSignal): Promise<number> {
  const { names, clock } = nats;
  let revived = 0;
  try {
    for (const phase of ENDED) {
      let kept = 0;
      for await (const head of readForwards(nats, names.executionStream(), names.headsIn(phase))) {
        signal?.throwIfAborted();
        const schedule = head.header.get("Nats-Schedule");
        const isKept = schedule === "" || alarmOf(schedule) > clock.now() - overdueMs;
        if (isKept && ++kept > MOST_KEPT) break;
        if (!isKept && await bringDown(nats, head)) revived++;
      }
    }
  } catch (error) {
    throw packtrailError(error, "looking after removals");
  }
  return revived;
}

/** Puts the tombstone above a head that the server was to put there, unless the execution has been resumed. */
async function bringDown(nats: Nats, head: StoredMsg): Promise<boolean> {
  const { flow, id } = nats.names.parseHead(head.subject)!;
  const note = headers();
  note.set("Nats-Expected-Last-Subject-Sequence", String(head.seq));
  note.set("Nats-Expected-Last-Subject-Sequence-Subject", nats.names.headsOf(flow, id));
  return await publishOnce(nats, nats.names.removed(flow, id), head.string(), note);
}

/** When an `@at` schedule falls due, in milliseconds since the epoch. */
export function alarmOf(schedule: string): number {
  return Date.parse(schedule.replace(/^@at /, ""));
}

/** Whether a schedule should have fired since it was written and fired last. */
async function isOverdue(nats: Nats, schedule: StoredMsg, overdueMs: number): Promise<boolean> {
  const note = schedule.header;
  const tick = await last(nats, note.get("Nats-Schedule-Target"));
  const since = Math.max(schedule.time.getTime(), tick?.time.getTime() ?? 0);
  try {
    const next = nextFiring(note.get("Nats-Schedule"), note.get("Nats-Schedule-Time-Zone") || "UTC", new Date(since));
    return next.getTime() < nats.clock.now() - overdueMs;
  } catch {
    return false; // somebody else's, in a form that is not ours
  }
}

/** The same schedule once more, unless it has been changed or removed meanwhile. */
async function rewrite(nats: Nats, schedule: StoredMsg): Promise<boolean> {
  const note = headers();
  for (const name of KEPT_HEADERS) {
    const value = schedule.header.get(name);
    if (value !== "") note.set(name, value);
  }
  note.set("Nats-Expected-Last-Subject-Sequence", String(schedule.seq));
  return await publishOnce(nats, schedule.subject, schedule.string(), note);
}

/** Publishes where the compare-and-set is not lost. Whether it was published. */
async function publishOnce(nats: Nats, subject: string, body: string, headers: MsgHdrs): Promise<boolean> {
  try {
    await publish(nats, subject, body, { headers });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

async function last(nats: Nats, subject: string): Promise<StoredMsg | null> {
  if (subject === "") return null;
  try {
    return await nats.jsm.streams.getMessage(nats.names.executionStream(), { last_by_subj: subject });
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

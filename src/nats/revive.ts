/**
 * Recurring schedules that the server has forgotten. nats-server 2.15 does not try again to fire a schedule that fell
 * due when there was no room for its message: a recurring one never fires again until it is written anew, or the
 * server restarts. `tests/ground_faults_test.ts` pins that.
 *
 * @module
 */

import type { StoredMsg } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { isConflict, isNotFound, type Nats, packtrailError, publish } from "./client.ts";
import { nextFiring } from "./cron.ts";

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
  try {
    await publish(nats, schedule.subject, schedule.string(), { headers: note });
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

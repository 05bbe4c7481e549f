/**
 * Recurring schedules: kept and fired by the server.
 *
 * @module
 */

import { headers } from "@nats-io/nats-core";
import { JetStreamApiError, type StoredMsg } from "@nats-io/jetstream";
import { CronExpressionParser } from "cron-parser";
import { invalid } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { quoted } from "../names.ts";
import { isNoRoom } from "./limits.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";

/** A recurring schedule. */
export interface Schedule {
  /** Its name. */
  name: string;
  /** The flow it starts. */
  flow: string;
  /** When: six fields, seconds first. */
  cron: string;
  /** The IANA time zone the fields are in. */
  timeZone: string;
  /** The payload of the executions it starts. */
  payload: JsonObject;
  /** When it fires next. */
  next: Date;
  /** When it fired last, where it has. */
  last?: Date;
}

const FORM = "six fields: second minute hour day month weekday";

/** What both cron-parser and the server read the same way: the server knows no `L`, `W`, `#` and `H`. */
const FIELD = /^[\dA-Z*,/?-]+$/i;
const WORDS = new Set("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC SUN MON TUE WED THU FRI SAT".split(" "));

/** Checks a cron expression of six fields and its time zone. @throws {ValidationError} */
export function checkCron(path: string, cron: unknown, timeZone: unknown = "UTC"): { cron: string; timeZone: string } {
  const zone = zoneName(timeZone);
  const fields = typeof cron === "string" ? cron.trim().split(/\s+/) : [];
  if (fields.length !== 6 || fields.some((field) => !FIELD.test(field))) {
    throw invalid(path, `${quoted(cron)} is not a cron expression of ${FORM}`);
  }
  const text = fields.join(" ");
  for (const word of text.match(/[A-Z]+/gi) ?? []) {
    if (!WORDS.has(word.toUpperCase())) {
      throw invalid(path, `${quoted(cron)} is not a cron expression: what is ${word}?`);
    }
  }
  if (/\d/.test(fields[5]!) && /[789]/.test(fields[5]!.replace(/\/\d+/g, ""))) {
    throw invalid(path, `${quoted(cron)} is not a cron expression: weekdays are 0 (Sunday) to 6, or SUN to SAT`);
  }
  try {
    CronExpressionParser.parse(text, { tz: zone }).next();
  } catch (cause) {
    throw invalid(path, `${quoted(cron)} is not a cron expression: ${(cause as Error).message}`);
  }
  return { cron: text, timeZone: zone };
}

/** When a schedule fires next. */
export function nextFiring(cron: string, timeZone: string, now: Date): Date {
  return CronExpressionParser.parse(cron, { tz: timeZone, currentDate: now }).next().toDate();
}

/** Sets a recurring schedule, in place of one of the same name. */
export async function setSchedule(nats: Nats, schedule: Omit<Schedule, "next">): Promise<void> {
  const { names } = nats;
  const target = names.tick(schedule.flow, schedule.name);
  await publishCron(nats, names.cron(schedule.name), target, schedule, JSON.stringify(schedule));
}

/**
 * Sets the namespace's own housekeeping schedule. There is one for all instances: the last one to set it decides, and
 * `false` removes it.
 */
export async function setHousekeeping(nats: Nats, cron: string | false): Promise<void> {
  const { names, jsm } = nats;
  const subject = names.housekeeping("schedule");
  const action = "setting up reconciliation";
  const filter = { last_by_subj: subject };
  const found = await jsm.streams.getMessage(names.executionStream(), filter).catch((error) => {
    if (isNotFound(error)) return null;
    throw packtrailError(error, action);
  });
  if (cron !== false) {
    if (found?.header?.get("Nats-Schedule") === cron) return;
    await publishCron(nats, subject, names.housekeeping("tick"), { cron, timeZone: "UTC" }, "");
  } else if (found !== null) {
    await jsm.streams.purge(names.executionStream(), { filter: subject })
      .catch((error) => Promise.reject(packtrailError(error, action)));
  }
}

/** Removes a recurring schedule. Whether there was one. */
export async function removeSchedule(nats: Nats, name: string): Promise<boolean> {
  try {
    const { purged } = await nats.jsm.streams.purge(nats.names.executionStream(), { filter: nats.names.cron(name) });
    return purged > 0;
  } catch (error) {
    if (isNotFound(error) || isNoResponders(error)) return false;
    throw packtrailError(error, `removing schedule ${name}`);
  }
}

/** All recurring schedules, by name. */
export async function listSchedules(nats: Nats): Promise<Schedule[]> {
  const { names, jsm, clock } = nats;
  const stream = names.executionStream();
  try {
    const info = await jsm.streams.info(stream, { subjects_filter: names.cron("*") });
    const messages = await Promise.all(
      Object.keys(info.state.subjects ?? {}).map((subject) =>
        jsm.streams.getMessage(stream, { last_by_subj: subject }).catch((error) => {
          if (isNotFound(error)) return null; // removed meanwhile
          throw error;
        })
      ),
    );
    const schedules = messages.flatMap((message) => message === null ? [] : scheduleIn(message));
    const ticks = await Promise.all(schedules.map((schedule) => lastTick(nats, schedule)));
    return schedules.map((schedule, index) => ({ ...schedule, ...ticks[index] }))
      .map((schedule) => ({ ...schedule, next: nextFiring(schedule.cron, schedule.timeZone, new Date(clock.now())) }))
      .sort((left, right) => left.name < right.name ? -1 : 1);
  } catch (error) {
    if (isNotFound(error) || isNoResponders(error)) return [];
    throw packtrailError(error, "listing schedules");
  }
}

/** The schedule that a message holds; none where someone else has written it. */
function scheduleIn(message: StoredMsg): Omit<Schedule, "next" | "last">[] {
  try {
    const { name, flow, payload, ...when } = JSON.parse(message.string()) as Omit<Schedule, "next" | "last">;
    return [{ name, flow, ...checkCron("cron", when.cron, when.timeZone), payload }];
  } catch {
    return [];
  }
}

/** The last tick of a schedule stays in the stream until the next one takes its place. */
async function lastTick(nats: Nats, { flow, name }: { flow: string; name: string }): Promise<{ last?: Date }> {
  const { names, jsm } = nats;
  try {
    const tick = await jsm.streams.getMessage(names.executionStream(), { last_by_subj: names.tick(flow, name) });
    return tick === null ? {} : { last: tick.time };
  } catch (error) {
    if (isNotFound(error)) return {};
    throw error;
  }
}

async function publishCron(
  nats: Nats,
  subject: string,
  target: string,
  { cron, timeZone }: { cron: string; timeZone: string },
  body: string,
): Promise<void> {
  const note = headers();
  note.set("Nats-Schedule", cron);
  note.set("Nats-Schedule-Target", target);
  note.set("Nats-Schedule-Time-Zone", timeZone);
  try {
    await nats.js.publish(subject, body, { headers: note });
  } catch (error) {
    // 10189 and its neighbours: the server's own cron reader refuses what cron-parser lets through.
    if (error instanceof JetStreamApiError && error.status === 400 && !isNoRoom(error)) {
      throw invalid("cron", `the NATS server does not take ${quoted(cron)}: ${error.message}`);
    }
    throw packtrailError(error, `setting schedule ${subject}`);
  }
}

/** The IANA name of a time zone as the server knows it: the case matters there. @throws {ValidationError} */
function zoneName(name: unknown): string {
  try {
    if (typeof name !== "string" || !/^[A-Za-z]/.test(name)) throw new RangeError("an offset");
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch {
    throw invalid("timeZone", `${quoted(name)} is not a time zone: use an IANA name such as Europe/Rome`);
  }
}

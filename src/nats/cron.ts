/**
 * Recurring schedules: kept and fired by the server.
 *
 * @module
 */

import { headers } from "@nats-io/nats-core";
import { JetStreamApiError } from "@nats-io/jetstream";
import { CronExpressionParser } from "cron-parser";
import { invalid } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { quoted } from "../names.ts";
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

/** Checks a cron expression of six fields and its time zone. @throws {ValidationError} */
export function checkCron(path: string, cron: unknown, timeZone: unknown = "UTC"): { cron: string; timeZone: string } {
  if (typeof timeZone !== "string" || !isTimeZone(timeZone)) {
    throw invalid("timeZone", `${quoted(timeZone)} is not a time zone: use an IANA name such as Europe/Rome`);
  }
  if (typeof cron !== "string" || cron.trim().split(/\s+/).length !== 6 || !/^[\dA-Za-z*,\/?\- ]+$/.test(cron)) {
    throw invalid(path, `${quoted(cron)} is not a cron expression of six fields: second minute hour day month weekday`);
  }
  try {
    CronExpressionParser.parse(cron, { tz: timeZone });
  } catch (cause) {
    throw invalid(path, `${quoted(cron)} is not a cron expression: ${(cause as Error).message}`);
  }
  return { cron: cron.trim().split(/\s+/).join(" "), timeZone };
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

/** Sets the namespace's own housekeeping schedule; removes it where there is no cron expression. */
export async function setHousekeeping(nats: Nats, cron: string | undefined): Promise<void> {
  const { names, jsm } = nats;
  const subject = names.housekeeping("schedule");
  const filter = { last_by_subj: subject };
  const found = await jsm.streams.getMessage(names.executionStream(), filter).catch((error) => {
    if (isNotFound(error)) return null;
    throw packtrailError(error, "setting up reconciliation");
  });
  if (found?.header.get("Nats-Schedule") === cron) return;
  if (cron !== undefined) {
    await publishCron(nats, subject, names.housekeeping("tick"), { cron, timeZone: "UTC" }, "");
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
        jsm.streams.getMessage(stream, { last_by_subj: subject })
      ),
    );
    const schedules = messages.filter((message) => message !== null)
      .map((message) => JSON.parse(message.string()) as Omit<Schedule, "next" | "last">);
    const ticks = await Promise.all(schedules.map((schedule) => lastTick(nats, schedule)));
    return schedules.map((schedule, index) => ({ ...schedule, ...ticks[index] }))
      .map((schedule) => ({ ...schedule, next: nextFiring(schedule.cron, schedule.timeZone, new Date(clock.now())) }))
      .sort((left, right) => left.name < right.name ? -1 : 1);
  } catch (error) {
    if (isNotFound(error) || isNoResponders(error)) return [];
    throw packtrailError(error, "listing schedules");
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
    if (error instanceof JetStreamApiError && error.status === 400) {
      throw invalid("cron", `the NATS server does not take ${quoted(cron)}: ${error.message}`);
    }
    throw packtrailError(error, `setting schedule ${subject}`);
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

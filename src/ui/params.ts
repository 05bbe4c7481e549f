/**
 * Query parameters, checked.
 *
 * @module
 */

import type { ExecutionStatus } from "../../mod.ts";
import { badRequest } from "./problem.ts";

/** The statuses, in the order they are shown. */
export const STATUSES: readonly ExecutionStatus[] = ["running", "waiting", "completed", "failed", "cancelled"];

const NAME = /^[A-Za-z0-9_-]{1,128}$/;
const AGO = /^(\d{1,6})(s|m|h|d)$/;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_TEXT = 200;

/** Refuses parameters that the route does not know: a misspelt filter must not look like one that matches all. */
export function checkKnown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw badRequest(`unknown parameter ${JSON.stringify(name)}`);
    if (query.getAll(name).length > 1) throw badRequest(`parameter ${name} is given more than once`);
  }
}

/** A status, where one is given. */
export function statusParam(query: URLSearchParams): ExecutionStatus | undefined {
  const value = query.get("status");
  if (!value) return undefined;
  const status = STATUSES.find((status) => status === value);
  if (status === undefined) throw badRequest(`status: ${quote(value)} is not one of ${STATUSES.join(", ")}`);
  return status;
}

/** A name, where one is given. */
export function nameParam(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  if (!value) return undefined;
  if (!NAME.test(value)) throw badRequest(`${name}: ${quote(value)} is not a name: letters, digits, _ and -`);
  return value;
}

/** A whole number between two, where one is given. */
export function numberParam(query: URLSearchParams, name: string, [least, most]: [number, number]): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  if (!(number >= least && number <= most)) {
    throw badRequest(`${name}: ${quote(value)} is not a whole number from ${least} to ${most}`);
  }
  return number;
}

/** A time, where one is given: `2026-01-31T12:00`, UTC where it does not say; or `15m`, `24h`, `7d` ago. */
export function timeParam(query: URLSearchParams, name: string, now: Date): Date | undefined {
  const value = query.get(name);
  if (!value) return undefined;
  const ago = AGO.exec(value);
  if (ago !== null) return new Date(now.getTime() - Number(ago[1]) * UNITS[ago[2]!]!);
  const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(value);
  const time = /^\d{4}-\d\d-\d\d/.test(value)
    ? new Date(hasZone || value.length <= 10 ? value : `${value}Z`)
    : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw badRequest(`${name}: ${quote(value)} is not a time: use 2026-01-31T12:00Z, or 15m, 24h, 7d ago`);
  }
  return time;
}

/** A short text, where one is given. */
export function textParam(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name)?.trim();
  if (!value) return undefined;
  if (value.length > MAX_TEXT) throw badRequest(`${name}: is longer than ${MAX_TEXT} characters`);
  return value;
}

/** A name in a path. */
export function pathName(value: string, what: string): string {
  if (NAME.test(value)) return value;
  throw badRequest(`${what}: ${quote(value)} is not a name: letters, digits, _ and -`);
}

function quote(value: string): string {
  return JSON.stringify(value.slice(0, 80));
}

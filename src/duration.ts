/**
 * Durations: a number of milliseconds, or a Go-style string.
 *
 * @module
 */

/** A duration: a number of milliseconds, or a Go-style string (`"250ms"`, `"30s"`, `"2m"`, `"24h"`, `"1h30m"`). */
export type Duration = number | string;

/** The longest duration that is accepted, in milliseconds: 100 years. */
export const MAX_DURATION_MS: number = 100 * 365 * 24 * 3_600_000;

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * The milliseconds of a duration, or `undefined` where it is not one: not finite, not positive, longer than 100
 * years, or a string of another form.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseDuration("1h30m"), 5_400_000);
 * assertEquals(parseDuration(250), 250);
 * assertEquals(parseDuration("soon"), undefined);
 * ```
 */
export function parseDuration(value: unknown): number | undefined {
  const ms = typeof value === "number" ? value : typeof value === "string" ? parseText(value) : undefined;
  return ms !== undefined && ms > 0 && ms <= MAX_DURATION_MS ? ms : undefined;
}

function parseText(text: string): number | undefined {
  if (text.length > 64) return undefined;
  let total = 0;
  let end = 0;
  for (const match of text.matchAll(PART)) {
    total += Number(match[1]) * MS_PER_UNIT[match[2]!]!;
    end = match.index + match[0].length;
  }
  return end === text.length && end > 0 ? total : undefined;
}

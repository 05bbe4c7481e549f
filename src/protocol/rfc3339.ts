/**
 * Points in time as RFC 3339, the form that Go's `time.Time` has in JSON.
 *
 * @module
 */

const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const LAST_YEAR = 9_999;

/**
 * Writes a time in UTC with milliseconds, or returns `undefined` where RFC 3339 cannot: an invalid date, or a year that
 * has not four digits.
 */
export function formatRfc3339(time: Date): string | undefined {
  const year = time.getUTCFullYear();
  return year >= 0 && year <= LAST_YEAR ? time.toISOString() : undefined;
}

/**
 * Reads a time in any offset, or returns `undefined` where the text is not RFC 3339. What is finer than a millisecond
 * is cut off.
 */
export function parseRfc3339(text: string): Date | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Fields;
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day); // `Date.UTC` would take the years 0 to 99 for 1900 to 1999
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined;
  const ms = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === "-" ? -1 : 1);
  time.setUTCHours(hour, minute - offset, second, ms);
  return time;
}

type Fields = [number, number, number, number, number, number];

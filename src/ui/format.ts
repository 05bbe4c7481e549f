/**
 * Numbers, times and durations as people read them.
 *
 * @module
 */

/** Less than this is now, in milliseconds. */
const SOON = 1_500;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration: `340 ms`, `1.24 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${trim((ms / SECOND).toFixed(2))} s`;
  if (ms < MINUTE) return `${trim((ms / SECOND).toFixed(1))} s`;
  if (ms < HOUR) return pair(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "min");
  return pair(ms, DAY, "d", HOUR, "h");
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** A number of things. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A share in per cent. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "0%";
  const value = part / whole * 100;
  return `${value > 0 && value < 10 ? trim(value.toFixed(1)) : Math.round(value)}%`;
}

/** A time in UTC, to the second. */
export function clock(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How far a time is from now: `12 s ago`, `in 3 min`. */
export function relative(time: Date, now: Date): string {
  const difference = time.getTime() - now.getTime();
  if (difference >= SOON) return `in ${coarse(difference)}`;
  return difference > -SOON ? "now" : `${coarse(-difference)} ago`;
}

/** A size in bytes. */
export function bytes(size: number): string {
  if (size < 1_024) return `${size} B`;
  if (size < 1_048_576) return `${trim((size / 1_024).toFixed(1))} KB`;
  return `${trim((size / 1_048_576).toFixed(1))} MB`;
}

function coarse(ms: number): string {
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return duration(seconds * SECOND);
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const whole = Math.floor(ms / large);
  const rest = Math.floor((ms % large) / small);
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/**
 * Cron expressions in words.
 *
 * @module
 */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const DAY_NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const MONTH_NAMES = MONTHS.map((name) => name.slice(0, 3).toUpperCase());

/** A cron expression of six fields in words; the expression itself where it is not one. */
export function cronInWords(cron: string): string {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 6) return cron;
  const [second, minute, hour, day, month, weekday] = fields as [string, string, string, string, string, string];
  const words = [timeWords(second, minute, hour), dayWords(day, weekday), monthWords(month)];
  return words.filter((part) => part !== "").join(" ");
}

function timeWords(second: string, minute: string, hour: string): string {
  const isFixed = [second, minute, hour].every(isNumber);
  if (isFixed) return `at ${two(hour)}:${two(minute)}${second === "0" ? "" : `:${two(second)}`}`;
  if (isNumber(second) && isNumber(minute) && isList(hour)) {
    return `at ${andList(hour.split(",").map((part) => `${two(part)}:${two(minute)}`))}`;
  }
  const parts = [unitWords(second, "second"), unitWords(minute, "minute"), unitWords(hour, "hour")];
  if (second === "0") parts[0] = "";
  if (second === "0" && minute === "0") parts[1] = "";
  // "every minute of every hour" says no more than "every minute".
  const first = parts.findIndex((part) => part !== "");
  return parts.filter((part, index) =>
    part !== "" && (index === first || fieldsAreNarrow(index, [second, minute, hour]))
  ).join(
    " of ",
  );
}

function fieldsAreNarrow(index: number, fields: readonly string[]): boolean {
  return fields[index] !== "*" && fields[index] !== "?";
}

function unitWords(field: string, unit: string): string {
  if (field === "*" || field === "?") return `every ${unit}`;
  const step = /^(\*|\d+(?:-\d+)?)\/(\d+)$/.exec(field);
  if (step !== null) {
    const every = step[2] === "1" ? `every ${unit}` : `every ${step[2]} ${unit}s`;
    return step[1] === "*" || step[1] === "0" ? every : `${every} from ${unit} ${step[1]!.replace("-", " to ")}`;
  }
  const range = /^(\d+)-(\d+)$/.exec(field);
  if (range !== null) return `${unit}s ${range[1]} to ${range[2]}`;
  return `${unit} ${isList(field) ? andList(field.split(",")) : field}`;
}

function dayWords(day: string, weekday: string): string {
  const anyDay = day === "*" || day === "?";
  const anyWeekday = weekday === "*" || weekday === "?";
  if (anyDay && anyWeekday) return "";
  const ofMonth = anyDay ? "" : `on ${unitWords(day, "day").replace(/^every /, "every ")} of the month`;
  const ofWeek = anyWeekday ? "" : `on ${weekdayWords(weekday)}`;
  return [ofMonth, ofWeek].filter((part) => part !== "").join(" or ");
}

function weekdayWords(field: string): string {
  if (field === "1-5" || field.toUpperCase() === "MON-FRI") return "weekdays";
  return named(field, (part) => DAYS[DAY_NAMES.indexOf(part.toUpperCase())] ?? DAYS[Number(part)] ?? part);
}

function monthWords(field: string): string {
  if (field === "*" || field === "?") return "";
  return `in ${
    named(field, (part) => MONTHS[MONTH_NAMES.indexOf(part.toUpperCase())] ?? MONTHS[Number(part) - 1] ?? part)
  }`;
}

function named(field: string, name: (part: string) => string): string {
  return andList(field.split(",").map((part) => part.split("-").map(name).join(" to ")));
}

function isNumber(field: string): boolean {
  return /^\d+$/.test(field);
}

function isList(field: string): boolean {
  return /^\d+(,\d+)+$/.test(field);
}

function two(field: string): string {
  return field.padStart(2, "0");
}

function andList(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

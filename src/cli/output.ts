/**
 * What the command prints: tables and text with colour for people on a terminal, JSON for programs.
 *
 * @module
 */

import process from "node:process";
import { environment } from "./environment.ts";

/** The styles that text has on a terminal. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

const CODES: Readonly<Record<Style, [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

/** A column of a table. */
export interface Column<Row> {
  /** Its heading. */
  readonly title: string;
  /** The text of a cell. */
  cell(row: Row): string;
  /** The style of a cell. */
  style?(row: Row): Style | undefined;
}

/** How the command prints. */
export class Output {
  /** Whether everything is printed as JSON. */
  readonly isJson: boolean;
  readonly #isColoured: boolean;

  /** Creates an output; colours are for terminals only, and not where `NO_COLOR` is set. */
  constructor(options: { json: boolean }) {
    this.isJson = options.json;
    this.#isColoured = !options.json && environment("NO_COLOR") === undefined && process.stdout.isTTY === true;
  }

  /** Text with a style, where there is colour. */
  styled(text: string, style: Style | undefined): string {
    if (!this.#isColoured || style === undefined) return text;
    const [on, off] = CODES[style];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  }

  /** Prints a line for people; nothing where JSON is asked for. */
  say(text: string): void {
    if (!this.isJson) console.log(text);
  }

  /** Warns people, on standard error; programs find the warning in what they are given. */
  warn(text: string): void {
    if (!this.isJson) console.error(`warning: ${printable(text)}`);
  }

  /** Prints a value for programs; nothing where it is not asked for. */
  json(value: unknown): void {
    if (this.isJson) console.log(JSON.stringify(value, null, 2));
  }

  /** Prints a value of many for programs, one a line. */
  jsonLine(value: unknown): void {
    if (this.isJson) console.log(JSON.stringify(value));
  }

  /** Prints rows: a table for people, a list for programs. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): void {
    if (this.isJson) return this.json(rows);
    if (rows.length === 0) return this.say(this.styled(none, "dim"));
    const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
    const widths = columns.map(({ title }, at) => Math.max(title.length, ...cells.map((row) => row[at]!.length)));
    const line = (texts: readonly string[], style: (at: number) => Style | undefined) =>
      texts.map((text, at) => {
        const isLast = at === texts.length - 1;
        return this.styled(text, style(at)) + (isLast ? "" : " ".repeat(widths[at]! - text.length));
      }).join("  ").trimEnd();
    this.say(line(columns.map(({ title }) => title), () => "bold"));
    rows.forEach((row, index) => this.say(line(cells[index]!, (at) => columns[at]!.style?.(row))));
  }

  /** Prints what one thing is made of: names and values, for people. */
  fields(fields: readonly (readonly [name: string, value: string | undefined, style?: Style | undefined])[]): void {
    const known = fields.filter(([, value]) => value !== undefined);
    const width = Math.max(...known.map(([name]) => name.length));
    for (const [name, value, style] of known) {
      const text = printable(value!, true).replaceAll("\n", `\n${" ".repeat(width + 2)}`);
      this.say(`${this.styled(name.padEnd(width), "dim")}  ${this.styled(text, style)}`);
    }
  }
}

/** Text from outside without what would steer a terminal. */
export function printable(text: string, keepLines = false): string {
  // deno-lint-ignore no-control-regex
  const shown = text.replaceAll(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "\u00b7");
  return keepLines ? shown : shown.replaceAll("\n", " ");
}

/** The style of a status. */
export function statusStyle(status: string): Style | undefined {
  const styles: Readonly<Record<string, Style>> = {
    running: "blue",
    waiting: "yellow",
    completed: "green",
    failed: "red",
    cancelled: "magenta",
  };
  return styles[status];
}

/** A time as people read it: the local date and time, to the millisecond. */
export function shownMoment(time: Date): string {
  return `${shownTime(time)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

/** The same without the date. */
export function shownClock(time: Date): string {
  return shownMoment(time).split(" ")[1]!;
}

/** A time as people read it: the local date and time, to the second. */
export function shownTime(time: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(two).join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** A duration as people read it. */
export function shownDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Says on a terminal what is being waited for, where it takes longer than a second. */
export async function withProgress<T>(what: string, run: () => Promise<T>): Promise<T> {
  if (process.stderr.isTTY !== true) return await run();
  const began = performance.now();
  const write = (text: string) => process.stderr.write(text);
  let isShown = false;
  const timer = setInterval(() => {
    isShown = true;
    write(`\r${what} ... ${Math.round((performance.now() - began) / 1_000)} s`);
  }, 1_000);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    if (isShown) write(`\r${" ".repeat(what.length + 12)}\r`);
  }
}

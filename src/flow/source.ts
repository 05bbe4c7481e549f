/**
 * What a flow is read from, whatever it was written in: a tree of values that know their place.
 *
 * YAML text and `FlowDef` values both become this tree, so that one reader and one set of checks serves both.
 *
 * @module
 */

import { quoted } from "../names.ts";

/** How the fields are spelled in a source: `max_attempts` in YAML, `maxAttempts` in a `FlowDef`. */
export type Spelling = "snake" | "camel";

/** Where a value stands in its source: a step below the place of the value around it. */
export interface Place {
  /** The place of the list or mapping around the value; absent for the whole document. */
  readonly parent?: Place;
  /** The key or index of the value in its parent. */
  readonly step?: string | number;
  /** Where the value begins in the text, where there is a text. */
  readonly offset?: number;
  /** The offset in the text of a place inside a string value, where it can be told. */
  readonly inside?: (line: number, column: number) => number | undefined;
}

/** A value that was read, told apart by `kind`. */
export type Value = ScalarValue | ListValue | TableValue | OtherValue;

/** A string, number, boolean or `null`. */
export interface ScalarValue {
  /** The kind of value. */
  readonly kind: "scalar";
  /** The value. */
  readonly value: string | number | boolean | null;
  /** How the value was written, where that is not its JSON: the YAML number `1.0`. */
  readonly written?: string;
  /** Where it stands. */
  readonly place: Place;
}

/** A list. */
export interface ListValue {
  /** The kind of value. */
  readonly kind: "list";
  /** The items. */
  readonly items: readonly Value[];
  /** Where it stands. */
  readonly place: Place;
}

/** A mapping with string keys, each of them once. */
export interface TableValue {
  /** The kind of value. */
  readonly kind: "table";
  /** The values by key, with the place of the key itself. */
  readonly entries: ReadonlyMap<string, { readonly key: Place; readonly value: Value }>;
  /** Where it stands. */
  readonly place: Place;
}

/** Something that JSON has no word for: a function, a `Date`. */
export interface OtherValue {
  /** The kind of value. */
  readonly kind: "other";
  /** What it is, in words. */
  readonly what: string;
  /** Where it stands. */
  readonly place: Place;
}

/** A source holds at most this much text: bytes of YAML, or characters of all strings in a value together. */
export const MAX_SOURCE_SIZE: number = 1024 * 1024;

/** Lists and mappings are nested at most this deep. */
export const MAX_DEPTH = 64;

/** A `FlowDef` holds at most this many values in all; 1 MiB of YAML cannot hold more. */
export const MAX_VALUES: number = 1024 * 1024;

/** The path of a place: `nodes[2].retry.max_attempts`; `"flow"` for the whole document. */
export function pathOf(place: Place): string {
  const steps: (string | number)[] = [];
  for (let at: Place | undefined = place; at?.step !== undefined; at = at.parent) steps.push(at.step);
  if (steps.length === 0) return "flow";
  return steps.reverse().map(stepText).join("").replace(/^\./, "");
}

function stepText(step: string | number): string {
  if (typeof step === "number") return `[${step}]`;
  return /^[A-Za-z0-9_-]{1,128}$/.test(step) ? `.${step}` : `[${quoted(step)}]`;
}

/** A value in a few words, for a message that says what was found: `the number 3`, `a list`. */
export function describe(value: Value): string {
  switch (value.kind) {
    case "list":
      return "a list";
    case "table":
      return "a mapping";
    case "other":
      return value.what;
    case "scalar":
      return describeScalar(value);
    default:
      return value satisfies never;
  }
}

function describeScalar({ value, written }: ScalarValue): string {
  if (value === null) return "nothing";
  if (typeof value === "string") return `the string ${quoted(value)}`;
  const text = quotable(written ?? String(value));
  return typeof value === "number" ? `the number ${text}` : text;
}

function quotable(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

/** The line and column of an offset in a text, both from 1; lines end with LF or CRLF. */
export function positionIn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1 && end < offset; end = text.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

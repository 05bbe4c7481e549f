/**
 * Dead letters as they may be shown: what is redacted in an execution is redacted too in what was to become a part of
 * one.
 *
 * @module
 */

import type { DeadLetter, Json } from "../../mod.ts";
import { isObject } from "./body.ts";
import type { CheckedOptions } from "./options.ts";
import { REDACTED, type Redactor } from "./redact.ts";

/**
 * What reasons quote of a body: a value as JSON, of which the end may be cut off. A text that ends leaves what comes
 * after it; whatever else begins like a value hides all the rest.
 */
const QUOTATION = /"(?:[^"\\]|\\.)*"|["[{].*|(?<=\bit is )-?\d[-+.\de]*/gs;

/** The type of a command, and what it is for, in the subject it came on. */
const COMMAND = /\.in\.(start|signal|complete)\.[^.]+(?:\.([^.]+))?/;

/** A dead letter without what is not to be shown. */
export function shownLetter(letter: DeadLetter, { redact, isRedacting }: CheckedOptions): DeadLetter {
  if (!isRedacting) return letter;
  const reason = letter.reason.replaceAll(QUOTATION, REDACTED);
  return letter.body === undefined ? { ...letter, reason } : { ...letter, reason, body: shownBody(letter, redact) };
}

function shownBody(letter: DeadLetter, redact: Redactor): Json {
  const body = letter.body!;
  if (body === null) return null;
  // No path finds anything in a text, which may be the beginning of a body that was too large.
  if (typeof body !== "object") return REDACTED;
  return shownParts(redact(body, ["body"]), letter, redact);
}

/** Hides what the parts of an execution hide that a body holds, or was to become. */
function shownParts(body: Json, { source, subject, key }: DeadLetter, redact: Redactor): Json {
  const as = partsWith(redact);
  switch (source) {
    case "work":
      return shownState(body, redact);
    case "async":
      return changeField(body, "state", (state) => shownState(state, redact));
    case "schedule":
      return changeField(body, "payload", (payload) => as(payload, ["input"]));
    case "signal":
    case "ingress": {
      const [, command, name = ""] = COMMAND.exec(subject ?? key) ?? [];
      if (command === "start") return as(body, ["input"], ["payload"]);
      if (command === "signal") return as(body, ["signals", name], ["payload"]);
      return changeField(body, "payload", (payload) => as(payload, ["results", name], ["branches", name]));
    }
    default: {
      const _none: never = source;
      return REDACTED;
    }
  }
}

/** The state of an execution: its values are kept as `{value}`. */
function shownState(state: Json, redact: Redactor): Json {
  const as = partsWith(redact);
  const stored = (found: Json, ...parts: string[][]) => changeField(found, "value", (value) => as(value, ...parts));
  const all = (part: string, value: Json) =>
    changeFields(value, (found, name) => stored(found, [part, name], ["branches", name], ["payload"]));
  return changeFields(state, (found, part) => {
    if (part === "input") return stored(found, ["input"], ["payload"]);
    return part === "results" || part === "signals" ? all(part, found) : found;
  });
}

/** Redacts a value as each of the parts of an execution that it is. */
function partsWith(redact: Redactor): (value: Json, ...parts: string[][]) => Json {
  return (value, ...parts) => parts.reduce<Json>((shown, part) => redact(shown, part), value);
}

function changeField(value: Json, name: string, change: (found: Json) => Json): Json {
  return changeFields(value, (found, key) => key === name ? change(found) : found);
}

function changeFields(value: Json, change: (found: Json, key: string) => Json): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, found]) => [key, change(found, key)]));
}

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

/** What came on a subject, and what it is for: the command of an inbox, the head of an execution, or a tick. */
const SUBJECT = /^[^.]+\.(?:in\.(start|signal|complete)\.[^.]+(?:\.([^.]+))?|(exec|tick)\.)/;

/** Where the pages of an execution show its input. */
const INPUT = [["input"], ["payload"]];

/** Where they show the payload of a signal. */
function signalPaths(name: string): string[][] {
  return [["signals", name], ["payload", name], ["payload"]];
}

/** Where they show the output of a node: `payload.value` is one that is no object, after something was merged in. */
function resultPaths(node: string): string[][] {
  const branches = [["branches", node], ["branches", node, "result"], ["payload", "branches", node]];
  return [["results", node], ...branches, ["payload"], ["payload", "value"]];
}

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

/** Hides what the pages of an execution hide of the values that a body holds, or that were to become a part of one. */
function shownParts(body: Json, { source, subject, key }: DeadLetter, redact: Redactor): Json {
  const hide = hider(redact);
  switch (source) {
    case "work":
      return shownState(body, redact);
    case "async":
      return changeField(body, "state", (state) => shownState(state, redact));
    case "schedule":
      return changeField(body, "payload", (payload) => hide(payload, INPUT));
    case "signal":
    case "ingress": {
      const [, command, name = "", other] = SUBJECT.exec(subject ?? key) ?? [];
      if (other === "exec") return shownState(body, redact);
      if (other === "tick") return changeField(body, "payload", (payload) => hide(payload, INPUT));
      if (command === "start") return hide(body, INPUT);
      if (command === "signal") return hide(body, signalPaths(name));
      return changeField(body, "payload", (payload) => hide(payload, resultPaths(name)));
    }
    default: {
      const _none: never = source;
      return REDACTED;
    }
  }
}

/** The state of an execution: its values are kept as `{value}`. */
function shownState(state: Json, redact: Redactor): Json {
  const hide = hider(redact);
  const stored = (found: Json, paths: string[][]) => changeField(found, "value", (value) => hide(value, paths));
  return changeFields(state, (found, part) => {
    if (part === "input") return stored(found, INPUT);
    if (part === "signals") return changeFields(found, (signal, name) => stored(signal, signalPaths(name)));
    return part === "results" ? changeFields(found, (result, node) => stored(result, resultPaths(node))) : found;
  });
}

/** Hides of a value what is hidden under any of the paths it is shown at. */
function hider(redact: Redactor): (value: Json, paths: string[][]) => Json {
  return (value, paths) => paths.reduce<Json>((shown, path) => redact(shown, path), value);
}

function changeField(value: Json, name: string, change: (found: Json) => Json): Json {
  return changeFields(value, (found, key) => key === name ? change(found) : found);
}

function changeFields(value: Json, change: (found: Json, key: string) => Json): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, found]) => [key, change(found, key)]));
}

/** Names, subjects, durations, times and cron expressions. @module */

import fc from "fast-check";
import { parseDuration } from "../../src/duration.ts";
import { ValidationError } from "../../src/errors.ts";
import { checkName, checkNamespace, isName, Names, quoted } from "../../src/names.ts";
import { checkCron, nextFiring } from "../../src/nats/cron.ts";
import { CommandError, encodeCommand, parseCommand } from "../../src/nats/inbox.ts";
import { objectText, payloadText } from "../../src/server/checks.ts";
import { parseRfc3339 } from "../../src/protocol/rfc3339.ts";
import { PayloadTooLargeError } from "../../src/errors.ts";
import { canonical } from "../canonical.ts";
import type { Target } from "./target.ts";
import { anyText, changed, hostileJson, NUMBERS, soup, SPECIAL } from "./texts.ts";

const NAMES = new Names("ns");

const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true });

/** Whether a check lets something through; what it refuses is a `ValidationError`. */
function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    const isRight = error instanceof ValidationError || error instanceof PayloadTooLargeError;
    if (!isRight || error.message.length > 1_000) throw error;
    return false;
  }
}

const token = fc.oneof(
  fc.constantFrom("start", "signal", "complete", "cancel", "resume", "a", "x", "n0", "0", "1", "-1", "", "*", ">"),
  fc.constantFrom(...SPECIAL, ...NUMBERS),
  fc.string({ maxLength: 10 }),
  fc.string({ minLength: 120, maxLength: 140, unit: fc.constantFrom("a", "-") }),
);

/** A subject and body of the inbox. */
interface Received {
  readonly subject: string;
  readonly body: string;
}

const command: Target<Received> = {
  name: "command",
  share: 8,
  inputs: fc.record({
    subject: fc.oneof(
      { weight: 4, arbitrary: fc.array(token, { maxLength: 6 }).map((tokens) => `ns.in.${tokens.join(".")}`) },
      {
        weight: 4,
        arbitrary: changed(
          fc.constantFrom(
            "start.a",
            "start.a.x",
            "signal.x.go",
            "complete.x.n0.0",
            "complete.x.n0.1.2",
            "cancel.x",
            "resume.x",
          )
            .map((rest) => `ns.in.${rest}`),
          [".", "x", "0", " ", ...SPECIAL],
        ),
      },
      { weight: 1, arbitrary: anyText },
    ),
    body: fc.oneof(
      hostileJson.map((value) => JSON.stringify(value) ?? ""),
      fc.constantFrom("", "{}", `{"reason":"no"}`, `{"reason":1}`, `{"status":"ok"}`, "null", "\ufeff{}"),
      anyText,
    ),
  }),
  attempt: ({ subject, body }) => {
    try {
      const command = parseCommand(NAMES, subject, body);
      const { subject: again, body: text } = encodeCommand(NAMES, command);
      if (canonical(parseCommand(NAMES, again, text)) !== canonical(command)) throw new Error("it is another command");
      return true;
    } catch (error) {
      if (error instanceof CommandError && error.message.length < 1_000) return false;
      throw error;
    }
  },
};

const subject: Target<string> = {
  name: "subject",
  share: 4,
  inputs: fc.oneof(
    changed(fc.constantFrom("ns.exec.ready.f.x", "ns.exec.removed.f.x", "ns.events.due.f.x"), [".", "x", ...SPECIAL]),
    anyText,
    soup(["ns", ".", "exec", "*", ">", "removed", "tick", "x"], 12),
  ),
  attempt: (text) => {
    NAMES.isRemoved(text);
    const head = NAMES.parseHead(text);
    if (head === undefined) return false;
    const { phase, flow, id } = head;
    if ([phase, flow, id].some((part) => part === "" || part.includes("."))) throw new Error("it is no subject");
    return true;
  },
};

const name: Target = {
  name: "name",
  share: 4,
  inputs: fc.oneof(token, anyText, anything),
  attempt: (value) => {
    quoted(value);
    const isLegal = passes(() => checkName("id", value));
    if (isLegal !== isName(value)) throw new Error("two answers");
    passes(() => checkNamespace(value));
    return isLegal;
  },
};

/** What callers give as a payload is JSON and stays what it is, or is refused. */
const payload: Target = {
  name: "payload",
  share: 4,
  inputs: fc.oneof(anything, hostileJson, fc.object({ maxDepth: 4 })),
  attempt: (value) => {
    passes(() => objectText("payload", value, 2_000));
    let text = "";
    if (!passes(() => text = payloadText("payload", value, 2_000))) return false;
    if (canonical(JSON.parse(text)) !== canonical(value)) throw new Error("it is another value as text");
    return true;
  },
};

const DURATION_WORDS = [..."1 0 . 9 - + ns us µs ms s m h e5 _ d".split(" "), " "];

const time: Target<unknown> = {
  name: "duration and time",
  share: 4,
  inputs: fc.oneof(
    soup(DURATION_WORDS, 12),
    fc.constantFrom(...NUMBERS, ...NUMBERS.map(Number), "1".repeat(63) + "s"),
    fc.double(),
    changed(fc.constantFrom("2026-01-02T03:04:05.678Z", "0001-01-01T00:00:00+23:59"), ["0", "9", "-", ":", "Z", "."]),
    anything,
  ),
  attempt: (value) => {
    const ms = parseDuration(value);
    if (ms !== undefined && !(Number.isFinite(ms) && ms > 0)) throw new Error(`a duration of ${ms}`);
    const at = typeof value === "string" ? parseRfc3339(value) : undefined;
    if (at !== undefined && Number.isNaN(at.getTime())) throw new Error("no time");
    return ms !== undefined || at !== undefined;
  },
};

const FIELDS = [..."* ? 0 1 59 60 7 31 JAN MON * / , - 1-5 */2 0/15 L W # H 99999999999 MON-FRI 5-1 */0 1,".split(" ")];

const cron: Target<{ cron: unknown; zone: unknown }> = {
  name: "cron",
  share: 1,
  inputs: fc.record({
    cron: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.array(fc.constantFrom(...FIELDS), { minLength: 5, maxLength: 7 }).map((f) => f.join(" ")),
      },
      { weight: 3, arbitrary: changed(fc.constantFrom("0 0 9 * * MON-FRI", "*/5 * * * * *", "0 0 0 29 2 *"), FIELDS) },
      { weight: 1, arbitrary: fc.oneof(anyText, anything) },
    ),
    zone: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("UTC", "Europe/Rome", "America/New_York", "Asia/Kathmandu") },
      { weight: 1, arbitrary: fc.oneof(anyText, anything, fc.constantFrom("+01:00", "utc", "Etc/GMT+5", "__proto__")) },
    ),
  }),
  attempt: ({ cron, zone }) => {
    let checked: { cron: string; timeZone: string } | undefined;
    if (!passes(() => checked = checkCron("cron", cron, zone))) return false;
    const now = new Date("2026-03-01T00:00:00Z");
    if (nextFiring(checked!.cron, checked!.timeZone, now) <= now) throw new Error("it fires in the past");
    return true;
  },
};

/** The targets. */
export const NAME_TARGETS: readonly Target[] = [command, subject, name, payload, time, cron];

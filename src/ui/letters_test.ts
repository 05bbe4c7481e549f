import { assertEquals } from "@std/assert";
import type { DeadLetter, Json } from "../../mod.ts";
import { shownLetter } from "./letters.ts";
import { checkOptions } from "./options.ts";

const SECRET = "4111-1111";
const time = new Date(0);

function shown(letter: Partial<DeadLetter>, ...redact: string[]): DeadLetter {
  const whole: DeadLetter = { sequence: 1, source: "ingress", key: "k", reason: "it was in vain", time, ...letter };
  return shownLetter(whole, checkOptions({ redact }));
}

function shownReason(reason: string): string {
  return shown({ reason }, "card").reason;
}

/** A body and what is shown of it. */
function shownBody(letter: Partial<DeadLetter>, ...redact: string[]): Json | undefined {
  return shown(letter, ...redact).body;
}

Deno.test("without paths to redact, a dead letter is shown as it is", () => {
  const letter: DeadLetter = { sequence: 1, source: "work", key: "x", reason: `"${SECRET}"`, time, body: SECRET };
  assertEquals(shownLetter(letter, checkOptions({})), letter);
});

Deno.test("a body in which no path can find anything is hidden", () => {
  for (const body of [SECRET, `{"card": "${SECRET}…`, "", 4111, true]) {
    assertEquals(shownBody({ body }, "card"), "[redacted]", JSON.stringify(body));
  }
  assertEquals(shownBody({ body: null }, "card"), null);
  assertEquals("body" in shown({}, "card"), false);
  assertEquals(shownBody({ body: [{ card: SECRET, other: 1 }] }, "card"), [{ card: "[redacted]", other: 1 }]);
});

Deno.test("what a reason quotes of a body is hidden, cut off or not", () => {
  const cases: [string, string][] = [
    ["there is no execution late", "there is no execution late"],
    [`the body is not JSON: "{\\"card\\": ${SECRET}"`, "the body is not JSON: [redacted]"],
    [`the body is not JSON: "{\\"card\\": \\"${SECRET}...`, "the body is not JSON: [redacted]"],
    [`the body is not JSON: "${SECRET}\\...`, "the body is not JSON: [redacted]"],
    [`the body must be a JSON object, it is "${SECRET}"`, "the body must be a JSON object, it is [redacted]"],
    [`the body must be a JSON object, it is ["${SECRET}"]`, "the body must be a JSON object, it is [redacted]"],
    ["the body must be a JSON object, it is -4.1e+11", "the body must be a JSON object, it is [redacted]"],
    [`the reason must be text, it is {"card":"a\n${SECRET}...`, "the reason must be text, it is [redacted]"],
    [
      `"${SECRET} " in the subject "ns.in.x" is not a legal name`,
      "[redacted] in the subject [redacted] is not a legal name",
    ],
    [
      "the payload is too large: 9 bytes of JSON, the limit is 8",
      "the payload is too large: 9 bytes of JSON, the limit is 8",
    ],
  ];
  for (const [reason, expected] of cases) assertEquals(shownReason(reason), expected);
});

Deno.test("a path that begins with a part of an execution hides what was to become that part", () => {
  const card = SECRET;
  const hidden = "[redacted]";
  const signal = { source: "signal", key: "x", subject: "ns.in.signal.x.approval" } as const;
  const complete = { key: "x", subject: "ns.in.complete.x.triage.0" } as const;
  const tick = { source: "schedule", body: { flow: "f", payload: { card } } } as const;
  const cases: [Partial<DeadLetter>, string, Json][] = [
    [{ key: "ns.in.start.f", body: { card } }, "input.card", { card: hidden }],
    [{ subject: "ns.in.start.f.x", body: { card } }, "payload.card", { card: hidden }],
    [{ subject: "ns.in.start.f.x", body: { card } }, "input", hidden],
    [{ subject: "ns.in.start.f.x", body: { card } }, "results.f.card", { card }],
    [{ ...signal, body: { card } }, "signals.approval.card", { card: hidden }],
    [{ ...signal, body: { card } }, "approval", hidden],
    [{ ...signal, body: { card } }, "signals.other", { card }],
    [{ ...complete, body: { status: "ok", payload: { card } } }, "triage.card", {
      status: "ok",
      payload: { card: hidden },
    }],
    [{ ...complete, body: { status: "ok", payload: { card } } }, "branches.triage", { status: "ok", payload: hidden }],
    [{ ...complete, body: { status: "ok", payload: [card] } }, "payload.value", { status: "ok", payload: hidden }],
    [tick, "input.card", { flow: "f", payload: { card: hidden } }],
    [{ ...tick, source: "ingress", key: "ns.tick.f.daily" }, "input.card", { flow: "f", payload: { card: hidden } }],
  ];
  for (const [letter, path, expected] of cases) assertEquals(shownBody(letter, path), expected, path);
});

/** The letters that a state may be in. */
function lettersOf(state: Json): Partial<DeadLetter>[] {
  return [
    { source: "work", body: state },
    { source: "async", body: { id: "x", state } },
    { source: "ingress", key: "ns.exec.removed.f.x", body: state },
  ];
}

Deno.test("what hides a value on the pages of its execution hides it in dead letters, by each of its paths", () => {
  const value = { card: SECRET };
  const start = { subject: "ns.in.start.f.x", body: value };
  const signal = { source: "signal", subject: "ns.in.signal.x.approval", body: value } as const;
  const complete = { subject: "ns.in.complete.x.triage.0", body: { status: "ok", payload: value } };
  const cases: { letters: Partial<DeadLetter>[]; paths: string[]; around: string[] }[] = [{
    letters: [start, ...lettersOf({ input: { value } })],
    paths: ["input", "payload"],
    around: ["*"],
  }, {
    letters: [signal, ...lettersOf({ signals: { approval: { value } } })],
    paths: ["signals.approval", "payload.approval", "approval"],
    around: ["signals", "payload", "*"],
  }, {
    letters: [complete, ...lettersOf({ results: { triage: { value } } })],
    paths: ["results.triage", "branches.triage", "branches.triage.result", "payload.branches.triage", "payload"],
    around: ["results", "branches", "payload.branches", "*"],
  }];
  for (const { letters, paths, around } of cases) {
    for (const letter of letters) {
      const isShown = (path: string) => JSON.stringify(shownBody(letter, path)).includes(SECRET);
      const hiding = [...around, ...paths, ...paths.map((path) => `${path}.card`)];
      assertEquals(hiding.filter(isShown), [], JSON.stringify(letter));
      assertEquals(isShown("other.card"), true);
    }
  }
});

Deno.test("the values of an execution's state are redacted as the parts of it that they are", () => {
  const value = { card: SECRET };
  const state = { id: "x", input: { value }, results: { triage: { value } }, signals: { ok: { value } } };
  const hidden = { value: { card: "[redacted]" } };
  const cases: [string, Json][] = [
    ["input.card", { ...state, input: hidden }],
    ["results.triage.card", { ...state, results: { triage: hidden } }],
    ["branches.triage", { ...state, results: { triage: { value: "[redacted]" } } }],
    ["signals.ok.card", { ...state, signals: { ok: hidden } }],
    ["payload.card", { ...state, input: hidden, results: { triage: hidden }, signals: { ok: hidden } }],
  ];
  for (const [path, expected] of cases) {
    assertEquals(shownBody({ source: "work", body: state }, path), expected, path);
    assertEquals(shownBody({ source: "async", body: { id: "x", state } }, path), { id: "x", state: expected }, path);
  }
  assertEquals(shownBody({ source: "work", body: { input: 1, results: [] } }, "input.x"), { input: 1, results: [] });
});

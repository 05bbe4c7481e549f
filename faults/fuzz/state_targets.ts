/** Heads: bodies, subjects and headers, and what the engine and the readers make of what they take. @module */

import { headers, type MsgHdrs } from "@nats-io/nats-core";
import fc from "fast-check";
import { decodeState, encodeState, StateFormatError } from "../../src/core/codec.ts";
import { decide, plan } from "../../src/core/decide.ts";
import type { Event } from "../../src/core/events.ts";
import { awaitsMail, hasParked } from "../../src/core/mail.ts";
import { type Load, refsOf } from "../../src/core/values.ts";
import type { Flow } from "../../src/flow/types.ts";
import { Names } from "../../src/names.ts";
import type { Nats } from "../../src/nats/client.ts";
import { entriesOf, entryEvents, eventsOf } from "../../src/nats/events.ts";
import { type Head, HEAD_HEADER, headOf, parseNote } from "../../src/nats/head.ts";
import { executionOf, resultsOf } from "../../src/server/execution.ts";
import { runs } from "./states.ts";
import type { Target } from "./target.ts";
import { anyText, changed, changedValue, hostileJson, NUMBERS, SPECIAL } from "./texts.ts";

const NATS = { names: new Names("ns") } as Nats;
const PHASES = ["ready", "due", "active", "delayed", "waiting", "completed", "failed", "cancelled"];
const WORDS = [...'{ } [ ] , : " null -1 1e999 {} [] \\u0000 \ud800'.split(" "), ...NUMBERS, ...SPECIAL];

/** Values by reference are whatever they are. */
const LOAD: Load = { value: (ref) => ({ ref }), chunk: () => ({ n0: { value: 1 } }) };

/** A head as it is delivered, and the flow it is said to be of. */
interface Delivered {
  readonly flow: Flow;
  readonly subject: string;
  readonly body: string;
  readonly event: Event;
}

const subjects = (phase: string) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(`ns.exec.${phase}.f.x`) },
    { weight: 2, arbitrary: fc.constantFrom(...PHASES).map((other) => `ns.exec.${other}.f.x`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("ns.exec.ready.f", "ns.exec.ready.f.x.y", "ns.exec..f.x", "ns", "ns.mail.x.y"),
    },
    { weight: 1, arbitrary: changed(fc.constant("ns.exec.ready.f.x"), [".", "*", ">", "x", ...SPECIAL]) },
  );

const attempts = fc.record({
  node: fc.constantFrom("n0", "n1", ...SPECIAL),
  generation: fc.nat(5),
  attempt: fc.nat(3),
});

const events: fc.Arbitrary<Event> = fc.oneof(
  fc.constantFrom<Event>({ type: "wake" }, { type: "resume" }, { type: "cancel" }, { type: "fail", error: "no" }),
  attempts.map((attempt): Event => ({ type: "outcome", attempt, outcome: { status: "ok", payload: { value: 1 } } })),
  attempts.map((attempt): Event => ({ type: "completion", ...attempt, outcome: { status: "error", error: "no" } })),
  fc.constantFrom("go", ...SPECIAL).map((name): Event => ({
    type: "signal",
    name,
    payload: { value: 1 },
    sequence: 3,
  })),
);

const delivered: fc.Arbitrary<Delivered> = runs.chain(({ flow, state }) => {
  const good = fc.constant(JSON.parse(encodeState(state)));
  const text = fc.constant(encodeState(state));
  return fc.record({
    flow: fc.constant(flow),
    subject: subjects(state.phase),
    body: fc.oneof(
      { weight: 2, arbitrary: text },
      { weight: 8, arbitrary: changedValue(good, hostileJson).map((value) => JSON.stringify(value) ?? "") },
      { weight: 3, arbitrary: changed(text, WORDS) },
      { weight: 1, arbitrary: anyText },
    ),
    event: events,
  });
});

const head: Target<Delivered> = {
  name: "head",
  share: 12,
  inputs: delivered,
  attempt: ({ flow, subject, body, event }) => {
    let head: Head;
    try {
      head = headOf(subject, body, 7, NATS.names);
    } catch (error) {
      if (error instanceof StateFormatError && error.message.length < 1_000) return false;
      throw error;
    }
    const state = decodeState(body);
    if (encodeState(state) !== JSON.stringify(JSON.parse(body))) throw new Error("it is written as something else");
    readable(head);
    decided(flow, head, event);
    return true;
  },
};

/** Readers show what was taken, whatever is in it. */
function readable(head: Head): void {
  executionOf(head, LOAD);
  resultsOf(head.state, LOAD);
  refsOf(head.state);
  awaitsMail(head.state);
  hasParked(head.state, undefined);
  const { id, flow, startedAt, trail } = head.state;
  for (const entry of entriesOf(trail)) entryEvents(id, flow, startedAt, entry);
}

/** What the engine decides on it comes to an end, or is an error: then the work is dead-lettered. */
function decided(flow: Flow, { state }: Head, event: Event): void {
  const env = { now: 1_700_000_100_000, load: LOAD, defaultTimeoutMs: 30_000, leaseMs: 10_000 };
  for (const step of [() => plan(flow, state, new Set(), env), () => decide(flow, state, event, env)]) {
    try {
      step();
    } catch (error) {
      if (!(error instanceof Error) || error instanceof RangeError) throw error;
    }
  }
}

/** Headers of a head, and the subject they came on. */
interface Republished {
  readonly subject: string;
  readonly note: string | undefined;
  readonly sequence: string;
}

const note = fc.record({
  v: fc.nat(),
  n: fc.constantFrom("n0", ...SPECIAL),
  a: fc.nat(),
  g: fc.nat(),
  t: fc.nat(),
  w: fc.constantFrom("me-1", "me-2.3"),
  e: anyText,
  p: fc.array(fc.constantFrom("n0", "n1")),
}, { requiredKeys: ["v", "n", "a", "g", "t", "w"] });

const republished: Target<Republished> = {
  name: "event",
  share: 5,
  inputs: fc.record({
    subject: fc.oneof(
      fc.constantFrom(...PHASES, "dancing", ...SPECIAL).map((phase) => `ns.events.${phase}.f.x`),
      changed(fc.constant("ns.events.ready.f.x"), [".", "*", "x", ...SPECIAL]),
    ),
    note: fc.oneof<fc.Arbitrary<string | undefined>[]>(
      note.map((value) => JSON.stringify(value)),
      changedValue(note, hostileJson).map((value) => JSON.stringify(value) ?? ""),
      hostileJson.map((value) => JSON.stringify(value) ?? ""),
      anyText,
      fc.constant(undefined),
    ),
    sequence: fc.oneof(fc.nat().map(String), fc.constantFrom("", "x", "-1", "1e400")),
  }),
  attempt: ({ subject, note, sequence }) => {
    const header = headersOf({ [HEAD_HEADER]: note, "Nats-Sequence": sequence });
    parseNote(header);
    const found = eventsOf(NATS, subject, header);
    for (const { status, node, executionId } of found) {
      if (!STATUSES.has(status) || typeof node !== "string" || executionId === "") throw new Error("no event");
    }
    return found.length > 0;
  },
};

const STATUSES = new Set<unknown>(["running", "waiting", "completed", "failed", "cancelled"]);

/** Headers as they come from the server: any text of one line. */
function headersOf(values: Record<string, string | undefined>): MsgHdrs {
  const note = headers();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) note.set(key, value.replaceAll(/[\r\n]/g, " "));
  }
  return note;
}

/** The targets. */
export const STATE_TARGETS: readonly Target[] = [head, republished];

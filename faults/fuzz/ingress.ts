/**
 * The ingress under fire: hostile messages in the inbox of a real server, with an engine that runs.
 *
 * What has to come of each message is known from the message alone: it is a start that works, changes nothing, or is a
 * dead letter. Afterwards good starts and signals still work, and nothing else has come of the bad ones.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { headers, type MsgHdrs } from "@nats-io/nats-core";
import fc from "fast-check";
import type { FlowDef, Server } from "../../mod.ts";
import type { Names } from "../../src/names.ts";
import { type Command, CommandError, parseCommand } from "../../src/nats/inbox.ts";
import { ended, inSpace, reaches, type Space, until } from "../../tests/support/mod.ts";
import { anyText, hostileJson, SPECIAL } from "./texts.ts";

/** How the ingress is fuzzed. */
export interface IngressOptions {
  /** Decides the messages. */
  readonly seed: number;
  /** How many are sent. */
  readonly messages: number;
  /** The NATS server. */
  readonly url?: string;
}

/** What came of it. */
export interface IngressReport {
  /** Messages that the server took. */
  readonly taken: number;
  /** Messages that the server refused, for their headers. */
  readonly refused: number;
  /** Dead letters, each of them one that had to be. */
  readonly deadLetters: number;
  /** Starts that worked. */
  readonly started: number;
  /** Messages per second, from the first to the empty inbox. */
  readonly perSecond: number;
  /** By how much the heap in use grew, in bytes, where it can be collected. */
  readonly heapGrowth?: number;
}

const FLOW: FlowDef = {
  name: "approval",
  nodes: [{ id: "ask", type: "task", invoker: "f" }, { id: "wait", type: "signal", signalName: "go" }],
  edges: [{ from: "ask", to: "wait" }],
};
const LIVE = ["live-0", "live-1"];
const MAX_PAYLOAD = 10_000;
const BATCH = 200;
const MAX_GROWTH = 32 * 2 ** 20;

/** A message for the inbox: what comes after `<ns>.in.`. */
interface Message {
  readonly tokens: readonly string[];
  readonly body: Uint8Array;
  readonly headers: readonly (readonly [string, string])[];
}

/** What is neither blank nor a wildcard: the server takes it in a subject. */
const wild = fc.oneof(anyText, fc.constantFrom(...SPECIAL, "0", "1", "-1", "1e3", "999999999999999999999"))
  .map((text) => text.replaceAll(/[\s.*>\p{C}]/gu, "").slice(0, 150))
  .filter((token) => token !== "" && token.isWellFormed());

const type = fc.constantFrom("start", "signal", "complete", "cancel", "resume");
const live = fc.constantFrom(...LIVE);

/** Commands: none of them is a good one for an execution that is there. */
const tokens = fc.oneof(
  fc.tuple(fc.oneof(type, wild), fc.array(wild, { maxLength: 5 })).map(([first, rest]) => [first, ...rest]),
  fc.constant(["start", "approval"]),
  fc.tuple(fc.constantFrom("start", "signal", "complete"), live, wild).map((parts) => parts as string[]),
  fc.tuple(live, wild).map(([id, name]) => ["signal", id, `${name}-x`]),
  fc.tuple(live, wild, fc.constantFrom("0", "1", "x")).map(([id, node, attempt]) => ["complete", id, node, attempt]),
  live.map((id) => ["resume", id]),
);

const bodies = fc.oneof(
  { weight: 9, arbitrary: hostileJson.map((value) => new TextEncoder().encode(JSON.stringify(value) ?? "")) },
  {
    weight: 9,
    arbitrary: fc.constantFrom("", "{}", `{"status":"ok"}`, "{", "null", "\ufeff{}", `{"__proto__":{"x":1}}`)
      .map((text) => new TextEncoder().encode(text)),
  },
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 2, max: 4_000 }).map((depth) => new TextEncoder().encode("[".repeat(depth))),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 400_000 })
      .map((size) => new TextEncoder().encode(JSON.stringify({ text: "x".repeat(size) }))),
  },
);

const heads = fc.array(
  fc.oneof(
    fc.tuple(fc.stringMatching(/^[!-9;-~]{1,20}$/), fc.string({ maxLength: 40 })),
    fc.tuple(fc.constantFrom("Packtrail-Head", "Packtrail-Sequence", "traceparent"), fc.string({ maxLength: 40 })),
    fc.tuple(fc.constant("Nats-Msg-Id"), fc.constantFrom("1", "2", "3", "")),
    fc.tuple(
      fc.constantFrom(
        "Nats-Expected-Stream",
        "Nats-TTL",
        "Nats-Rollup",
        "Nats-Schedule",
        "Nats-Expected-Last-Sequence",
      ),
      fc.constantFrom("0", "x", "sub", "@at 2030-01-01T00:00:00Z", "-1"),
    ),
  ),
  { maxLength: 3 },
);

const messages: fc.Arbitrary<Message> = fc.record({
  tokens,
  body: bodies,
  headers: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: heads }),
});

/** Fuzzes the ingress. @throws Where something else comes of a message than has to. */
export async function fuzzIngress(options: IngressOptions): Promise<IngressReport> {
  let report: IngressReport | undefined;
  const { url } = options;
  await inSpace(async (space) => {
    report = await play(space, options);
  }, url === undefined ? {} : { url });
  return report!;
}

async function play(space: Space, { seed, messages: count }: IngressOptions): Promise<IngressReport> {
  const limits = { maxDeliver: 2, maxPayloadBytes: MAX_PAYLOAD };
  const { server } = await space.engine({ flows: [FLOW], invokers: { f: () => ({ status: "ok" }) }, ...limits });
  await server.init();
  for (const id of LIVE) {
    await server.start("approval", { id }, { id });
    await reaches(server, id, "waiting");
  }
  const heapBefore = heapInUse();
  const begin = performance.now();
  const sent = await send(space, fc.sample(messages, { numRuns: count, seed }));
  await drained(space);
  const ms = performance.now() - begin;
  const letters = await checkLetters(space, server, sent.taken);
  const started = await checkExecutions(space.names, server, sent.taken);
  const heapGrowth = heapBefore === undefined ? {} : { heapGrowth: heapInUse()! - heapBefore };
  if (heapGrowth.heapGrowth !== undefined) {
    assert(heapGrowth.heapGrowth < MAX_GROWTH, `the heap: ${JSON.stringify(heapGrowth)}`);
  }
  return {
    taken: sent.taken.length,
    refused: sent.refused,
    deadLetters: letters,
    started,
    perSecond: sent.taken.length / ms * 1_000,
    ...heapGrowth,
  };
}

/** Publishes messages. Which of them are in the inbox now. */
async function send(space: Space, list: readonly Message[]): Promise<{ taken: Message[]; refused: number }> {
  const js = jetstream(space.nc);
  const taken: Message[] = [];
  let refused = 0;
  for (let start = 0; start < list.length; start += BATCH) {
    await Promise.all(
      list.slice(start, start + BATCH).map(async (message) => {
        try {
          const note = headersOf(message.headers);
          const subject = subjectOf(space.names, message);
          const { duplicate } = await js.publish(subject, message.body, { headers: note, timeout: 30_000 });
          if (!duplicate) taken.push(message);
        } catch {
          refused++;
        }
      }),
    );
  }
  return { taken, refused };
}

function headersOf(list: Message["headers"]): MsgHdrs {
  const note = headers();
  for (const [key, value] of list) note.append(key, value);
  return note;
}

function subjectOf(names: Names, { tokens }: Message): string {
  return names.command(...tokens);
}

/** Waits until nothing is left in the inbox. */
async function drained({ nc, names }: Space): Promise<void> {
  const jsm = await jetstreamManager(nc);
  await until(
    async () => (await jsm.streams.info(names.inboxStream)).state.messages === 0,
    "the inbox to be empty",
    300_000,
  );
}

/** Each bad message is a dead letter, and nothing else is. */
async function checkLetters({ names }: Space, server: Server, taken: readonly Message[]): Promise<number> {
  const expected = taken.filter((message) => fate(names, message) === "dead letter");
  const letters = await server.deadLetters({ limit: taken.length + 100 });
  const count = (subjects: readonly (string | undefined)[]) => {
    const counts = new Map<string, number>();
    for (const subject of subjects) counts.set(subject ?? "", (counts.get(subject ?? "") ?? 0) + 1);
    return [...counts].map(([subject, times]) => `${times} ${subject}`).sort();
  };
  const subjects = expected.map((message) => subjectOf(names, message));
  assertEquals(count(letters.map(({ subject }) => subject)), count(subjects), "the dead letters by subject");
  for (const { reason, key, time } of letters) {
    assert(reason !== "" && reason.length < 2_100 && key !== "" && !Number.isNaN(time.getTime()));
  }
  return letters.length;
}

/** The executions that were there still are what they were, and good starts and signals work. */
async function checkExecutions(names: Names, server: Server, taken: readonly Message[]): Promise<number> {
  const starts = taken.filter((message) => fate(names, message) === "start").length;
  for (const id of LIVE) assertEquals((await server.get(id)).status, "waiting");
  const ids = await server.list();
  assertEquals(ids.length, LIVE.length + starts, "executions, of which some nobody has started");
  await server.start("approval", { n: 1 }, { id: "good" });
  for (const id of [...LIVE, "good"]) {
    await server.signal(id, "go", { by: "ann" });
    const { status, payload } = await ended(server, id);
    assertEquals([status, (payload as { go?: unknown }).go], ["completed", { by: "ann" }]);
  }
  return starts;
}

/** What has to come of a message. */
function fate(names: Names, message: Message): "start" | "dead letter" | "nothing" {
  let command: Command;
  try {
    command = parseCommand(names, subjectOf(names, message), new TextDecoder().decode(message.body));
  } catch (error) {
    if (error instanceof CommandError) return "dead letter";
    throw error;
  }
  switch (command.type) {
    case "start": {
      const isFair = command.flow === "approval" && JSON.stringify(command.payload).length <= MAX_PAYLOAD;
      return isFair ? "start" : "dead letter";
    }
    // Nobody is there that could be cancelled.
    case "cancel":
      return "nothing";
    default:
      return "dead letter";
  }
}

function heapInUse(): number | undefined {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  return gc === undefined ? undefined : Deno.memoryUsage().heapUsed;
}

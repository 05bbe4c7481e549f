import { assertEquals } from "@std/assert";
import { headers } from "@nats-io/nats-core";
import { Names } from "../names.ts";
import type { Nats } from "./client.ts";
import { entriesOf, eventsOf } from "./events.ts";
import { HEAD_HEADER, parseNote } from "./head.ts";

const NATS = { names: new Names("ns") } as Nats;
const NOTE = { v: 3, n: "a", a: 0, g: 1, t: 1_700_000_000_000, w: "me.1-1", p: ["choice"] };

function headersOf(note: unknown) {
  const header = headers();
  header.set(HEAD_HEADER, JSON.stringify(note));
  header.set("Nats-Sequence", "12");
  return header;
}

Deno.test("a republished head stands for the nodes walked through and its own", () => {
  const events = eventsOf(NATS, "ns.events.ready.f.x", headersOf(NOTE));
  assertEquals(events.map(({ node, status, revision }) => [node, status, revision]), [
    ["choice", "running", 12],
    ["a", "running", 12],
  ]);
  assertEquals(events[1]!.writer, "me");
});

Deno.test("what is no head, or says nothing that makes sense, is no event and no error", () => {
  assertEquals(eventsOf(NATS, "ns.events.due.f.x", headersOf(NOTE)), []);
  for (const phase of ["dancing", "__proto__", "length"]) {
    assertEquals(eventsOf(NATS, `ns.events.${phase}.f.x`, headersOf(NOTE)), [], phase);
  }
  for (const change of [{ p: 5 }, { p: [5] }, { e: {} }, { t: "now" }, { n: 1 }, { v: null }, { a: [] }]) {
    assertEquals(parseNote(headersOf({ ...NOTE, ...change })), undefined, JSON.stringify(change));
  }
  for (const note of [null, 5, [], "x"]) assertEquals(parseNote(headersOf(note)), undefined);
});

Deno.test("of a trail, what makes no sense is left out", () => {
  const entry = [3, "ready", "a", 0, 12];
  assertEquals(entriesOf([entry, 5, [3, "dancing", "a", 0, 1]]), [entry] as never);
  for (const trail of [undefined, null, {}, "x"]) assertEquals(entriesOf(trail), []);
});

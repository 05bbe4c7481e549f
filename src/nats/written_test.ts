import { assertEquals } from "@std/assert";
import type { State } from "../core/state.ts";
import type { Head } from "./head.ts";
import { WrittenHeads } from "./written.ts";

const head = (revision: number, { inlineBytes = 10, phase = "ready" }: Partial<State> = {}): Head => {
  const state = { id: `e${revision}`, flow: "f", phase, inlineBytes } as State;
  return { state, phase, revision, fence: revision };
};

function remembering(...heads: Head[]): WrittenHeads {
  const written = new WrittenHeads();
  written.remember(true);
  for (const head of heads) written.add(head);
  return written;
}

Deno.test("a head that was written is taken once, and only as what it is", () => {
  const written = remembering(head(1), head(2), head(3));
  assertEquals(written.take(1, "f", "e1")?.revision, 1);
  assertEquals(written.take(1, "f", "e1"), undefined);
  assertEquals(written.take(2, "f", "other"), undefined, "a stream made anew counts from the start");
  assertEquals(written.take(3, "other", "e3"), undefined);
  assertEquals(written.take(4, "f", "e4"), undefined);
});

Deno.test("only work to be delivered is remembered, and only while an engine runs", () => {
  assertEquals(remembering(head(1, { phase: "waiting" })).take(1, "f", "e1"), undefined);
  const written = new WrittenHeads();
  written.add(head(1));
  assertEquals(written.take(1, "f", "e1"), undefined);
  written.remember(true);
  written.add(head(2));
  written.remember(false);
  assertEquals(written.take(2, "f", "e2"), undefined);
});

Deno.test("the oldest go where there are too many, or they hold too much", () => {
  const many = remembering(...Array.from({ length: 5_000 }, (_, index) => head(index + 1)));
  assertEquals([many.take(900, "f", "e900"), many.take(905, "f", "e905")?.revision], [undefined, 905]);
  const large = remembering(...Array.from({ length: 10 }, (_, index) => head(index + 1, { inlineBytes: 1 << 20 })));
  assertEquals([6, 7, 10].map((revision) => large.take(revision, "f", `e${revision}`)?.revision), [undefined, 7, 10]);
  for (let revision = 11; revision <= 14; revision++) large.add(head(revision, { inlineBytes: 1 << 20 }));
  assertEquals(large.take(11, "f", "e11")?.revision, 11, "what was taken, or has gone, counts no more");
});

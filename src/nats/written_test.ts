import { assertEquals } from "@std/assert";
import type { State } from "../core/state.ts";
import type { Head } from "./head.ts";
import { WrittenHeads } from "./written.ts";

const head = (revision: number, phase: State["phase"] = "ready"): Head => {
  const state = { id: `e${revision}`, flow: "f", phase } as State;
  return { state, phase, revision, fence: revision };
};

function remembering(heads: readonly Head[], length = 500): WrittenHeads {
  const written = new WrittenHeads();
  written.remember(true);
  for (const head of heads) written.add(head, length);
  return written;
}

Deno.test("a head that was written is taken once, and only as what it is", () => {
  const written = remembering([head(1), head(2), head(3)]);
  assertEquals(written.take(1, "f", "e1")?.revision, 1);
  assertEquals(written.take(1, "f", "e1"), undefined);
  assertEquals(written.take(2, "f", "other"), undefined, "a stream made anew counts from the start");
  assertEquals(written.take(3, "other", "e3"), undefined);
  assertEquals(written.take(4, "f", "e4"), undefined);
});

Deno.test("only work to be delivered is remembered, and only while an engine runs", () => {
  assertEquals(remembering([head(1, "waiting")]).take(1, "f", "e1"), undefined);
  const written = new WrittenHeads();
  written.add(head(1), 500);
  assertEquals(written.take(1, "f", "e1"), undefined);
  written.remember(true);
  written.add(head(2), 500);
  written.remember(false);
  assertEquals(written.take(2, "f", "e2"), undefined);
});

Deno.test("the oldest go where there are too many, or they hold too much", () => {
  const many = remembering(Array.from({ length: 5_000 }, (_, index) => head(index + 1)));
  assertEquals([many.take(900, "f", "e900"), many.take(905, "f", "e905")?.revision], [undefined, 905]);
  const large = remembering(Array.from({ length: 20 }, (_, index) => head(index + 1)), 1 << 20);
  assertEquals([4, 5, 20].map((revision) => large.take(revision, "f", `e${revision}`)?.revision), [undefined, 5, 20]);
  for (let revision = 21; revision <= 22; revision++) large.add(head(revision), 1 << 20);
  assertEquals(large.take(6, "f", "e6")?.revision, 6, "what was taken, or has gone, counts no more");
});

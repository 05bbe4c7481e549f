import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { cyclesOf } from "./scc.ts";

function cycles(graph: Record<string, string[]>): string[] {
  return cyclesOf(Object.keys(graph), (id) => graph[id] ?? []).map((cycle) => cycle.toSorted().join(" ")).sort();
}

Deno.test("two cycles in a row are two, and what is between them is on none", () => {
  assertEquals(cycles({ a: ["b"], b: ["a", "c"], c: ["d"], d: ["e"], e: ["d"] }), ["a b", "d e"]);
});

Deno.test("a graph without cycles has none", () => {
  assertEquals(cycles({ a: ["b", "c"], b: ["c"], c: [] }), []);
});

Deno.test("nodes are on a cycle together just where each reaches the other", () => {
  const size = 7;
  const ids = Array.from({ length: size }, (_, index) => String(index));
  const graphs = fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 14 });
  fc.assert(fc.property(graphs, (links) => {
    const next = (id: string) => links.filter(([from]) => String(from) === id).map(([, to]) => String(to));
    const reach = new Map(ids.map((id) => {
      const reached = new Set(next(id));
      for (const at of reached) next(at).forEach((to) => reached.add(to));
      return [id, reached];
    }));
    const expected = new Set(
      ids.map((id) =>
        ids.filter((other) => id === other || reach.get(id)!.has(other) && reach.get(other)!.has(id)).join(" ")
      ),
    );
    const found = cyclesOf(ids, next).map((cycle) => cycle.toSorted().join(" ")).sort();
    assertEquals(found, [...expected].filter((group) => group.includes(" ")).sort());
  }));
});

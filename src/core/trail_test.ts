import { assertEquals } from "@std/assert";
import { boundedError, trailEntry } from "./trail.ts";
import { stamped } from "./decide.ts";
import { flowOf, started, task } from "./testing/fixtures.ts";

const HEAD = { phase: "ready", node: "a", attempt: 2, startedAt: 100, updatedAt: 350 };

Deno.test("an entry says when, where and how often, and what else there is to say", () => {
  assertEquals(trailEntry(HEAD, 9), [9, "ready", "a", 2, 250]);
  assertEquals(trailEntry({ ...HEAD, error: "broken" }, 9), [9, "ready", "a", 2, 250, "broken"]);
  assertEquals(trailEntry({ ...HEAD, path: ["c"] }, 9), [9, "ready", "a", 2, 250, null, ["c"]]);
  assertEquals(trailEntry({ ...HEAD, error: "broken", path: ["c"] }, 9), [9, "ready", "a", 2, 250, "broken", ["c"]]);
});

Deno.test("an error in a trail is one line of bounded length", () => {
  assertEquals(boundedError("one \r\n  two\nthree"), "one two three");
  assertEquals(boundedError("x".repeat(500)), "x".repeat(500));
  assertEquals(boundedError("x".repeat(10_000)), `${"x".repeat(500)}…`);
});

Deno.test("a state that is written has the next version, and its predecessor in its trail (R2)", () => {
  const head = { ...started(flowOf([task("a")])), path: ["old"] };
  const second = stamped({ ...head, phase: "completed" }, head, 77, [], 5);
  assertEquals(second.version, head.version + 1);
  assertEquals(second.updatedAt, 5);
  assertEquals(second.path, undefined);
  assertEquals(second.trail, [[77, "ready", "a", 0, 0, null, ["old"]]]);
  const third = stamped(second, second, 78, ["choice"], 9);
  assertEquals(third.path, ["choice"]);
  assertEquals(third.trail!.map(([revision]) => revision), [77, 78]);
});

Deno.test("time does not go back from one head to the next, whatever an engine takes the time to be", () => {
  const head = { ...started(flowOf([task("a")])), updatedAt: 50 };
  assertEquals(stamped(head, head, 77, [], 49).updatedAt, 50);
  assertEquals(stamped(head, head, 77, [], 51).updatedAt, 51);
});

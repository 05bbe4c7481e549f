import { assertEquals } from "@std/assert";
import { distance, nearest, suggestion } from "./suggest.ts";

Deno.test("the nearest candidate is suggested", () => {
  assertEquals(nearest("escaltion", ["synthesis", "escalation", "escalations"]), "escalation");
  assertEquals(suggestion("trigae", ["triage"]), '; did you mean "triage"?');
});

Deno.test("nothing is suggested that is far away", () => {
  assertEquals(nearest("colour", ["timeout", "retry"]), undefined);
  assertEquals(suggestion("x".repeat(10_000), ["x"]), "");
});

Deno.test("case does not count", () => {
  assertEquals(nearest("Task", ["fanin", "task"]), "task");
});

Deno.test("letters inserted, deleted, replaced and swapped are counted", () => {
  assertEquals(distance("triage", "triage", 3), 0);
  assertEquals(distance("triage", "trriage", 3), 1);
  assertEquals(distance("triage", "trage", 3), 1);
  assertEquals(distance("triage", "trxage", 3), 1);
  assertEquals(distance("triage", "trigae", 3), 1);
  assertEquals(distance("", "abc", 3), 3);
  assertEquals(distance("kitten", "sitting", 9), 3);
});

Deno.test("a distance past the limit is only known to be more", () => {
  assertEquals(distance("aaaa", "bbbb", 2), 3);
  assertEquals(distance("a", "abcdef", 2), 3);
});

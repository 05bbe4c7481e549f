import { assertEquals, assertThrows } from "@std/assert";
import { ValidationError } from "../errors.ts";
import { checkSubject } from "./subject.ts";

Deno.test("subjects with and without wildcards are legal", () => {
  for (const subject of ["a", "tasks.triage", "tasks.*.x", "tasks.>", ">", "*", "tasks.grüße", "a-b_c.$d"]) {
    assertEquals(checkSubject(subject), subject);
  }
});

Deno.test("what NATS would refuse or misread is not legal", () => {
  const cases: [unknown, string][] = [
    ["", "empty or no string"],
    [undefined, "empty or no string"],
    [5, "empty or no string"],
    ["a b", "a blank"],
    ["a\tb", "a blank"],
    ["a\r\nPUB x 0", "a blank, a line break"],
    ["a\u0000", "control character"],
    [".a", "an empty token"],
    ["a.", "an empty token"],
    ["a..b", "an empty token"],
    ["a.>.b", "only legal at the end"],
    ["a*", "a token of its own, not a*"],
    ["a.b>", "a token of its own, not b>"],
    ["a.".repeat(600) + "a", "longer than 1024"],
  ];
  for (const [subject, message] of cases) assertThrows(() => checkSubject(subject), ValidationError, message);
});

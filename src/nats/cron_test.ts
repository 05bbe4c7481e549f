import { assertEquals, assertThrows } from "@std/assert";
import { ValidationError } from "../errors.ts";
import { checkCron, nextFiring } from "./cron.ts";

Deno.test("a cron expression is kept with single blanks, its zone as the server writes it", () => {
  assertEquals(checkCron("cron", " 0  0 9 * * mon-FRI ", "europe/rome"), {
    cron: "0 0 9 * * mon-FRI",
    timeZone: "Europe/Rome",
  });
  assertEquals(checkCron("cron", "*/15 * * ? JAN *").timeZone, "UTC");
});

Deno.test("what only cron-parser understands is refused, with the path and what it may be", () => {
  for (const cron of ["0 0 0 L * *", "H H * * * *", "0 0 0 * * 7", "0 0 0 * * 5-7", "0 0 0 * * 1#2", "0 0 0 ? * 6L"]) {
    const error = assertThrows(() => checkCron("reconcile", cron), ValidationError);
    assertEquals(error.issues[0]!.path, "reconcile", cron);
  }
  assertEquals(checkCron("cron", "0 0 0 * * */2").cron, "0 0 0 * * */2");
});

Deno.test("the next firing keeps to the wall clock of its zone when summer time begins", () => {
  const before = new Date("2026-03-28T12:00:00Z");
  const first = nextFiring("0 0 9 * * *", "Europe/Rome", before);
  assertEquals(first.toISOString(), "2026-03-29T07:00:00.000Z");
  assertEquals(nextFiring("0 0 9 * * *", "Europe/Rome", new Date("2026-03-27T12:00:00Z")).getUTCHours(), 8);
});

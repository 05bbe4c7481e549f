import { assertEquals } from "@std/assert";
import { Names } from "../names.ts";
import { isCapturedTarget } from "./target.ts";

Deno.test("every subject of a namespace's streams is captured, tasks are not", () => {
  const names = new Names("ns");
  const subjects = [
    ...names.executionSubjects(),
    names.inboxSubjects(),
    names.events(),
    names.data("x", "y"),
    names.deadLetters(),
    names.asyncJobs("k"),
  ];
  for (const subject of subjects) assertEquals(isCapturedTarget(subject.slice(3)), true, subject);
  for (const target of ["tasks.triage.x", "execute", "inbox.x", ">", "*.x"]) {
    assertEquals(isCapturedTarget(target), false, target);
  }
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ValidationError } from "./errors.ts";
import { checkName, isCapturedTarget, Names, quoted } from "./names.ts";

/** Values that can be written neither as JSON nor as text. */
function unwritable(): unknown[] {
  const refuse = () => {
    throw new RangeError("no");
  };
  return [
    Object.assign(Object.create(null), { big: 1n }),
    [Object.assign(Object.create(null), { big: 1n })],
    { toJSON: refuse, toString: refuse },
    new Proxy({}, { get: refuse }),
  ];
}

Deno.test("whatever value is quoted, it becomes a short text", () => {
  for (const value of [...unwritable(), 1n, Symbol("s"), undefined, "x".repeat(500), () => 1, [[[{}]]]]) {
    const text = quoted(value);
    assert(text.length > 0 && text.length <= 80, text);
  }
  assertEquals(unwritable().map(quoted), ["an object", "an array", "an object", "an object"]);
});

Deno.test("a name that cannot even be written is refused as any other is", () => {
  for (const value of unwritable()) assertThrows(() => checkName("id", value), ValidationError, "is not a legal name");
});

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

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ValidationError } from "./errors.ts";
import { checkName, quoted } from "./names.ts";

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

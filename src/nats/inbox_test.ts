import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { isName, Names } from "../names.ts";
import { type Command, CommandError, encodeCommand, parseCommand } from "./inbox.ts";

const names = new Names("ns");
const at = (...tokens: string[]) => `ns.in.${tokens.join(".")}`;

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);
const count = fc.integer({ min: 0, max: 999_999_999_999_999 });
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
const object = fc.dictionary(fc.string(), json).map((value) => JSON.parse(JSON.stringify(value)));
const text = fc.string({ maxLength: 200 });

const command = fc.oneof(
  fc.record({ type: fc.constant("start" as const), flow: name, id: name, payload: object }, {
    requiredKeys: ["type", "flow", "payload"],
  }),
  fc.record({ type: fc.constant("signal" as const), id: name, name, payload: json }),
  fc.record(
    { type: fc.constant("complete" as const), id: name, node: name, attempt: count, generation: count, result: json },
    { requiredKeys: ["type", "id", "node", "attempt", "result"] },
  ),
  fc.record({ type: fc.constant("cancel" as const), id: name, reason: text }, { requiredKeys: ["type", "id"] }),
  fc.record({ type: fc.constant("resume" as const), id: name }),
).map((fields) => ({ ...fields }) as Command);

Deno.test("every command comes back from its message as it was", () => {
  fc.assert(fc.property(command, (sent) => {
    const { subject, body } = encodeCommand(names, sent);
    assertEquals(parseCommand(names, subject, body), sent);
  }));
});

Deno.test("any subject and body are a command of legal names, or a CommandError with a bounded reason", () => {
  const token = fc.oneof(name, fc.constantFrom("start", "signal", "complete", "cancel", "resume", "", "*", ">"), text);
  const subject = fc.oneof(
    fc.tuple(fc.constantFrom("start", "signal", "complete", "cancel", "resume"), fc.array(token, { maxLength: 6 }))
      .map(([type, tokens]) => at(type, ...tokens)),
    fc.array(token, { maxLength: 7 }).map((tokens) => at(...tokens)),
  );
  const body = fc.oneof(
    text,
    fc.json(),
    fc.constantFrom("", "null", "{}", "[]", `{"reason":7}`, `{"__proto__":{"x":1}}`),
  );
  fc.assert(
    fc.property(subject, body, (subject, body) => {
      let parsed: Command;
      try {
        parsed = parseCommand(names, subject, body);
      } catch (error) {
        assertInstanceOf(error, CommandError);
        assert(error.message.length < 400, error.message);
        return;
      }
      for (const field of ["id", "flow", "name", "node"] as const) {
        const value = (parsed as unknown as Record<string, unknown>)[field];
        assert(value === undefined || isName(value), `${field} ${value}`);
      }
      if (parsed.type === "start") assertEquals(typeof parsed.payload, "object");
    }),
    { numRuns: 500 },
  );
});

Deno.test("a bad message says what is wrong with it", () => {
  const cases: [string, string, RegExp][] = [
    [at("begin", "a"), "", /is not the subject of a command/],
    [at("start"), "", /is not the subject of a command/],
    [at("start", "a", "b", "c"), "", /is not the subject of a command/],
    [at("start", "a"), "[]", /must be a JSON object, it is \[\]/],
    [at("start", "a"), "7", /must be a JSON object/],
    [at("start", "a"), "{", /the body is not JSON: "\{"/],
    [at("start", "a", "x y"), "", /"x y" in the subject .* is not a legal name/],
    [at("signal", "a"), "", /is not the subject of a command/],
    [at("signal", "a", "b"), "nope", /is not JSON/],
    [at("complete", "a", "b", "one"), "{}", /the attempt must be a number, it is "one"/],
    [at("complete", "a", "b", "0", "-1"), "{}", /the generation must be a number/],
    [at("complete", "a", "b"), "{}", /is not the subject of a command/],
    [at("cancel", "a"), `{"reason":7}`, /the reason must be text, it is 7/],
    [at("cancel", "a"), JSON.stringify({ reason: "x".repeat(5_000) }), /the reason is too long: 5000 characters/],
    [at("resume", "a", "b"), "", /is not the subject of a command/],
    [at("start", "x".repeat(129)), "", /is not a legal name/],
  ];
  for (const [subject, body, message] of cases) {
    const error = assertThrows(() => parseCommand(names, subject, body), CommandError);
    assert(message.test(error.message), error.message);
  }
});

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Json } from "../json.ts";
import { decodeTaskRequest, encodeTaskRequest, ProtocolError, type TaskRequest } from "./mod.ts";

const decoder = new TextDecoder();
const request: TaskRequest = {
  executionId: "exec-1",
  nodeId: "triage",
  payload: { text: "grüß <b>", list: [1, null, true] },
  attempt: 2,
  deadline: new Date("2026-01-02T03:04:05.678Z"),
};
const bytes = `{"execution_id":"exec-1","node_id":"triage","payload":{"text":"grüß <b>","list":[1,null,true]},` +
  `"attempt":2,"deadline":"2026-01-02T03:04:05.678Z"}`;

Deno.test("a request has exactly the contract's bytes, and generation as the only extra key", () => {
  assertEquals(decoder.decode(encodeTaskRequest(request)), bytes);
  assertEquals(
    decoder.decode(encodeTaskRequest({ ...request, generation: 3 })),
    bytes.replace(/}$/, `,"generation":3}`),
  );
  assertEquals(
    decoder.decode(encodeTaskRequest({ ...request, payload: null })),
    bytes.replace(/"payload":.*,"attempt"/, `"payload":null,"attempt"`),
  );
});

Deno.test("a request of the Go engine is read: nanoseconds, offsets, generation, keys to come", () => {
  const text = `{"execution_id":"e","node_id":"n","payload":{"a":1},"generation":7,"attempt":0,` +
    `"deadline":"2026-01-02T04:34:05.123456789+01:30","to_come":{}}`;
  assertEquals(decodeTaskRequest(text), {
    executionId: "e",
    nodeId: "n",
    payload: { a: 1 },
    generation: 7,
    attempt: 0,
    deadline: new Date("2026-01-02T03:04:05.123Z"),
  });
});

Deno.test("Go's zero values are read: no payload, the zero time, empty ids", () => {
  const zero = `{"execution_id":"","node_id":"","payload":null,"attempt":0,"deadline":"0001-01-01T00:00:00Z"}`;
  const { payload, deadline, generation } = decodeTaskRequest(zero);
  assertEquals([payload, deadline.toISOString(), generation], [null, "0001-01-01T00:00:00.000Z", undefined]);
  assertEquals(decodeTaskRequest(zero.replace(`"payload":null,`, "")).payload, null);
});

Deno.test("every request survives the wire", () => {
  const deadlines = fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z") });
  const requests = fc.record({
    executionId: fc.string(),
    nodeId: fc.string(),
    payload: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json),
    attempt: fc.nat(),
    generation: fc.nat(),
    deadline: deadlines.filter((date) => !Number.isNaN(date.getTime())),
  }, { requiredKeys: ["executionId", "nodeId", "payload", "attempt", "deadline"], noNullPrototype: true });
  fc.assert(fc.property(requests, (given) => {
    assertEquals(decodeTaskRequest(encodeTaskRequest(given as TaskRequest)), given as TaskRequest);
  }));
});

Deno.test("a payload's __proto__ key stays a key", () => {
  const text = bytes.replace(/"payload":.*,"attempt"/, `"payload":{"__proto__":{"a":1}},"attempt"`);
  assertEquals(decoder.decode(encodeTaskRequest(decodeTaskRequest(text))), text);
});

Deno.test("a request that does not keep the contract is refused with what came", () => {
  const whole = JSON.parse(bytes);
  const cases: [unknown, string][] = [
    ["", "the request is empty"],
    [" \n", "the request is empty"],
    ["not json", `the request is not JSON: "not json"`],
    ["[1]", `the request is not a JSON object: "[1]"`],
    ["null", `the request is not a JSON object: "null"`],
    [{ ...whole, execution_id: undefined }, `the request has no "execution_id": it must be a string`],
    [{ ...whole, node_id: 5 }, `the request's "node_id" must be a string, not the number 5`],
    [{ ...whole, attempt: -1 }, `"attempt" must be a whole number from 0, not the number -1`],
    [{ ...whole, attempt: 1.5 }, "not the number 1.5"],
    [{ ...whole, attempt: null }, "not null"],
    [{ ...whole, generation: "1" }, `"generation" must be a whole number from 0, not "1"`],
    [{ ...whole, deadline: "tomorrow" }, `"deadline" must be a time in RFC 3339, not "tomorrow"`],
    [{ ...whole, deadline: {} }, "not an object"],
  ];
  for (const [given, message] of cases) {
    const text = typeof given === "string" ? given : JSON.stringify(given);
    assertThrows(() => decodeTaskRequest(text), ProtocolError, message);
    const error = assertThrows(() => decodeTaskRequest(new TextEncoder().encode(text)), ProtocolError, message);
    assertEquals(error.code, "VALIDATION");
  }
});

Deno.test("any bytes are read or refused with a short ProtocolError", () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.json(), fc.string({ minLength: 200 })), (data) => {
    try {
      decodeTaskRequest(data);
    } catch (error) {
      assertInstanceOf(error, ProtocolError);
      assertEquals((error as Error).message.length < 700, true);
    }
  }));
});

Deno.test("a request that cannot be written is refused", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  assertThrows(
    () => encodeTaskRequest({ ...request, payload: cycle as Json }),
    ProtocolError,
    "the request cannot be written as JSON",
  );
  for (const deadline of [new Date(NaN), new Date(8.64e15), new Date(-8.64e15)]) {
    assertThrows(() => encodeTaskRequest({ ...request, deadline }), ProtocolError, "its deadline is not a time");
  }
});

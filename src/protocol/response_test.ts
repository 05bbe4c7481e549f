import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Json } from "../json.ts";
import { decodeTaskResponse, encodeTaskResponse, ProtocolError, type TaskResponse } from "./mod.ts";

const encode = (response: unknown) => new TextDecoder().decode(encodeTaskResponse(response as TaskResponse));

Deno.test("a reply has exactly the contract's bytes", () => {
  assertEquals(encode({ status: "ok" }), `{"status":"ok"}`);
  assertEquals(encode({ status: "ok", payload: { k: "v" } }), `{"status":"ok","payload":{"k":"v"}}`);
  assertEquals(encode({ status: "ok", payload: null }), `{"status":"ok","payload":null}`);
  assertEquals(encode({ error: "no", status: "error" }), `{"status":"error","error":"no"}`);
  assertEquals(encode({ status: "retry", error: "", more: 1 }), `{"status":"retry"}`);
});

Deno.test("a reply of a Go worker is read: zero values, keys to come", () => {
  assertEquals(decodeTaskResponse(`{"status":"ok","payload":{"a":[1]},"error":"","to_come":1}`), {
    status: "ok",
    payload: { a: [1] },
  });
  assertEquals(Object.keys(decodeTaskResponse(`{"status":"ok","error":null}`)), ["status"]);
  assertEquals(decodeTaskResponse(`{"status":"ok","payload":null}`), { status: "ok", payload: null });
  assertEquals(decodeTaskResponse(`{"status":"retry","error":"busy"}`), { status: "retry", error: "busy" });
});

Deno.test("every reply survives the wire", () => {
  const responses = fc.record({
    status: fc.constantFrom("ok", "error", "retry"),
    payload: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json),
    error: fc.string({ minLength: 1 }),
  }, { requiredKeys: ["status"], noNullPrototype: true });
  fc.assert(fc.property(responses, (given) => {
    assertEquals(decodeTaskResponse(encodeTaskResponse(given as TaskResponse)), given as TaskResponse);
  }));
});

Deno.test("a reply that does not keep the contract is refused with what came", () => {
  const cases = [
    ["", "the reply is empty"],
    ["oops", `the reply is not JSON: "oops"`],
    [`{"status":"ok"`, "the reply is not JSON"],
    [`"ok"`, `the reply is not a JSON object: "\\"ok\\""`],
    ["{}", `the reply has no "status": it must be "ok", "error" or "retry"`],
    [`{"Status":"done"}`, `the reply has no "status"`],
    [`{"status":"done"}`, `the reply's "status" must be "ok", "error" or "retry", not "done"`],
    [`{"status":"OK"}`, `not "OK"`],
    [`{"status":"pending"}`, `not "pending": answer when the work is done`],
    [`{"status":1}`, "not the number 1"],
    [`{"status":null}`, "not null"],
    [`{"status":["ok"]}`, "not an array"],
    [`{"status":"error","error":{"code":1}}`, `the reply's "error" must be a string, not an object`],
    [`{"status":"${"x".repeat(10_000)}"}`, `xxx"...`],
  ] as const;
  for (const [text, message] of cases) {
    const error = assertThrows(() => decodeTaskResponse(text), ProtocolError, message);
    assertEquals(error.message.length < 300, true, error.message);
  }
});

Deno.test("any bytes are read or refused with a ProtocolError", () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.json()), (data) => {
    try {
      decodeTaskResponse(data);
    } catch (error) {
      assertInstanceOf(error, ProtocolError);
    }
  }));
});

Deno.test("a result that is no reply is not written", () => {
  const cases: [unknown, string][] = [
    [undefined, "must be an object"],
    ["ok", "must be an object"],
    [{}, `has no "status"`],
    [{ status: "pending" }, `not "pending"`],
    [{ status: "error", error: new Error("x") }, `"error" must be a string, not an object`],
    [{ status: "ok", payload: 1n }, "cannot be written as JSON"],
    [{ status: "ok", payload: () => 1 }, `"payload" must be JSON, not a function`],
  ];
  for (const [given, message] of cases) assertThrows(() => encode(given), ProtocolError, message);
});

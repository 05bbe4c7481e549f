/** What comes over the wire: requests, replies, jobs of async invokers, results. @module */

import fc from "fast-check";
import { encodeJob, JobFormatError, parseJob } from "../../src/async/jobs.ts";
import { parseResult } from "../../src/engine/result.ts";
import {
  decodeTaskRequest,
  decodeTaskResponse,
  encodeTaskRequest,
  encodeTaskResponse,
  ProtocolError,
} from "../../src/protocol/mod.ts";
import { canonical } from "../canonical.ts";
import { states } from "./states.ts";
import type { Target } from "./target.ts";
import { anyText, changed, changedValue, hostileJson, NUMBERS, repeated, SPECIAL } from "./texts.ts";

const WORDS = [
  ...'{ } [ ] , : " \\ null true -1 1e999 {} [] "a":1, \\u0000 \\ud800 "__proto__":{}, \u0000 \ufeff'.split(" "),
  ...NUMBERS,
  ...SPECIAL.map((name) => `"${name}":1,`),
];

/** JSON texts that are deep. */
const deep = repeated(["[", '{"payload":', '{"a":[', "[[],", "-", "1", '"', "\\u0000"], 20_000);

/** Messages: good values, good values after changes to them or to their text, and anything. */
function messages(good: fc.Arbitrary<unknown>): fc.Arbitrary<Uint8Array | string> {
  const text = good.map((value) => JSON.stringify(value));
  return fc.oneof<fc.Arbitrary<Uint8Array | string>[]>(
    text,
    changedValue(good, hostileJson).map((value) => JSON.stringify(value) ?? ""),
    changed(text, WORDS),
    changed(text, WORDS).map((changed) => new TextEncoder().encode(changed)),
    fc.uint8Array({ maxLength: 100 }),
    anyText,
    fc.oneof({ weight: 9, arbitrary: hostileJson.map((value) => JSON.stringify(value) ?? "") }, {
      weight: 1,
      arbitrary: deep,
    }),
  );
}

/** Whether a message was read; what was read is read the same from what it is written as. */
function roundTrip<T>(
  error: new (...args: never[]) => Error,
  read: () => T,
  again: (value: T) => T,
): boolean {
  let value: T;
  try {
    value = read();
  } catch (caught) {
    if (!(caught instanceof error)) throw caught;
    if (caught.message === "" || caught.message.length > 1_000) {
      throw new Error(`a message of ${caught.message.length}`);
    }
    return false;
  }
  if (canonical(again(value)) !== canonical(value)) throw new Error("it is another value the second time");
  return true;
}

const name = fc.oneof(fc.constantFrom("a", "x-1", ...SPECIAL), fc.string({ maxLength: 10 }));

const request: Target<Uint8Array | string> = {
  name: "task request",
  share: 6,
  inputs: messages(fc.record({
    execution_id: name,
    node_id: name,
    payload: hostileJson,
    attempt: fc.nat(),
    deadline: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-01-01") }).map((date) =>
      date.toISOString()
    ),
    generation: fc.nat(),
  }, { requiredKeys: ["execution_id", "node_id", "attempt", "deadline"] })),
  attempt: (data) =>
    roundTrip(ProtocolError, () => decodeTaskRequest(data), (value) => decodeTaskRequest(encodeTaskRequest(value))),
};

const response: Target<Uint8Array | string> = {
  name: "task reply",
  share: 6,
  inputs: messages(fc.record({
    status: fc.constantFrom("ok", "error", "retry", "pending", "OK"),
    payload: hostileJson,
    error: fc.oneof(anyText, fc.constant(null)),
  }, { requiredKeys: ["status"] })),
  attempt: (data) =>
    roundTrip(ProtocolError, () => decodeTaskResponse(data), (value) => decodeTaskResponse(encodeTaskResponse(value))),
};

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withBoxedValues: true,
  withSparseArray: true,
});

/** Whatever a handler returns is written, or refused. */
const written: Target = {
  name: "handler's answer",
  share: 3,
  inputs: fc.oneof(
    anything,
    fc.record({
      status: fc.oneof(fc.constantFrom("ok", "error", "retry"), anything),
      payload: anything,
      error: anything,
    }, {
      requiredKeys: [],
    }),
  ),
  attempt: (answer) => {
    let data: Uint8Array;
    try {
      data = encodeTaskResponse(answer as never);
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
    decodeTaskResponse(data);
    return true;
  },
};

/** Whatever an invoker returns, or a completion brings, is a result or the reason why it is none. */
const result: Target = {
  name: "result",
  share: 4,
  inputs: fc.oneof(
    anything,
    hostileJson,
    fc.record({
      status: fc.oneof(fc.constantFrom("ok", "error", "retry", "pending"), anything),
      payload: fc.oneof(hostileJson, anything),
      error: fc.oneof(anyText, anything),
    }, { requiredKeys: [] }),
  ),
  attempt: (value) => {
    const parsed = parseResult(value, "n", 1_000);
    if (parsed.status === "ok") {
      if (parsed.text === undefined) return true;
      JSON.parse(parsed.text);
      if (new TextEncoder().encode(parsed.text).length > 1_000) throw new Error("it is too large");
      return true;
    }
    if (parsed.status === "pending") return true;
    if (typeof parsed.error !== "string" || parsed.error === "" || parsed.error.length > 5_000) {
      throw new Error(`an error of ${parsed.error?.length} characters`);
    }
    return parsed.status === "retry";
  },
};

const job: Target<Uint8Array | string> = {
  name: "job",
  share: 4,
  inputs: messages(
    states.map((state) => JSON.parse(encodeJob({ state, attempt: { node: state.node, generation: 1, attempt: 0 } }))),
  ),
  attempt: (data) => {
    const body = typeof data === "string" ? data : new TextDecoder().decode(data);
    return roundTrip(JobFormatError, () => parseJob(body), (value) => {
      const again = parseJob(encodeJob(value));
      // The trail and the path stay behind.
      const { trail: _trail, path: _path, ...state } = value.state;
      if (canonical(again.state) !== canonical(state)) throw new Error("it is another state the second time");
      return { ...again, state: value.state };
    });
  },
};

/** The targets. */
export const WIRE_TARGETS: readonly Target[] = [request, response, written, result, job];

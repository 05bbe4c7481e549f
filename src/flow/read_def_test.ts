import { assertEquals } from "@std/assert";
import { refusal } from "./_testing.ts";
import { buildFlow, type FlowDef } from "./mod.ts";

function rejectsDef(def: unknown, ...expected: string[]): void {
  const error = refusal(() => buildFlow(def as FlowDef, { source: "flows[0]" }));
  assertEquals(error.issues.map(({ path, message }) => `${path}: ${message}`), expected);
}

const TASK = { id: "a", type: "task", subject: "s" };

Deno.test("paths are in the spelling of a FlowDef", () => {
  rejectsDef(
    { name: "f", nodes: [{ ...TASK, retry: { maxAttempts: 0 } }] },
    "nodes[0].retry.maxAttempts: must be a whole number from 1 to 64, not the number 0",
  );
});

Deno.test("a field in YAML's spelling is refused with its own", () => {
  rejectsDef(
    { name: "f", nodes: [{ ...TASK, activity_timeout: 1 }] },
    'nodes[0].activity_timeout: is not a field of a task; did you mean "activityTimeout"?',
  );
});

Deno.test("a field of another type is refused with that type", () => {
  rejectsDef(
    { name: "f", nodes: [{ ...TASK, onTimeout: "a" }] },
    "nodes[0].onTimeout: is not a field of a task: it belongs to a signal",
  );
});

Deno.test("a value that is no object is refused", () => {
  for (
    const [def, found] of [
      [undefined, "undefined"],
      ["name: f", 'the string "name: f"'],
      [[], "a list"],
      [() => {}, "a function"],
      [1n, "a bigint"],
      [new Map(), "an object that is not plain data"],
    ]
  ) rejectsDef(def, `flow: must be a mapping with the fields of a flow, not ${found}`);
  rejectsDef(null, "flow: must be a mapping with the fields of a flow, not nothing");
});

Deno.test("numbers that JSON does not know are refused", () => {
  for (const timeout of [NaN, Infinity, -Infinity]) {
    rejectsDef(
      { name: "f", nodes: [{ ...TASK, timeout }] },
      'nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to ' +
        `876000h, not the number ${timeout}`,
    );
  }
});

Deno.test("fields that are undefined are not there", () => {
  const flow = buildFlow(
    { name: "f", nodes: [{ ...TASK, timeout: undefined }], edges: undefined } as unknown as FlowDef,
  );
  assertEquals(flow.definition, { name: "f", nodes: [{ id: "a", type: "task", target: "s" }] });
});

Deno.test("objects without a prototype and frozen ones are plain data", () => {
  const def = Object.assign(Object.create(null), { name: "f", nodes: Object.freeze([Object.freeze({ ...TASK })]) });
  assertEquals(buildFlow(def).start, "a");
});

Deno.test("an own field `__proto__` is an unknown field", () => {
  rejectsDef(
    JSON.parse('{"name": "f", "nodes": [{"id": "a", "type": "task", "subject": "s", "__proto__": {"timeout": 1}}]}'),
    "nodes[0].__proto__: is not a field of a task; it has `id`, `type`, `invoker`, `target`, `subject`, `timeout`, " +
      "`activityTimeout` or `retry`",
  );
});

Deno.test("inherited fields are not read", () => {
  rejectsDef(
    Object.create({ name: "f" }),
    "flow: must be a mapping with the fields of a flow, not an object that is not plain data",
  );
});

Deno.test("accessors are refused and not run", () => {
  let runs = 0;
  const node = Object.defineProperty({ ...TASK }, "timeout", { get: () => ++runs, enumerable: true });
  rejectsDef(
    { name: "f", nodes: [node] },
    'nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to ' +
      "876000h, not an accessor (give plain data)",
  );
  assertEquals(runs, 0);
});

Deno.test("a proxy that throws is refused", () => {
  const hostile = new Proxy({}, {
    ownKeys() {
      throw new Error("mine");
    },
  });
  rejectsDef({ name: "f", nodes: hostile }, "flow: cannot be read: it has to be plain data");
});

Deno.test("a value that holds itself is refused", () => {
  const def: Record<string, unknown> = { name: "f" };
  def.nodes = [def];
  const { issues } = refusal(() => buildFlow(def as unknown as FlowDef));
  assertEquals(issues.map(({ message }) => message), ["is nested too deep: at most 64 levels are allowed"]);
});

Deno.test("a value that holds one list again and again is refused before it is all looked at", () => {
  let list: unknown[] = ["x"];
  for (let level = 0; level < 40; level++) list = [list, list];
  rejectsDef({ name: "f", nodes: list }, "flow: is too large: it holds more than 1048576 values");
});

Deno.test("a huge empty list is refused", () => {
  rejectsDef({ name: "f", nodes: new Array(2 ** 32 - 1) }, "nodes: is too long: 4294967295 items");
});

Deno.test("a hole in a list is refused", () => {
  // deno-lint-ignore no-sparse-arrays
  rejectsDef({ name: "f", nodes: [TASK, ,] }, "nodes[1]: must be a mapping with the fields of a node, not undefined");
});

Deno.test("long texts are refused", () => {
  rejectsDef(
    { name: "f", nodes: [{ ...TASK, subject: "x".repeat(2 ** 20) }] },
    "flow: is too large: it holds more than 1048576 characters",
  );
});

Deno.test("a fault in an expression is placed in the expression", () => {
  const rules = [{ when: "payload.x > )", to: "a" }, { default: true, to: "a" }];
  rejectsDef(
    { name: "f", nodes: [{ id: "c", type: "choice", rules }, TASK] },
    'nodes[0].rules[0].when: expression does not compile: expected a value but found ")" (line 1, column 13 of the ' +
      "expression)",
  );
});

Deno.test("the message names the source", () => {
  const error = refusal(() => buildFlow({ name: "f", nodes: [] }, { source: "options.flows[0]" }));
  assertEquals(error.message, 'flow "f" in options.flows[0] is not valid: options.flows[0]: nodes: must not be empty');
});

Deno.test("the value is copied and not kept", () => {
  const def: FlowDef = { name: "f", nodes: [{ id: "a", type: "task", subject: "s" }] };
  const flow = buildFlow(def);
  def.nodes[0]!.id = "b";
  assertEquals(flow.definition.nodes[0]!.id, "a");
});

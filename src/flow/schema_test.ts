import { assert, assertEquals } from "@std/assert";
import { Ajv } from "ajv";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { schemaText } from "../../tools/schema.ts";
import { ValidationError } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import { parseFlow } from "./mod.ts";
import { flowSchema } from "./schema.ts";

const ROOT = new URL("../../", import.meta.url);
const accepts = new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false })
  .compile(flowSchema());

/** The issues of a flow by the validator, which reads YAML. */
function issuesOf(flow: Json): ValidationError["issues"] {
  try {
    parseFlow(stringify(flow, { aliasDuplicateObjects: false }));
    return [];
  } catch (error) {
    if (error instanceof ValidationError) return error.issues;
    throw error;
  }
}

/** Whether an issue is of one object and its fields, which a schema can see. */
function isStructural({ message }: { message: string }): boolean {
  return /^is not a field of|^is missing: |^must /.test(message);
}

const SAMPLE = `version: "1.0"
name: f
nodes:
  - {id: a, type: task, subject: "s.{execution_id}", timeout: 1s, retry: {max_attempts: 3, backoff: linear}}
  - {id: fan, type: fanout, branches: [b, c]}
  - {id: b, type: task, invoker: agent, target: t, activity_timeout: 1h30m}
  - {id: c, type: task, invoker: nats-task, target: s}
  - {id: join, type: fanin, wait_for: [b, c], join_policy: "quorum:1"}
  - id: route
    type: choice
    on_error: fail
    rules:
      - {when: payload.x > 1, to: wait}
      - {default: true, to: end}
  - {id: wait, type: signal, signal_name: go, timeout: 250, on_timeout: end}
  - {id: end, type: task, subject: s}
edges:
  - {from: a, to: fan}
  - {from: fan, to: join}
  - {from: join, to: route}
`;

Deno.test("flow.schema.json is current: `deno task schema` writes it", async () => {
  assertEquals(await Deno.readTextFile(new URL("flow.schema.json", ROOT)), schemaText());
});

Deno.test("the schema accepts every flow of flows/, and each names the schema for editors", async () => {
  let count = 0;
  for await (const { name } of Deno.readDir(new URL("flows/", ROOT))) {
    const text = await Deno.readTextFile(new URL(`flows/${name}`, ROOT));
    parseFlow(text, { file: name });
    assert(accepts(parse(text)), `${name}: ${JSON.stringify(accepts.errors)}`);
    const [, path] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    assert(path !== undefined, `${name} does not begin with its schema`);
    assertEquals(JSON.parse(await Deno.readTextFile(new URL(path, new URL(`flows/${name}`, ROOT)))), flowSchema());
    count++;
  }
  assert(count >= 3);
});

Deno.test("the schema accepts a flow with every field", () => {
  assertEquals(issuesOf(parse(SAMPLE)), []);
  assert(accepts(parse(SAMPLE)), JSON.stringify(accepts.errors));
});

Deno.test("the schema refuses what the validator refuses of one object's fields", () => {
  const task = { id: "a", type: "task", subject: "s" };
  const flow = (...nodes: Json[]): Json => ({ name: "f", nodes });
  const refused: [what: string, flow: Json][] = [
    ["no object", [task]],
    ["no name", { nodes: [task] }],
    ["no nodes", { name: "f" }],
    ["an empty list of nodes", flow()],
    ["an unknown field of a flow", { name: "f", nodes: [task], egdes: [] }],
    ["a field in the spelling of a FlowDef", flow({ ...task, activityTimeout: "1s" })],
    ["another version", { version: "2.0", name: "f", nodes: [task] }],
    ["a version that is a number", { version: 1, name: "f", nodes: [task] }],
    ["a name with a blank", { name: "my flow", nodes: [task] }],
    ["a name of 129 characters", { name: "x".repeat(129), nodes: [task] }],
    ["an id with a dot", flow({ ...task, id: "a.b" })],
    ["an id that is a number", flow({ ...task, id: 1 })],
    ["a node without a type", flow({ id: "a", subject: "s" })],
    ["an unknown type", flow({ ...task, type: "taks" })],
    ["a field of another type of node", flow({ ...task, branches: ["a"] })],
    ["an unknown backoff", flow({ ...task, retry: { max_attempts: 2, backoff: "slow" } })],
    ["a retry without attempts", flow({ ...task, retry: { backoff: "fixed" } })],
    ["65 attempts", flow({ ...task, retry: { max_attempts: 65 } })],
    ["half an attempt", flow({ ...task, retry: { max_attempts: 1.5 } })],
    ["a duration without a unit", flow({ ...task, timeout: "30" })],
    ["a duration of nothing", flow({ ...task, timeout: "0s" })],
    ["a negative duration", flow({ ...task, timeout: -1 })],
    ["a blank target", flow({ id: "a", type: "task", target: "  " })],
    ["a nats-task without a subject", flow({ id: "a", type: "task" })],
    ["a subject and a target", flow({ ...task, target: "t" })],
    ["a subject of another kind", flow({ ...task, invoker: "agent" })],
    ["no branches", flow(task, { id: "fan", type: "fanout", branches: [] })],
    ["a branch twice", flow(task, { id: "fan", type: "fanout", branches: ["a", "a"] })],
    ["a wrong policy", flow(task, { id: "join", type: "fanin", wait_for: ["a"], join_policy: "quorum:0" })],
    ["a rule without a meaning", flow(task, { id: "c", type: "choice", rules: [{ to: "a" }] })],
    ["a rule with two", flow(task, { id: "c", type: "choice", rules: [{ when: "true", default: true, to: "a" }] })],
    ["a default that is false", flow(task, { id: "c", type: "choice", rules: [{ default: false, to: "a" }] })],
    ["another on_error", flow(task, { id: "c", type: "choice", rules: [{ default: true, to: "a" }], on_error: "go" })],
    ["a signal without a name", flow(task, { id: "w", type: "signal" })],
    ["on_timeout without timeout", flow(task, { id: "w", type: "signal", signal_name: "go", on_timeout: "a" })],
    ["an edge without an end", { name: "f", nodes: [task], edges: [{ from: "a" }] }],
    ["an empty field", { name: "f", nodes: [task], edges: null }],
  ];
  for (const [what, given] of refused) {
    assert(issuesOf(given).length > 0, `the validator accepts ${what}`);
    assert(!accepts(given), `the schema accepts ${what}`);
  }
});

Deno.test("of a flow that was changed anywhere, the schema refuses what the validator refuses of its fields, and no more", () => {
  const places = placesIn(parse(SAMPLE));
  const value = fc.constantFrom<Json>(
    ...[null, true, false, 0, 1, -1, 64, 65, 2.5, "", " ", "a", "b.c", "join", "task", "signal", "all", "quorum:2"],
    ...["1s", "0s", "1h30m", "soon", "1.0", "nats-task", "agent", [], ["a"], ["b", "b"], {}, { to: "end" }],
  );
  const names = [
    "id",
    "type",
    "when",
    "default",
    "timeout",
    "on_timeout",
    "subject",
    "target",
    "invoker",
    "retry",
    "x",
  ];
  const change = fc.record({
    place: fc.constantFrom(...places),
    as: fc.constantFrom("set", "remove", "rename"),
    value,
    name: fc.constantFrom(...names),
  });
  let structural = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
      const flow: Json = parse(SAMPLE);
      for (const { place, as, value, name } of changes) applyChange(flow, place, { as, value, name });
      const issues = issuesOf(flow);
      const accepted = accepts(flow);
      if (issues.length === 0) assert(accepted, JSON.stringify(accepts.errors));
      if (!issues.some(isStructural)) return;
      structural++;
      assert(!accepted, JSON.stringify(issues));
    }),
    { numRuns: 1_500 },
  );
  assert(structural > 200, `only ${structural} of the changes were structural`);
});

/** The paths of all values in a value but itself. */
function placesIn(value: Json, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [];
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, item]) => [[...path, key], ...placesIn(item, [...path, key])]);
}

function applyChange(
  flow: Json,
  place: readonly (string | number)[],
  { as, value, name }: { as: string; value: Json; name: string },
): void {
  let owner: Json | undefined = flow;
  for (const step of place.slice(0, -1)) owner = (owner as JsonObject | undefined)?.[step as string];
  const key = place.at(-1)! as string;
  if (typeof owner !== "object" || owner === null || !Object.hasOwn(owner, key)) return;
  const table = owner as JsonObject;
  if (as === "set") table[key] = structuredClone(value);
  else if (Array.isArray(owner)) owner.splice(Number(key), 1);
  else {
    const old = table[key]!;
    delete table[key];
    if (as === "rename") table[name] = old;
  }
}

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ValidationError } from "../errors.ts";
import { buildFlow, type Flow, type FlowDef, flowGraph, type NodeDef, parseFlow } from "./mod.ts";

/** What the function gives, or `undefined` where it refuses properly; anything else that is thrown fails the test. */
function attempt(build: () => Flow): Flow | undefined {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    assert(error.issues.length > 0 && error.issues.length <= 20);
    assert(error.issues.every(({ path, message }) => path !== "" && message !== ""));
    return undefined;
  }
}

const SAMPLE = `version: "1.0"
name: f
nodes:
  - {id: a, type: task, subject: "s.{execution_id}", timeout: 1s, retry: {max_attempts: 3, backoff: linear}}
  - {id: fan, type: fanout, branches: [b, c]}
  - {id: b, type: task, invoker: agent, target: t}
  - {id: c, type: task, subject: s}
  - {id: join, type: fanin, wait_for: [b, c], join_policy: "quorum:1"}
  - id: route
    type: choice
    rules:
      - when: |
          payload.x > 1
        to: wait
      - {default: true, to: end}
  - {id: wait, type: signal, signal_name: go, timeout: 1h, on_timeout: end}
  - {id: end, type: task, subject: s}
edges:
  - {from: a, to: fan}
  - {from: fan, to: join}
  - {from: join, to: route}
`;

Deno.test("no text makes the parser throw anything but a ValidationError", () => {
  const anything = fc.string({ unit: "binary", maxLength: 200 });
  const tokens = [
    "a",
    ":",
    " ",
    "\n",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "!t",
    "|",
    ">",
    '"',
    "'",
    "\\",
    "#",
    "?",
  ];
  const more = [
    "%YAML 1.2",
    "---",
    "...",
    "\t",
    "\r\n",
    "\0",
    "\ufeff",
    "\x85",
    "<<",
    "name",
    "nodes",
    "  ",
    "1.0",
    "~",
  ];
  const yamlish = fc.array(fc.constantFrom(...tokens, ...more), { maxLength: 60 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(anything, yamlish), (text) => {
      attempt(() => parseFlow(text));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("no change to a valid text makes the parser throw anything but a ValidationError", () => {
  const change = fc.record({
    at: fc.nat(SAMPLE.length),
    remove: fc.nat(12),
    insert: fc.oneof(fc.constantFrom("", ":", "- ", "[", "}", "&x ", "*x", "!x ", "\n", '"', "a", "end"), fc.string()),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const text = changes.reduce(
        (before, { at, remove, insert }) => before.slice(0, at) + insert + before.slice(at + remove),
        SAMPLE,
      );
      const flow = attempt(() => parseFlow(text));
      if (flow !== undefined) assertEquals(buildFlow(flow.definition).definition, flow.definition);
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("no value makes the builder throw anything but a ValidationError", () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSparseArray: true,
    withNullPrototype: true,
  });
  const node = fc.record({
    id: fc.oneof(fc.constantFrom("a", "b", "c"), value),
    type: fc.oneof(fc.constantFrom("task", "fanout", "fanin", "choice", "signal"), value),
    subject: value,
    retry: value,
    branches: fc.oneof(fc.array(fc.constantFrom("a", "b", "c")), value),
    waitFor: fc.oneof(fc.array(fc.constantFrom("a", "b", "c")), value),
    rules: fc.oneof(fc.array(fc.record({ when: value, default: value, to: fc.constantFrom("a", "b") })), value),
    signalName: value,
    timeout: value,
  }, { requiredKeys: [] });
  const def = fc.record({ name: fc.constant("f"), nodes: fc.oneof(fc.array(node), value), edges: value }, {
    requiredKeys: [],
  });
  fc.assert(
    fc.property(fc.oneof(def, value), (given) => {
      attempt(() => buildFlow(given as FlowDef));
    }),
    { numRuns: 1_000 },
  );
});

/** Flows that are mostly right: few nodes, and references among them. */
const smallFlows: fc.Arbitrary<FlowDef> = fc.integer({ min: 1, max: 6 }).chain((size) => {
  const id = fc.nat(size - 1).map((index) => `n${index}`);
  const node = (own: string): fc.Arbitrary<NodeDef> =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<NodeDef>({ id: own, type: "task", subject: "s" }) },
      fc.record({ id: fc.constant(own), type: fc.constant("signal" as const), signalName: fc.constant("s") }),
      id.map((to): NodeDef => ({ id: own, type: "choice", rules: [{ default: true, to }] })),
      fc.tuple(id, id).map(([to, other]): NodeDef => ({
        id: own,
        type: "choice",
        rules: [{ when: "payload.x", to }, { default: true, to: other }],
      })),
      fc.uniqueArray(id, { minLength: 1, maxLength: 2 }).map((branches): NodeDef => ({
        id: own,
        type: "fanout",
        branches,
      })),
      fc.uniqueArray(id, { minLength: 1, maxLength: 2 }).map((waitFor): NodeDef => ({
        id: own,
        type: "fanin",
        waitFor,
      })),
    );
  return fc.record({
    name: fc.constant("f"),
    nodes: fc.tuple(...Array.from({ length: size }, (_, index) => node(`n${index}`))),
    edges: fc.uniqueArray(fc.record({ from: id, to: id }), { selector: (edge) => edge.from, maxLength: size }),
  });
});

/** From each node, where it can lead, by the nodes that the engine runs. */
function nextOf({ nodes }: Flow, id: string): string[] {
  const node = nodes.get(id)!;
  switch (node.type) {
    case "choice":
      return [...node.rules.map((rule) => rule.to), node.otherwise];
    case "fanout":
      return [...node.branches, node.join];
    case "signal":
      return [node.next, node.onTimeout].filter((to) => to !== undefined);
    default:
      return node.next === undefined ? [] : [node.next];
  }
}

function reach(flow: Flow, from: readonly string[]): Set<string> {
  const reached = new Set(from);
  for (const id of reached) nextOf(flow, id).forEach((to) => reached.add(to));
  return reached;
}

Deno.test("what is accepted is reachable, fans are in pairs and run once, and choices do not turn for ever", () => {
  let accepted = 0;
  fc.assert(
    fc.property(smallFlows, (def) => {
      const flow = attempt(() => buildFlow(def));
      if (flow === undefined) return;
      accepted++;
      assertEquals(reach(flow, [flow.start]).size, flow.nodes.size);
      for (const [id, node] of flow.nodes) {
        if (node.type === "fanout") {
          assert(!reach(flow, nextOf(flow, id)).has(id));
          const join = flow.nodes.get(node.join);
          assert(join?.type === "fanin" && join.fanout === id);
          assert(join.waitFor.every((branch) => node.branches.includes(branch)));
        }
        if (node.type === "choice") {
          const ahead = new Set(nextOf(flow, id));
          for (const to of ahead) {
            if (flow.nodes.get(to)!.type === "choice") nextOf(flow, to).forEach((at) => ahead.add(at));
          }
          assert(!ahead.has(id));
        }
      }
      assertEquals(buildFlow(flow.definition).definition, flow.definition);
      assert(flowGraph(flow).edges.every(({ from, to }) => flow.nodes.has(from) && flow.nodes.has(to)));
    }),
    { numRuns: 5_000 },
  );
  assert(accepted > 50, `only ${accepted} flows were accepted`);
});

import { assert, assertEquals, assertLess } from "@std/assert";
import { refusal } from "./_testing.ts";
import { buildFlow, type FlowDef, parseFlow } from "./mod.ts";

function refusalOf(text: string): string {
  const { issues } = refusal(() => parseFlow(text));
  return issues[0]!.message;
}

const TOO_DEEP = "is nested too deep: at most 64 levels are allowed";

Deno.test("nesting of any kind is refused without running out of stack", () => {
  const depth = 5_000;
  const indented = (key: string) => Array.from({ length: 900 }, (_, level) => " ".repeat(level) + key).join("\n");
  const texts = ["[", "{a: ", "- ", "? ", "[a: ", "[{a: "].map((part) => part.repeat(depth));
  for (
    const text of [
      ...texts,
      `${"[".repeat(depth)}${"]".repeat(depth)}`,
      indented("a:"),
      indented("-"),
    ]
  ) {
    assertEquals(refusalOf(text), TOO_DEEP);
  }
});

Deno.test("a megabyte of brackets is refused at once", () => {
  const begin = performance.now();
  assertEquals(refusalOf("[".repeat(2 ** 20)), TOO_DEEP);
  assertLess(performance.now() - begin, 1_000);
});

Deno.test("more than 1 MiB of text is refused at once", () => {
  const message = "is too large: a flow has at most 1048576 bytes of text";
  assertEquals(refusalOf("name: f\n".repeat(1_300_000)), message);
  assertEquals(refusalOf(`name: f\n${"#".repeat(2 ** 20)}`), message);
  // Half as many characters of two bytes each.
  assertEquals(refusalOf(`name: f\n#${"é".repeat(2 ** 19)}`), message);
  assertEquals(refusalOf(`#${"é".repeat(2 ** 19 - 1)}`), "is empty: a flow needs at least a `name` and `nodes`");
});

Deno.test("aliases that would multiply are refused unread", () => {
  const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`);
  assertEquals(
    refusalOf(["a0: &a0 x", ...levels].join("\n")),
    "anchors are not supported: write the value out where it is needed",
  );
});

Deno.test("many duplicate keys do not cost more than reading them", () => {
  const { issues } = refusal(() => parseFlow("a: 1\n".repeat(20_000)));
  assertEquals(issues.length, 20);
});

Deno.test("more than 10,000 nodes are refused", () => {
  const nodes = Array.from({ length: 10_001 }, (_, index) => ({ id: `n${index}`, type: "task", subject: "s" }));
  const { issues } = refusal(() => buildFlow({ name: "f", nodes } as FlowDef));
  assertEquals(issues, [{ path: "nodes", message: "must hold at most 10000, not 10001" }]);
});

function chain(length: number): FlowDef {
  return {
    name: "chain",
    nodes: Array.from({ length }, (_, index) => ({ id: `n${index}`, type: "task", subject: "s" })),
    edges: Array.from({ length: length - 1 }, (_, index) => ({ from: `n${index}`, to: `n${index + 1}` })),
  };
}

Deno.test("a chain of 10,000 nodes is read from both sources in a moment", () => {
  const def = chain(10_000);
  const begin = performance.now();
  const flow = buildFlow(def);
  assertEquals([flow.nodes.size, flow.start], [10_000, "n0"]);
  const text = [
    "name: chain",
    "nodes:",
    ...def.nodes.map(({ id }) => `- {id: ${id}, type: task, subject: s}`),
    "edges:",
    ...def.edges!.map(({ from, to }) => `- {from: ${from}, to: ${to}}`),
  ].join("\n");
  assert(text.length < 2 ** 20);
  assertEquals(parseFlow(text).definition, flow.definition);
  assertLess(performance.now() - begin, 10_000);
});

Deno.test("a cycle through 10,000 choices is found without running out of stack", () => {
  const nodes = Array.from({ length: 9_999 }, (_, index) => ({
    id: `c${index}`,
    type: "choice" as const,
    rules: [{ when: "payload.x", to: "end" }, { default: true as const, to: `c${(index + 1) % 9_999}` }],
  }));
  const def: FlowDef = { name: "f", nodes: [{ id: "end", type: "task", subject: "s" }, ...nodes] };
  def.nodes[0] = { id: "end", type: "choice", rules: [{ default: true, to: "c0" }] };
  const { issues } = refusal(() => buildFlow(def));
  assertEquals(issues[0]!.message, "has no start: every node has another one leading to it");
  assert(issues.some((issue) => issue.message.includes("on a cycle of choices only")));
});

Deno.test("a fan-out of 9,000 branches is checked in a moment", () => {
  const branches = Array.from({ length: 9_000 }, (_, index) => `b${index}`);
  const begin = performance.now();
  const flow = buildFlow({
    name: "wide",
    nodes: [
      { id: "fan", type: "fanout", branches },
      ...branches.map((id) => ({ id, type: "task" as const, subject: "s" })),
      { id: "join", type: "fanin", waitFor: branches },
    ],
    edges: [{ from: "fan", to: "join" }],
  });
  assertEquals(flow.nodes.size, 9_002);
  assertLess(performance.now() - begin, 5_000);
});

Deno.test("thousands of unknown nodes are suggested for only as long as it is reported", () => {
  const { nodes, edges } = chain(10_000);
  const wrong = edges!.map(({ from, to }) => ({ from, to: `${to}x` }));
  const begin = performance.now();
  const { issues } = refusal(() => buildFlow({ name: "f", nodes, edges: wrong }));
  assertEquals(issues.length, 20);
  assertLess(performance.now() - begin, 5_000);
});

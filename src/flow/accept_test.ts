import { assert, assertEquals } from "@std/assert";
import { refusal, rejects } from "./_testing.ts";
import { buildFlow, type FlowDef, flowGraph, parseFlow } from "./mod.ts";

const YAML = `
version: "1.0"
name: research
nodes:
  - {id: triage, type: task, subject: "tasks.{execution_id}.triage", timeout: 30s, retry: {max_attempts: 3, backoff: exponential}}
  - {id: fan, type: fanout, branches: [tech, legal, extra]}
  - {id: tech, type: task, invoker: agent, target: tech-agent, activity_timeout: 1h30m}
  - {id: legal, type: task, invoker: nats-task, target: legal, retry: {max_attempts: 1, backoff: linear}}
  - {id: extra, type: task, invoker: agent}
  - {id: join, type: fanin, wait_for: [tech, legal], join_policy: "quorum:1"}
  - id: route
    type: choice
    on_error: fail
    rules:
      - {default: true, to: wait}
      - {when: "payload.risk_score > 80", to: triage-again}
  - {id: triage-again, type: task, subject: again, retry: {max_attempts: 2, backoff: fixed}}
  - {id: wait, type: signal, signal_name: approval, timeout: 250, on_timeout: triage-again}
edges:
  - {from: triage, to: fan}
  - {from: fan, to: join}
  - {from: join, to: route}
  - {from: triage-again, to: wait}
`;

const DEF: FlowDef = {
  version: "1.0",
  name: "research",
  nodes: [
    {
      id: "triage",
      type: "task",
      target: "tasks.{execution_id}.triage",
      timeout: 30_000,
      retry: { maxAttempts: 3, backoff: "exponential" },
    },
    { id: "fan", type: "fanout", branches: ["tech", "legal", "extra"] },
    { id: "tech", type: "task", invoker: "agent", target: "tech-agent", activityTimeout: 5_400_000 },
    { id: "legal", type: "task", target: "legal" },
    { id: "extra", type: "task", invoker: "agent" },
    { id: "join", type: "fanin", waitFor: ["tech", "legal"], joinPolicy: "quorum:1" },
    {
      id: "route",
      type: "choice",
      rules: [{ default: true, to: "wait" }, { when: "payload.risk_score > 80", to: "triage-again" }],
      onError: "fail",
    },
    { id: "triage-again", type: "task", target: "again", retry: { maxAttempts: 2 } },
    { id: "wait", type: "signal", signalName: "approval", timeout: 250, onTimeout: "triage-again" },
  ],
  edges: [
    { from: "triage", to: "fan" },
    { from: "fan", to: "join" },
    { from: "join", to: "route" },
    { from: "triage-again", to: "wait" },
  ],
};

Deno.test("YAML and a FlowDef of the same flow have the same normal form", () => {
  const flow = parseFlow(YAML);
  assertEquals(flow.definition, DEF);
  assertEquals(JSON.stringify(buildFlow(DEF).definition), JSON.stringify(flow.definition));
  assertEquals(JSON.stringify(buildFlow(flow.definition).definition), JSON.stringify(flow.definition));
});

Deno.test("each node is ready to run", () => {
  const { nodes, start, name } = parseFlow(YAML);
  assertEquals([name, start], ["research", "triage"]);
  assertEquals([...nodes.keys()], DEF.nodes.map((node) => node.id));
  assertEquals(nodes.get("triage"), {
    type: "task",
    id: "triage",
    invoker: "nats-task",
    target: "tasks.{execution_id}.triage",
    timeoutMs: 30_000,
    retry: { maxAttempts: 3, backoff: "exponential" },
    next: "fan",
  });
  assertEquals(nodes.get("fan"), { type: "fanout", id: "fan", branches: ["tech", "legal", "extra"], join: "join" });
  assertEquals(nodes.get("tech"), {
    type: "task",
    id: "tech",
    invoker: "agent",
    target: "tech-agent",
    activityTimeoutMs: 5_400_000,
    retry: { maxAttempts: 1, backoff: "fixed" },
    branchOf: "fan",
  });
  assertEquals(nodes.get("join"), {
    type: "fanin",
    id: "join",
    fanout: "fan",
    waitFor: ["tech", "legal"],
    required: 1,
    next: "route",
  });
  assertEquals(nodes.get("wait"), {
    type: "signal",
    id: "wait",
    signal: "approval",
    timeoutMs: 250,
    onTimeout: "triage-again",
  });
});

Deno.test("a choice holds its compiled rules and its default, wherever that stood", () => {
  const route = parseFlow(YAML).nodes.get("route");
  assert(route?.type === "choice");
  assertEquals([route.otherwise, route.failOnError, route.rules.length], ["wait", true, 1]);
  assertEquals(route.rules[0]?.predicate.test({ payload: { risk_score: 81 } }), true);
  assertEquals(route.rules[0]?.predicate.test({ payload: { risk_score: 80 } }), false);
});

Deno.test("a target that is not given is empty", () => {
  const extra = parseFlow(YAML).nodes.get("extra");
  assertEquals(extra?.type === "task" ? [extra.target, extra.branchOf] : [], ["", "fan"]);
});

Deno.test("policies become the number of branches they need", () => {
  const required = (joinPolicy?: string) => {
    const nodes = DEF.nodes.map((node) =>
      node.type === "fanin"
        ? { id: node.id, type: node.type, waitFor: node.waitFor, ...joinPolicy && { joinPolicy } }
        : node
    );
    const join = buildFlow({ ...DEF, nodes }).nodes.get("join");
    return join?.type === "fanin" ? join.required : undefined;
  };
  assertEquals([undefined, "all", "any", "quorum:2"].map(required), [2, 2, 1, 2]);
});

Deno.test("a flow is frozen all the way down", () => {
  const seen = new Set<unknown>();
  const check = (value: unknown): void => {
    if (typeof value !== "object" || value === null || value instanceof Map || value instanceof Set) return;
    if (seen.has(value)) return;
    seen.add(value);
    assert(Object.isFrozen(value));
    Object.values(value).forEach(check);
  };
  const flow = parseFlow(YAML);
  check(flow);
  for (const node of flow.nodes.values()) check(node);
  assert(seen.size > 30);
});

Deno.test("the graph holds all that leads from a node to another, once, and belongs to its caller", () => {
  const flow = parseFlow(YAML);
  const graph = flowGraph(flow);
  assertEquals(graph.edges.map(({ from, to }) => `${from} ${to}`), [
    "triage fan",
    "fan tech",
    "fan legal",
    "fan extra",
    "fan join",
    "tech join",
    "legal join",
    "join route",
    "route wait",
    "route triage-again",
    "triage-again wait",
    "wait triage-again",
  ]);
  assertEquals([graph.name, graph.version, graph.nodes.length], ["research", "1.0", 9]);
  graph.nodes[1]!.branches!.push("another");
  assertEquals(flowGraph(flow).nodes[1], { id: "fan", type: "fanout", branches: ["tech", "legal", "extra"] });
});

Deno.test("the graph describes each type of node", () => {
  const nodes = new Map(flowGraph(parseFlow(YAML)).nodes.map((node) => [node.id, node]));
  assertEquals(nodes.get("triage"), {
    id: "triage",
    type: "task",
    invoker: "nats-task",
    target: "tasks.{execution_id}.triage",
    timeout: 30_000,
    retry: { maxAttempts: 3, backoff: "exponential" },
  });
  assertEquals(nodes.get("extra"), { id: "extra", type: "task", invoker: "agent" });
  assertEquals(nodes.get("join"), { id: "join", type: "fanin", waitFor: ["tech", "legal"], joinPolicy: "quorum:1" });
  assertEquals(nodes.get("route"), {
    id: "route",
    type: "choice",
    rules: [{ default: true, to: "wait" }, { when: "payload.risk_score > 80", to: "triage-again" }],
  });
  assertEquals(nodes.get("wait"), {
    id: "wait",
    type: "signal",
    signalName: "approval",
    onTimeout: "triage-again",
    timeout: 250,
  });
});

Deno.test("rules and an edge that lead to the same node are one edge of the graph", () => {
  const { edges } = flowGraph(buildFlow({
    name: "f",
    nodes: [
      { id: "a", type: "choice", rules: [{ when: "payload.x", to: "b" }, { default: true, to: "b" }] },
      { id: "b", type: "signal", signalName: "s", timeout: "1s", onTimeout: "c" },
      { id: "c", type: "task", subject: "c" },
    ],
    edges: [{ from: "b", to: "c" }],
  }));
  assertEquals(edges, [{ from: "a", to: "b" }, { from: "b", to: "c" }]);
});

Deno.test("names may be those of an object's prototype", () => {
  const flow = parseFlow(`
name: __proto__
nodes:
  - {id: __proto__, type: choice, rules: [{when: payload.x, to: constructor}, {default: true, to: toString}]}
  - {id: constructor, type: task, subject: s}
  - {id: toString, type: signal, signal_name: __proto__}
edges: [{from: constructor, to: toString}]`);
  assertEquals([...flow.nodes.keys()], ["__proto__", "constructor", "toString"]);
  assertEquals(flow.start, "__proto__");
  assertEquals(flowGraph(flow).edges.length, 3);
  assertEquals(buildFlow(flow.definition).definition, flow.definition);
});

Deno.test("names of 128 characters are legal", () => {
  const id = "x".repeat(128);
  assertEquals(parseFlow(`name: ${id}\nnodes: [{id: ${id}, type: task, subject: s}]`).start, id);
});

Deno.test("cycles of tasks, choices and signals are legal", () => {
  const flow = parseFlow(`
name: f
nodes:
  - {id: start, type: task, subject: s}
  - {id: again, type: task, subject: s}
  - {id: check, type: choice, rules: [{when: payload.ok, to: wait}, {default: true, to: again}]}
  - {id: wait, type: signal, signal_name: x, timeout: 1h, on_timeout: check}
edges: [{from: start, to: again}, {from: again, to: check}]`);
  assertEquals(flow.nodes.size, 4);
});

Deno.test("a fan between two cycles is on neither", () => {
  const flow = parseFlow(`
name: f
nodes:
  - {id: start, type: task, subject: s}
  - {id: one, type: task, subject: s}
  - {id: first, type: choice, rules: [{when: payload.ok, to: fan}, {default: true, to: one}]}
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s}
  - {id: b, type: task, subject: s}
  - {id: join, type: fanin, wait_for: [a]}
  - {id: two, type: task, subject: s}
  - {id: second, type: choice, rules: [{when: payload.ok, to: end}, {default: true, to: two}]}
  - {id: end, type: task, subject: s}
edges:
  - {from: start, to: one}
  - {from: one, to: first}
  - {from: fan, to: join}
  - {from: join, to: two}
  - {from: two, to: second}`);
  assertEquals(flow.nodes.size, 10);
});

Deno.test("a byte order mark, CRLF, a document's markers and YAML 1.2's directive are accepted", () => {
  const text = "\ufeff%YAML 1.2\n---\nname: f\nnodes:\n  - {id: a, type: task, subject: s}\n...\n";
  assertEquals(parseFlow(text).name, "f");
  assertEquals(parseFlow(text.replaceAll("\n", "\r\n")).name, "f");
});

Deno.test("columns are counted behind a byte order mark and lines by CRLF", () => {
  rejects(
    "\ufeffname: f\r\nnodes:\r\n  - {id: a, type: tsk, subject: s}\r\n",
    '3:19: nodes[0].type: must be `task`, `fanout`, `fanin`, `choice` or `signal`, not the string "tsk"; did you mean ' +
      '"task"?',
  );
});

Deno.test("lists and mappings may be nested 64 levels deep before they are refused for what they are", () => {
  const error = refusal(() => parseFlow(`name: f\nnodes: ${"[".repeat(63)}${"]".repeat(63)}`));
  assertEquals(error.issues.map((issue) => issue.path), ["nodes[0]"]);
});

Deno.test("a kind that is not registered is refused with those that are", () => {
  const text = "name: f\nnodes:\n  - {id: a, type: task, invoker: agnet, target: x}\n";
  const error = refusal(() => parseFlow(text, { kinds: new Set(["http", "agent"]) }));
  assertEquals(error.issues, [{
    path: "nodes[0].invoker",
    line: 3,
    column: 34,
    message: 'no invoker of kind "agnet" is registered; there are: agent, http, nats-task; did you mean "agent"?',
  }]);
});

Deno.test("the kind nats-task is always there, and kinds are not checked where none are given", () => {
  const text = "name: f\nnodes:\n  - {id: a, type: task, subject: x}\n";
  assertEquals(parseFlow(text, { kinds: new Set() }).name, "f");
  assertEquals(parseFlow(text.replace("subject", "invoker: any-kind, target")).name, "f");
});

Deno.test("the message names the flow, the file and the first faults", () => {
  const one = refusal(() => parseFlow("name: f\nnodes: []\n", { file: "flows/f.yaml" }));
  assertEquals(one.message, 'flow "f" in flows/f.yaml is not valid: flows/f.yaml:2:8: nodes: must not be empty');
  const two = refusal(() => parseFlow("name: f g\nnodes: []\n"));
  assertEquals(two.message.split("\n").slice(0, 3), [
    "the flow is not valid: 2 problems",
    '  1:7: name: must be a name of letters, digits, `_` and `-`, 1 to 128 of them, not the string "f g"',
    "  2:8: nodes: must not be empty",
  ]);
});

Deno.test("twenty faults are listed and the rest is counted", () => {
  const error = refusal(() =>
    parseFlow(`name: f\nnodes:\n${"  - {id: a b, type: signal, signal_name: s}\n".repeat(15)}`)
  );
  assertEquals(error.issues.length, 20);
  assertEquals(error.message.split("\n").at(-1), "  and 19 more");
});

for (const { name } of Deno.readDirSync(new URL("../../flows/", import.meta.url))) {
  Deno.test(`the flow flows/${name} is valid`, () => {
    const text = Deno.readTextFileSync(new URL(`../../flows/${name}`, import.meta.url));
    const flow = parseFlow(text, { file: `flows/${name}`, kinds: new Set(["agent"]) });
    assertEquals(`${flow.name}.yaml`, name);
    assertEquals(buildFlow(flow.definition).definition, flow.definition);
  });
}

import { rejects } from "./_testing.ts";

Deno.test("a flow that is not a mapping is refused", () => {
  rejects(
    `
- 1`,
    "1:1: flow: must be a mapping with the fields of a flow, not a list",
  );
});

Deno.test("a flow without a name and nodes is refused", () => {
  rejects(
    `
version: "1.0"`,
    "1:1: name: is missing: a flow needs it",
    "1:1: nodes: is missing: a flow needs it",
  );
});

Deno.test("a flow without nodes is refused", () => {
  rejects(
    `
name: f
nodes: []`,
    "2:8: nodes: must not be empty",
  );
});

Deno.test("an empty field is refused", () => {
  rejects(
    `
name: f
nodes:`,
    "2:7: nodes: must not be empty: give it a value or remove it",
  );
});

Deno.test("a version written as a number is refused with a hint to quote it", () => {
  rejects(
    `
version: 1.0
name: f
nodes:
  - {id: a, type: task, subject: s.a}`,
    '1:10: version: must be a string, not the number 1.0; quote it: "1.0"',
  );
});

Deno.test("a version of another value is refused", () => {
  rejects(
    `
version: "2.0"
name: f
nodes:
  - {id: a, type: task, subject: s.a}`,
    '1:10: version: must be `1.0`, not the string "2.0"',
  );
});

Deno.test("a name written as a number is refused with a hint to quote it", () => {
  rejects(
    `
name: f
nodes:
  - {id: 123, type: task, subject: s}`,
    '3:10: nodes[0].id: must be a string, not the number 123; quote it: "123"',
  );
});

Deno.test("a name written as a boolean is refused with a hint to quote it", () => {
  rejects(
    `
name: true
nodes:
  - {id: a, type: task, subject: s.a}`,
    '1:7: name: must be a string, not true; quote it: "true"',
  );
});

Deno.test("the name of a flow has no blanks", () => {
  rejects(
    `
name: my flow
nodes:
  - {id: a, type: task, subject: s.a}`,
    '1:7: name: must be a name of letters, digits, `_` and `-`, 1 to 128 of them, not the string "my flow"',
  );
});

Deno.test("a name of 129 characters is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: ${"x".repeat(129)}, type: task, subject: s}`,
    '3:10: nodes[0].id: must be a name of letters, digits, `_` and `-`, 1 to 128 of them, not the string "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...',
  );
});

Deno.test("an empty name is refused", () => {
  rejects(
    `
name: ""
nodes:
  - {id: a, type: task, subject: s.a}`,
    '1:7: name: must be a name of letters, digits, `_` and `-`, 1 to 128 of them, not the string ""',
  );
});

Deno.test("the name of a node has no dots", () => {
  rejects(
    `
name: f
nodes:
  - {id: a.b, type: task, subject: s}`,
    '3:10: nodes[0].id: must be a name of letters, digits, `_` and `-`, 1 to 128 of them, not the string "a.b"',
  );
});

Deno.test("the name of a signal has no wildcards", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: signal, signal_name: '*'}`,
    '3:40: nodes[0].signal_name: must be a name of letters, digits, `_` and `-`, 1 to 128 of them, not the string "*"',
  );
});

Deno.test("an unknown field of a flow is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
edgs: []`,
    '4:1: edgs: is not a field of a flow; did you mean "edges"?',
  );
});

Deno.test("an unknown field of a node is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subjekt: s, subject: s}`,
    '3:25: nodes[0].subjekt: is not a field of a task; did you mean "subject"?',
  );
});

Deno.test("a field in the spelling of the other source is refused with its own", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, activityTimeout: 1s}`,
    '3:37: nodes[0].activityTimeout: is not a field of a task; did you mean "activity_timeout"?',
  );
});

Deno.test("an unknown field that is near to nothing is refused with a list", () => {
  rejects(
    `
name: f
nodes:
  - id: a
    type: task
    subject: s
    colour: red`,
    "6:5: nodes[0].colour: is not a field of a task; it has `id`, `type`, `invoker`, `target`, `subject`, `timeout`, `activity_timeout` or `retry`",
  );
});

Deno.test("a field of another type of node is refused with the type it belongs to", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, signal_name: x, wait_for: [a]}`,
    "3:37: nodes[0].signal_name: is not a field of a task: it belongs to a signal",
    "3:53: nodes[0].wait_for: is not a field of a task: it belongs to a fanin",
  );
});

Deno.test("a timeout of a fan-out is refused with the types it belongs to", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b], timeout: 1s}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}`,
    "3:47: nodes[0].timeout: is not a field of a fanout: it belongs to a task or a signal",
  );
});

Deno.test("an unknown field of a rule is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{default: true, to: b, then: b}]}
  - {id: b, type: task, subject: s.b}`,
    '3:58: nodes[0].rules[0].then: is not a field of a rule; did you mean "when"?',
  );
});

Deno.test("an unknown field of an edge is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
edges:
  - {from: a, to: b, when: x}`,
    "6:22: edges[0].when: is not a field of an edge; it has `from` or `to`",
  );
});

Deno.test("`__proto__` is an unknown field as any other", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, __proto__: {x: 1}}`,
    "3:37: nodes[0].__proto__: is not a field of a task; it has `id`, `type`, `invoker`, `target`, `subject`, `timeout`, `activity_timeout` or `retry`",
  );
});

Deno.test("a node without a type is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, subject: s}`,
    "3:5: nodes[0].type: is missing: a node is one of `task`, `fanout`, `fanin`, `choice` or `signal`",
  );
});

Deno.test("a node of an unknown type is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: fan-out, branches: [b]}
  - {id: b, type: task, subject: s.b}`,
    '3:19: nodes[0].type: must be `task`, `fanout`, `fanin`, `choice` or `signal`, not the string "fan-out"; did you mean "fanout"?',
  );
});

Deno.test("a node that is a string is refused", () => {
  rejects(
    `
name: f
nodes:
  - a`,
    '3:5: nodes[0]: must be a mapping with the fields of a node, not the string "a"',
  );
});

Deno.test("nodes that are a mapping are refused", () => {
  rejects(
    `
name: f
nodes:
  a: {type: task}`,
    "3:3: nodes: must be a list, not a mapping",
  );
});

Deno.test("a missing id is refused", () => {
  rejects(
    `
name: f
nodes:
  - {type: task, subject: s}`,
    "3:5: nodes[0].id: is missing: a task needs it",
  );
});

Deno.test("a list that is a string is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: a}`,
    '3:39: nodes[0].branches: must be a list, not the string "a"',
  );
});

Deno.test("an edge without an end is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
edges:
  - {from: a}`,
    "5:5: edges[0].to: is missing: an edge needs it",
  );
});

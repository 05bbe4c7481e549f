import { rejects } from "./_testing.ts";

Deno.test("two nodes of one id are refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: a, type: signal, signal_name: x}`,
    '4:10: nodes[1].id: "a" is the id of nodes[0] already: ids are unique in a flow',
  );
});

Deno.test("an edge from an unknown node is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: triage, type: task, subject: s}
  - {id: b, type: task, subject: s.b}
edges:
  - {from: trriage, to: b}`,
    '6:12: edges[0].from: there is no node "trriage"; did you mean "triage"?',
  );
});

Deno.test("an edge to an unknown node is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
edges:
  - {from: a, to: elsewhere}`,
    '5:19: edges[0].to: there is no node "elsewhere"',
  );
});

Deno.test("an edge of a node to itself is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
edges:
  - {from: a, to: b}
  - {from: b, to: b}`,
    '7:19: edges[1].to: leads from "b" to itself',
  );
});

Deno.test("a second edge out of a node is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: c, type: task, subject: s.c}
edges:
  - {from: a, to: b}
  - {from: a, to: c}`,
    '8:19: edges[1].to: is a second edge out of "a" (the first is edges[0]): use a choice or a fan-out',
  );
});

Deno.test("the same edge given twice is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
edges:
  - {from: a, to: b}
  - {from: a, to: b}`,
    '7:19: edges[1].to: is a second edge out of "a" (the first is edges[0]): use a choice or a fan-out',
  );
});

Deno.test("several starts are refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: c, type: task, subject: s.c}
edges:
  - {from: a, to: c}`,
    '4:5: nodes[1]: nothing leads to "b", and the start is "a": lead to it, or remove it',
  );
});

Deno.test("a flow without a start is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
edges:
  - {from: a, to: b}
  - {from: b, to: a}`,
    "3:3: nodes: has no start: every node has another one leading to it",
  );
});

Deno.test("a cycle that nothing leads to is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: c, type: task, subject: s.c}
edges:
  - {from: b, to: c}
  - {from: c, to: b}`,
    '4:5: nodes[1]: "b" cannot be reached from "a"',
    '5:5: nodes[2]: "c" cannot be reached from "a"',
  );
});

Deno.test("`on_timeout` without `timeout` is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: signal, signal_name: x, on_timeout: b}
  - {id: b, type: task, subject: s.b}`,
    "3:55: nodes[0].on_timeout: is never taken: give the node a `timeout` too",
  );
});

Deno.test("a timeout that leads to its own node is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: signal, signal_name: x, timeout: 1s, on_timeout: b}
edges:
  - {from: a, to: b}`,
    "4:68: nodes[1].on_timeout: leads to its own node: leave `on_timeout` and `timeout` out to wait without a limit",
  );
});

Deno.test("a timeout that leads to an unknown node is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: signal, signal_name: x, timeout: 1s, on_timeout: remnid}
  - {id: remind, type: task, subject: s}`,
    '3:68: nodes[0].on_timeout: there is no node "remnid"; did you mean "remind"?',
  );
});

import { rejects } from "./_testing.ts";

Deno.test("a fan-out without branches is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: []}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}`,
    "3:39: nodes[0].branches: must not be empty",
  );
});

Deno.test("a branch that is not there is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [markt]}
  - {id: market, type: task, subject: s}
  - {id: join, type: fanin, wait_for: [market]}
edges:
  - {from: fan, to: join}`,
    '3:40: nodes[0].branches[0]: there is no node "markt"; did you mean "market"?',
  );
});

Deno.test("a branch that is not a task is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, s]}
  - {id: a, type: task, subject: s.a}
  - {id: s, type: signal, signal_name: x}
  - {id: join, type: fanin, wait_for: [a]}
edges:
  - {from: fan, to: join}`,
    '3:43: nodes[0].branches[1]: "s" is a signal: branches are tasks',
  );
});

Deno.test("a branch that is named twice is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b, a]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}`,
    '3:46: nodes[0].branches[2]: "a" is in the list already: name it once',
  );
});

Deno.test("a branch of two fan-outs is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
  - {id: fan2, type: fanout, branches: [b, c]}
  - {id: c, type: task, subject: s.c}
  - {id: join2, type: fanin, wait_for: [c]}
edges:
  - {from: fan, to: join}
  - {from: join, to: fan2}
  - {from: fan2, to: join2}`,
    '7:41: nodes[4].branches[0]: "b" is a branch of "fan" already',
  );
});

Deno.test("an edge out of a branch is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}
  - {from: a, to: join}`,
    '9:19: edges[1].to: leads out of "a", a branch of "fan": branches end at the fan-in that names them in `wait_for`; remove the edge',
  );
});

Deno.test("an edge into a branch is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: s, type: task, subject: s}
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}
  - {from: s, to: a}`,
    '10:19: edges[1].to: leads to "a", a branch of "fan": only its fan-out starts it',
  );
});

Deno.test("a rule into a branch is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: s, type: choice, rules: [{when: payload.x, to: a}, {default: true, to: fan}]}
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}`,
    '3:57: nodes[0].rules[0].to: leads to "a", a branch of "fan": only its fan-out starts it',
  );
});

Deno.test("a timeout into a branch is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: s, type: signal, signal_name: x, timeout: 1s, on_timeout: b}
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}
  - {from: s, to: fan}`,
    '3:68: nodes[0].on_timeout: leads to "b", a branch of "fan": only its fan-out starts it',
  );
});

Deno.test("a fan-out that leads nowhere is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}`,
    "3:5: nodes[0]: leads nowhere: add an edge to the fan-in of its branches",
  );
});

Deno.test("a fan-out that leads to a task is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: c, type: task, subject: s.c}
edges:
  - {from: fan, to: c}`,
    '8:21: edges[0].to: leads from the fan-out "fan" to "c", a task: it has to lead to the fan-in of its branches',
  );
});

Deno.test("a fan-in that waits for nothing is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: []}
edges:
  - {from: fan, to: join}`,
    "6:39: nodes[3].wait_for: must not be empty",
  );
});

Deno.test("a fan-in that waits twice for a branch is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b, b]}
edges:
  - {from: fan, to: join}`,
    '6:46: nodes[3].wait_for[2]: "b" is in the list already: name it once',
  );
});

Deno.test("a fan-in that waits for a task of no fan-out is refused with the nearest branch", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [tech, legal]}
  - {id: tech, type: task, subject: s}
  - {id: legal, type: task, subject: s}
  - {id: join, type: fanin, wait_for: [tech, tecs]}
  - {id: tecs, type: task, subject: s}
edges:
  - {from: fan, to: join}
  - {from: join, to: tecs}`,
    '6:46: nodes[3].wait_for[1]: "tecs" is not a branch of "fan"; did you mean "tech"?',
  );
});

Deno.test("a fan-in without a fan-out is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: join, type: fanin, wait_for: [a]}
edges:
  - {from: a, to: join}`,
    '6:19: edges[0].to: leads to the fan-in "join" from "a": only its fan-out may',
    "4:5: nodes[1]: is not led to by a fan-out: add an edge from the fan-out of the branches it joins",
  );
});

Deno.test("a fan-in of two fan-outs is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
  - {id: fan2, type: fanout, branches: [c]}
  - {id: c, type: task, subject: s.c}
edges:
  - {from: fan, to: join}
  - {from: fan2, to: join}`,
    '11:22: edges[1].to: "join" is the fan-in of "fan" already',
  );
});

Deno.test("a fan-in entered from elsewhere is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: s, type: signal, signal_name: x, timeout: 1s, on_timeout: join}
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
edges:
  - {from: fan, to: join}
  - {from: s, to: fan}`,
    '3:68: nodes[0].on_timeout: leads to the fan-in "join" from "s": only its fan-out may',
  );
});

Deno.test("an unknown policy is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b], join_policy: al}
edges:
  - {from: fan, to: join}`,
    '6:60: nodes[3].join_policy: must be `all`, `any` or `quorum:N` with N from 1, not the string "al"; did you mean "all"?',
  );
});

Deno.test("a quorum of none is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b], join_policy: 'quorum:0'}
edges:
  - {from: fan, to: join}`,
    '6:60: nodes[3].join_policy: must be `all`, `any` or `quorum:N` with N from 1, not the string "quorum:0"',
  );
});

Deno.test("a quorum without a number is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b], join_policy: quorum}
edges:
  - {from: fan, to: join}`,
    '6:60: nodes[3].join_policy: must be `all`, `any` or `quorum:N` with N from 1, not the string "quorum"',
  );
});

Deno.test("a quorum of more than are waited for is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b], join_policy: 'quorum:5'}
edges:
  - {from: fan, to: join}`,
    '6:60: nodes[3].join_policy: "quorum:5" can never be met: `wait_for` names 2',
  );
});

Deno.test("a fan on a cycle is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: s, type: task, subject: s}
  - {id: fan, type: fanout, branches: [a, b]}
  - {id: a, type: task, subject: s.a}
  - {id: b, type: task, subject: s.b}
  - {id: join, type: fanin, wait_for: [a, b]}
  - {id: route, type: choice, rules: [{when: payload.again, to: fan}, {default: true, to: c}]}
  - {id: c, type: task, subject: s.c}
edges:
  - {from: s, to: fan}
  - {from: fan, to: join}
  - {from: join, to: route}`,
    '4:5: nodes[1]: "fan" is on a cycle (fan, a, join, route, b): fans run once',
  );
});

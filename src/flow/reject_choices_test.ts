import { rejects } from "./_testing.ts";

Deno.test("a choice without rules is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: []}`,
    "3:34: nodes[0].rules: must not be empty",
  );
});

Deno.test("a choice without a default is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: 'payload.x > 1', to: b}]}
  - {id: b, type: task, subject: s.b}`,
    "3:34: nodes[0].rules: has no default: end the list with `default: true` and where that leads",
  );
});

Deno.test("a choice with two defaults is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{default: true, to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    "3:69: nodes[0].rules[1].default: is a second default: a choice has exactly one",
  );
});

Deno.test("a default that is false is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{default: false, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    "3:45: nodes[0].rules[0].default: must be `true` where it is given, not false",
  );
});

Deno.test("a rule with both a condition and the default is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: 'payload.x > 1', default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    "3:35: nodes[0].rules[0]: has both `when` and `default`: the default is taken when no other rule matches",
  );
});

Deno.test("a rule with neither a condition nor the default is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    "3:35: nodes[0].rules[0]: has no condition: give it `when`, or make it the default with `default: true`",
  );
});

Deno.test("a rule that leads to an unknown node is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{default: true, to: bb}]}
  - {id: b, type: task, subject: s.b}`,
    '3:55: nodes[0].rules[0].to: there is no node "bb"; did you mean "b"?',
  );
});

Deno.test("a rule that leads nowhere is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{default: true}]}`,
    "3:35: nodes[0].rules[0].to: is missing: a rule needs it",
  );
});

Deno.test("an unknown way to treat errors is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, on_error: ignore, rules: [{default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    '3:37: nodes[0].on_error: must be `fail`, not the string "ignore"',
  );
});

Deno.test("a fault in a plain expression is placed in the file", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: payload.x > (1, to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    '3:56: nodes[0].rules[0].when: expression does not compile: expected ")" but found the end of the expression',
  );
});

Deno.test("a fault in a quoted expression is placed in the file", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: 'payload.x > )', to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    '3:55: nodes[0].rules[0].when: expression does not compile: expected a value but found ")"',
  );
});

Deno.test("a fault in a literal block is placed in the file", () => {
  rejects(
    `
name: f
nodes:
  - id: a
    type: choice
    rules:
      - when: |
          payload.x > 1
            and )
        to: b
      - {default: true, to: b}
  - {id: b, type: task, subject: s.b}`,
    '8:17: nodes[0].rules[0].when: expression does not compile: expected a value but found ")"',
  );
});

Deno.test("a fault in a folded expression is placed at its start", () => {
  rejects(
    `
name: f
nodes:
  - id: a
    type: choice
    rules:
      - when: >
          payload.x > 1
          and )
        to: b
      - {default: true, to: b}
  - {id: b, type: task, subject: s.b}`,
    '6:15: nodes[0].rules[0].when: expression does not compile: expected a value but found ")" (line 1, column 19 of the expression)',
  );
});

Deno.test("a fault in an expression with escapes is placed at its start", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: "payload.x == \\"\\" )", to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    '3:42: nodes[0].rules[0].when: expression does not compile: expected an operator or the end of the expression but found ")" (line 1, column 17 of the expression)',
  );
});

Deno.test("an expression that cannot be boolean is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: '1 + 2', to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    "3:45: nodes[0].rules[0].when: expression does not compile: it can never be a boolean, it is number",
  );
});

Deno.test("a blank expression is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{when: ' ', to: b}, {default: true, to: b}]}
  - {id: b, type: task, subject: s.b}`,
    '3:42: nodes[0].rules[0].when: must be a text that is not blank, not the string " "',
  );
});

Deno.test("an edge out of a choice is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: choice, rules: [{default: true, to: b}]}
  - {id: b, type: task, subject: s.b}
edges:
  - {from: a, to: b}`,
    '6:19: edges[0].to: leads out of the choice "a", which leads where its rules do: remove the edge',
  );
});

Deno.test("a cycle of choices is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: choice, rules: [{default: true, to: c}]}
  - {id: c, type: choice, rules: [{when: 'payload.x', to: b}, {default: true, to: d}]}
  - {id: d, type: task, subject: s}
edges:
  - {from: a, to: b}`,
    '4:5: nodes[1]: "b" is on a cycle of choices only (b, c), which could turn for ever: put a task or a signal on it',
  );
});

Deno.test("a choice that leads to itself is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - {id: b, type: choice, rules: [{default: true, to: b}]}
edges:
  - {from: a, to: b}`,
    '4:55: nodes[1].rules[0].to: leads from "b" to itself',
  );
});

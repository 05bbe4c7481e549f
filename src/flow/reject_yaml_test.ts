import { rejects } from "./_testing.ts";

Deno.test("an empty text is refused", () => {
  rejects(
    `
`,
    "1:1: flow: is empty: a flow needs at least a `name` and `nodes`",
  );
});

Deno.test("a text of comments is refused", () => {
  rejects(
    `
# nothing
`,
    "1:1: flow: is empty: a flow needs at least a `name` and `nodes`",
  );
});

Deno.test("a second document is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
---
name: f
nodes:
  - {id: b, type: task, subject: s.b}`,
    "4:1: flow: a second document begins here: write one flow a file",
  );
});

Deno.test("duplicate keys are refused with the first one's line", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
name: g`,
    "4:1: name: is given twice, first in line 1: keep one of them",
  );
});

Deno.test("duplicate keys of a node are refused", () => {
  rejects(
    `
name: f
nodes:
  - id: a
    type: task
    subject: s
    subject: t`,
    "6:5: nodes[0].subject: is given twice, first in line 5: keep one of them",
  );
});

Deno.test("an alias is refused, and so is its anchor", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: &s x}
  - {id: b, type: task, subject: *s}`,
    "3:37: nodes[0].subject: anchors are not supported: write the value out where it is needed",
    "4:34: nodes[1].subject: aliases are not supported: write the value out",
  );
});

Deno.test("an alias of nothing is refused", () => {
  rejects(
    `
name: *f
nodes: []`,
    "1:7: name: aliases are not supported: write the value out",
  );
});

Deno.test("a merge key is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, <<: {subject: s}}`,
    "3:25: nodes[0]: merge keys are not supported: write the fields out",
  );
});

Deno.test("a custom tag is refused", () => {
  rejects(
    `
name: !secret f
nodes: []`,
    "1:15: name: tags are not supported: write the value plainly, and quote it to make it a string",
  );
});

Deno.test("a tag of YAML's own is refused", () => {
  rejects(
    `
name: !!str f
nodes: []`,
    "1:13: name: tags are not supported: write the value plainly, and quote it to make it a string",
  );
});

Deno.test("a tag with an unknown handle is refused", () => {
  rejects(
    `
name: !e!x f
nodes: []`,
    "1:7: flow: tags are not supported: write the value plainly, and quote it to make it a string (Could not resolve tag: !e!x)",
  );
});

Deno.test("a tag on a list is refused", () => {
  rejects(
    `
name: f
nodes: !!set {a, b}`,
    "2:14: nodes: tags are not supported: write the value plainly, and quote it to make it a string",
  );
});

Deno.test("keys that are no strings are refused", () => {
  rejects(
    `
1: a
true: b
? [x]
: c
name: f`,
    '1:1: flow: has a key that is not a string: "1"; quote it if it is meant',
    '2:1: flow: has a key that is not a string: "true"; quote it if it is meant',
    "3:3: flow: has a key that is not a string",
  );
});

Deno.test("a directive is refused", () => {
  rejects(
    `
%YAML 1.1
---
name: f`,
    "1:1: flow: directives are not supported: remove the line",
  );
});

Deno.test("a NUL byte is refused", () => {
  rejects(
    "\nname: f\0",
    "1:8: flow: holds the control character U+0000, which YAML does not allow",
  );
});

Deno.test("a tab as indentation is refused", () => {
  rejects(
    `
name: f
nodes:
	- {id: a}`,
    "3:1: flow: is indented with a tab: use spaces",
  );
});

Deno.test("an unclosed bracket is refused", () => {
  rejects(
    `
name: f
nodes: [{id: a`,
    "2:15: flow: is not YAML: Flow map in block collection must be sufficiently indented and end with a }",
    "2:15: flow: is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  );
});

Deno.test("bad indentation is refused", () => {
  rejects(
    `
name: f
  nodes: []`,
    "1:7: flow: is not YAML: Nested mappings are not allowed in compact mappings",
    "1:7: flow: is not YAML: Implicit keys need to be on a single line",
  );
});

Deno.test("half of a surrogate pair is refused", () => {
  rejects(
    "\nname: \ud800",
    "1:1: flow: is not well-formed Unicode: it holds half of a surrogate pair",
  );
});

Deno.test("a flow sequence of 65 levels is refused", () => {
  rejects(
    `
name: f
nodes: ${"[".repeat(65)}${"]".repeat(65)}`,
    "2:71: flow: is nested too deep: at most 64 levels are allowed",
  );
});

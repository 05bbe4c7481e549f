import { rejects } from "./_testing.ts";

Deno.test("a retry policy without attempts is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, retry: {backoff: fixed}}`,
    "3:44: nodes[0].retry.max_attempts: is missing: a retry policy needs it",
  );
});

Deno.test("no attempts are refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, retry: {max_attempts: 0}}`,
    "3:59: nodes[0].retry.max_attempts: must be a whole number from 1 to 64, not the number 0",
  );
});

Deno.test("65 attempts are refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s.a}
  - id: b
    type: task
    subject: s
    retry:
      max_attempts: 65
edges: [{from: a, to: b}]`,
    "8:21: nodes[1].retry.max_attempts: must be a whole number from 1 to 64, not the number 65",
  );
});

Deno.test("half an attempt is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, retry: {max_attempts: 1.5}}`,
    "3:59: nodes[0].retry.max_attempts: must be a whole number from 1 to 64, not the number 1.5",
  );
});

Deno.test("attempts written as a string are refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, retry: {max_attempts: '3'}}`,
    '3:59: nodes[0].retry.max_attempts: must be a whole number from 1 to 64, not the string "3"',
  );
});

Deno.test("an unknown backoff is refused with the nearest one", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, retry: {max_attempts: 3, backoff: exponentiel}}`,
    '3:71: nodes[0].retry.backoff: must be `fixed`, `linear` or `exponential`, not the string "exponentiel"; did you mean "exponential"?',
  );
});

Deno.test("a retry policy that is a number is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, retry: 3}`,
    "3:44: nodes[0].retry: must be a mapping with the fields of a retry policy, not the number 3",
  );
});

Deno.test("a duration of zero is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, timeout: 0}`,
    '3:46: nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to 876000h, not the number 0',
  );
});

Deno.test("a negative duration is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, timeout: -5}`,
    '3:46: nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to 876000h, not the number -5',
  );
});

Deno.test("a duration that is no number is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, timeout: .nan}`,
    '3:46: nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to 876000h, not the number .nan',
  );
});

Deno.test("an infinite duration is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, activity_timeout: .inf}`,
    '3:55: nodes[0].activity_timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to 876000h, not the number .inf',
  );
});

Deno.test("a duration in words is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, timeout: soon}`,
    '3:46: nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to 876000h, not the string "soon"',
  );
});

Deno.test("a duration without a unit is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, timeout: '30'}`,
    '3:46: nodes[0].timeout: must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to 876000h, not the string "30"',
  );
});

Deno.test("a nats-task without a subject is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task}`,
    "3:5: nodes[0].subject: is missing: a nats-task needs the subject it calls",
  );
});

Deno.test("a blank subject is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: ' '}`,
    '3:34: nodes[0].subject: must be a text that is not blank, not the string " "',
  );
});

Deno.test("a subject of the namespace's own streams is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: 'exec.pay'}`,
    "3:34: nodes[0].subject: begins with `exec`, which is packtrail's own: write `tasks.exec.pay`, for example",
  );
});

Deno.test("a subject with a wildcard is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: 'tasks.*'}`,
    "3:34: nodes[0].subject: holds a wildcard: a task calls one subject",
  );
});

Deno.test("a subject with a full wildcard is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, target: 'tasks.>'}`,
    "3:33: nodes[0].target: holds a wildcard: a task calls one subject",
  );
});

Deno.test("a subject with a blank is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: tasks a}`,
    "3:34: nodes[0].subject: holds a blank: a subject must not",
  );
});

Deno.test("a subject with a control character is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: "tasks\\0a"}`,
    "3:34: nodes[0].subject: holds a control character: a subject must not",
  );
});

Deno.test("a subject with an empty token is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: tasks..a}`,
    "3:34: nodes[0].subject: has an empty token: write words with single dots between them",
  );
});

Deno.test("a subject that ends with a dot is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: tasks.}`,
    "3:34: nodes[0].subject: has an empty token: write words with single dots between them",
  );
});

Deno.test("a subject of 256 bytes is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: ${"é".repeat(128)}}`,
    "3:34: nodes[0].subject: is 256 bytes long: a subject has at most 255",
  );
});

Deno.test("a subject with another placeholder is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: 'tasks.{id}'}`,
    "3:34: nodes[0].subject: holds `{id}`: the one placeholder is `{execution_id}`",
  );
});

Deno.test("a subject with an open brace is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: 'tasks.{execution_id'}`,
    "3:34: nodes[0].subject: holds `{execution_id`: the one placeholder is `{execution_id}`",
  );
});

Deno.test("a subject beside a target is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, subject: s, target: t}`,
    "3:34: nodes[0].subject: is another name for `target`: give one of them",
  );
});

Deno.test("a subject for another kind is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, invoker: agent, subject: s}`,
    '3:50: nodes[0].subject: is for the invoker nats-task only: give "agent" a `target`',
  );
});

Deno.test("an empty target is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, invoker: agent, target: ''}`,
    '3:49: nodes[0].target: must be a text that is not blank, not the string ""',
  );
});

Deno.test("a target with a control character is refused", () => {
  rejects(
    `
name: f
nodes:
  - {id: a, type: task, invoker: agent, target: "a\\r\\nb"}`,
    "3:49: nodes[0].target: holds a control character: a target must not",
  );
});

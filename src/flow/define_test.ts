// What must not compile is marked with `@ts-expect-error`: the check of types fails where it does compile.
import { assertEquals, assertStrictEquals } from "@std/assert";
import { defineFlow } from "./define.ts";
import { buildFlow, type FlowDef } from "./mod.ts";

const research = {
  version: "1.0",
  name: "research",
  nodes: [
    { id: "triage", type: "task", subject: "tasks.triage", retry: { maxAttempts: 3, backoff: "linear" } },
    { id: "fan", type: "fanout", branches: ["tech", "market"] },
    { id: "tech", type: "task", invoker: "agent", target: "tech", timeout: "2m" },
    { id: "market", type: "task", invoker: "agent" },
    { id: "join", type: "fanin", waitFor: ["tech", "market"], joinPolicy: "quorum:1" },
    { id: "route", type: "choice", rules: [{ when: "payload.x > 1", to: "wait" }, { default: true, to: "end" }] },
    { id: "wait", type: "signal", signalName: "go", timeout: "24h", onTimeout: "end" },
    { id: "end", type: "task", subject: "tasks.end" },
  ],
  edges: [{ from: "triage", to: "fan" }, { from: "fan", to: "join" }, { from: "join", to: "route" }],
} as const;

Deno.test("a typed flow is the definition that was given, and is valid", () => {
  const flow: FlowDef = defineFlow(research, { agent: () => ({ status: "ok" }) });
  assertStrictEquals(flow as unknown, research);
  assertEquals([...buildFlow(flow, { kinds: new Set(["agent"]) }).nodes.keys()], research.nodes.map(({ id }) => id));
});

Deno.test("an edge to or from a node that is not there does not compile", () => {
  const nodes = [{ id: "a", type: "task", subject: "a" }, { id: "b", type: "task", subject: "b" }] as const;
  defineFlow({ name: "f", nodes, edges: [{ from: "a", to: "b" }] });
  // @ts-expect-error there is no node c
  defineFlow({ name: "f", nodes, edges: [{ from: "a", to: "c" }] });
  // @ts-expect-error there is no node c
  defineFlow({ name: "f", nodes, edges: [{ from: "c", to: "b" }] });
  defineFlow({
    name: "f",
    nodes: [{ id: "first", type: "task", subject: "a" }, { id: "second", type: "task", subject: "b" }],
    // @ts-expect-error it is called second
    edges: [{ from: "first", to: "secnd" }],
  });
});

Deno.test("a rule to a node that is not there, or with two meanings, does not compile", () => {
  const end = { id: "end", type: "task", subject: "s" } as const;
  defineFlow({ name: "f", nodes: [{ id: "route", type: "choice", rules: [{ default: true, to: "end" }] }, end] });
  // @ts-expect-error it is called end
  defineFlow({ name: "f", nodes: [{ id: "route", type: "choice", rules: [{ default: true, to: "edn" }] }, end] });
  // @ts-expect-error a rule is the default or has a condition
  defineFlow({ name: "f", nodes: [{ id: "route", type: "choice", rules: [{ to: "end" }] }, end] });
  const both = { when: "true", default: true, to: "end" } as const;
  // @ts-expect-error a rule is the default or has a condition
  defineFlow({ name: "f", nodes: [{ id: "route", type: "choice", rules: [both] }, end] });
});

Deno.test("branches that are not there do not compile", () => {
  const edges = [{ from: "fan", to: "join" }] as const;
  defineFlow({
    name: "f",
    nodes: [
      { id: "fan", type: "fanout", branches: ["a"] },
      { id: "a", type: "task", subject: "a" },
      { id: "join", type: "fanin", waitFor: ["a"] },
    ],
    edges,
  });
  defineFlow({
    name: "f",
    nodes: [
      // @ts-expect-error there is no node b
      { id: "fan", type: "fanout", branches: ["a", "b"] },
      { id: "a", type: "task", subject: "a" },
      // @ts-expect-error there is no node c
      { id: "join", type: "fanin", waitFor: ["a", "c"] },
    ],
    edges,
  });
});

Deno.test("a timeout that leads nowhere does not compile", () => {
  const end = { id: "end", type: "task", subject: "s" } as const;
  const wait = { id: "wait", type: "signal", signalName: "go" } as const;
  const edges = [{ from: "wait", to: "end" }] as const;
  defineFlow({ name: "f", nodes: [{ ...wait, timeout: "1h", onTimeout: "end" }, end], edges });
  // @ts-expect-error it is called end
  defineFlow({ name: "f", nodes: [{ ...wait, timeout: "1h", onTimeout: "ende" }, end], edges });
  // @ts-expect-error it is never taken without a timeout
  defineFlow({ name: "f", nodes: [{ ...wait, onTimeout: "end" }, end], edges });
});

Deno.test("a kind of invoker that is not registered does not compile, where the kinds are given", () => {
  const task = { id: "a", type: "task", invoker: "agent" } as const;
  const invokers = { agent: () => ({ status: "ok" }), http: () => ({ status: "ok" }) };
  defineFlow({ name: "f", nodes: [task] });
  defineFlow({ name: "f", nodes: [task] }, invokers);
  defineFlow({ name: "f", nodes: [task] }, ["agent"]);
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", subject: "s" }] }, invokers);
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", invoker: "nats-task", target: "s" }] }, invokers);
  // @ts-expect-error it is called agent
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", invoker: "agnet" }] }, invokers);
  // @ts-expect-error it is called agent
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", invoker: "agnet" }] }, ["agent"]);
  // @ts-expect-error only nats-task has a subject
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", invoker: "agent", subject: "s" }] }, invokers);
});

Deno.test("fields and words that the format does not have do not compile", () => {
  // @ts-expect-error there is no such type
  defineFlow({ name: "f", nodes: [{ id: "a", type: "tsak", subject: "s" }] });
  // @ts-expect-error there is no such field
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", subjekt: "s" }] });
  const retry = { maxAttempts: 2, backoff: "slow" } as const;
  // @ts-expect-error there is no such backoff
  defineFlow({ name: "f", nodes: [{ id: "a", type: "task", subject: "s", retry }] });
  // @ts-expect-error there is no such policy
  defineFlow({ name: "f", nodes: [{ id: "j", type: "fanin", waitFor: ["j"], joinPolicy: "most" }] });
});

Deno.test("ids that are known only at run time are taken", () => {
  const ids: string[] = ["a", "b"];
  const flow = defineFlow({
    name: "f",
    nodes: ids.map((id) => ({ id, type: "task", subject: id }) as const),
    edges: [{ from: ids[0]!, to: ids[1]! }],
  });
  assertEquals(buildFlow(flow).start, "a");
});

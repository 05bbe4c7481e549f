import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { flows, SIGNALS } from "../core/testing/random_flows.ts";
import { interpret, type Outcome } from "../core/testing/reference.ts";
import { type Script, scriptOf } from "../core/testing/script.ts";
import type { Flow, TaskNode } from "../flow/types.ts";
import type { JsonObject } from "../json.ts";
import { runFlow, type Stub } from "./mod.ts";

const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });
const share = (most: number) => fc.double({ min: 0, max: most, noNaN: true });
const moods = fc.record({ error: share(0.2), retry: share(0.5), pending: share(0.8), cancel: share(0) });
const INPUT: JsonObject = { n: 1, kind: "a" };

/** What of a script a test of a user's can say: signals in their order, completions after `pending`, no resumes. */
function sayable(script: Script): Script {
  const signals = script.signals.toSorted((one, other) => one.at - other.at)
    .map((signal, index) => ({ ...signal, sequence: index + 1 }));
  return {
    signals,
    resumes: [],
    attempt(node, visit, attempt) {
      const { runMs, result, completion } = script.attempt(node, visit, attempt);
      if (result !== undefined) return { runMs, result };
      if (completion === undefined) return { runMs };
      return { runMs, completion: { ...completion, afterMs: runMs + completion.afterMs } };
    },
  };
}

async function inMemory(flow: Flow, script: Script): Promise<Outcome> {
  const visits = new Map<string, number[]>();
  const attempts: string[] = [];
  const stub: Stub = ({ nodeId, generation, attempt }) => {
    const seen = visits.get(nodeId) ?? [];
    if (!seen.includes(generation)) seen.push(generation);
    visits.set(nodeId, seen);
    const visit = seen.indexOf(generation) + 1;
    attempts.push(`${nodeId}.${visit}.${attempt}`);
    const { runMs, result, completion } = script.attempt(nodeId, visit, attempt);
    if (result !== undefined) return { ...result, takes: runMs };
    const completes = completion && { ...completion.result, after: completion.afterMs - runMs };
    return { status: "pending", takes: runMs, ...(completes === undefined ? {} : { completes }) };
  };
  const kinds = [...flow.nodes.values()].filter((node): node is TaskNode => node.type === "task")
    .map(({ invoker }) => [invoker, stub]);
  const awaited = new Set([...flow.nodes.values()].map((node) => node.type === "signal" ? node.signal : undefined));
  const run = await runFlow(flow.definition, {
    input: INPUT,
    invokers: Object.fromEntries(kinds),
    // the others, which change nothing, are refused here
    signals: script.signals.filter(({ name }) => awaited.has(name))
      .map(({ name, payload, at }) => ({ name, payload, at })),
  });
  await run.advance("10000h"); // what branches that nobody waits for bring, counts too
  const { results, signals, branches, lastNode } = run.context;
  return {
    status: run.status as Outcome["status"],
    node: run.currentNode,
    payload: run.payload,
    ...{ results, signals, branches },
    ...(lastNode === undefined ? {} : { lastNode }),
    attempts: attempts.sort(),
  };
}

/** As text whose order of keys says nothing; so names such as `__proto__` count as any other. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => one < other ? -1 : 1));
  }, 1);
}

Deno.test("random flows in memory come to what the reference interpreter says", async () => {
  const statuses = new Set<string>();
  await fc.assert(
    fc.asyncProperty(flows, seeds, moods, async (flow, seed, mood) => {
      const script = sayable(scriptOf(seed, SIGNALS, mood));
      const expected = interpret(flow, script, INPUT);
      statuses.add(expected.status);
      assertEquals(canonical(await inMemory(flow, script)), canonical(expected));
    }),
    { numRuns: 500 },
  );
  assert(statuses.size === 3, `only ${[...statuses]} came up`);
});

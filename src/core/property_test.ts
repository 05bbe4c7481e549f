import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { Flow } from "../flow/types.ts";
import type { Json } from "../json.ts";
import { Driver } from "./testing/driver.ts";
import { flows, SIGNALS } from "./testing/random_flows.ts";
import { interpret, type Outcome } from "./testing/reference.ts";
import { type Script, scriptOf } from "./testing/script.ts";

const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });
const share = (most: number) => fc.double({ min: 0, max: most, noNaN: true });
const moods = fc.record({ error: share(0.3), retry: share(0.5), pending: share(0.8), cancel: share(0.5) });
const INPUT: Json = { n: 1, kind: "a" };

/** As text whose order of keys says nothing; so names such as `__proto__` count as any other. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => one < other ? -1 : 1));
  }, 1);
}

function run(flow: Flow, script: Script): Outcome {
  const driver = new Driver(flow, script);
  try {
    return driver.run(INPUT);
  } catch (error) {
    throw new Error(`${error}\n${driver.log.join("\n")}`, { cause: error });
  }
}

Deno.test("random flows under random scripts come to what the reference interpreter says", () => {
  const statuses = new Set<string>();
  fc.assert(
    fc.property(flows, seeds, moods, (flow, seed, mood) => {
      const script = scriptOf(seed, SIGNALS, mood);
      const expected = interpret(flow, script, INPUT);
      statuses.add(expected.status);
      assertEquals(canonical(run(flow, script)), canonical(expected));
    }),
    { numRuns: 3_000 },
  );
  assert(statuses.size === 4, `only ${[...statuses]} came up`);
});

import { assertEquals, assertRejects } from "@std/assert";
import { UnavailableError } from "../errors.ts";
import { Names } from "../names.ts";
import type { Nats } from "./client.ts";
import { DataStore } from "./data.ts";

/** A server that stores whatever comes, and forgets it. */
function forgetful(): Nats {
  let sequence = 0;
  const call: Nats["requests"]["call"] = (_subject, _data, _limits, settle) =>
    settle({ kind: "reply", data: new TextEncoder().encode(`{"stream":"s","seq":${++sequence}}`) });
  return { names: new Names("ns"), requests: { call } } as unknown as Nats;
}

Deno.test("what an invoker may look at stays at hand, whatever the cache has dropped meanwhile", async () => {
  const data = new DataStore(forgetful(), "w");
  const { ref } = await data.put("e", `"first"`);
  const load = await data.loadedFor((load) => load.value(ref));
  const megabyte = JSON.stringify("x".repeat(1 << 20));
  for (let count = 0; count < 65; count++) await data.put("e", megabyte);
  assertEquals(load.value(ref), "first");
});

/** A server that has every value, and answers a read when it is told how. */
function slow() {
  const reads: PromiseWithResolvers<{ string(): string }>[] = [];
  const getMessage = () => {
    reads.push(Promise.withResolvers());
    return reads.at(-1)!.promise;
  };
  return { nats: { names: new Names("ns"), jsm: { streams: { getMessage } } } as unknown as Nats, reads };
}

Deno.test("what many want at once is read once, and kept as one text", async () => {
  const { nats, reads } = slow();
  const data = new DataStore(nats, "w");
  const loads = Array.from({ length: 100 }, () => data.loaded([1]));
  const other = data.loaded([2, 1, 2]);
  assertEquals(reads.length, 2);
  reads[0]!.resolve({ string: () => `"one"` });
  reads[1]!.resolve({ string: () => `"two"` });
  for (const load of await Promise.all([...loads, other])) assertEquals(load.value(1), "one");
  await data.loaded([1, 2]);
  assertEquals(reads.length, 2, "they are at hand");
});

Deno.test("a read that failed fails all that waited for it, and is made again by who comes next", async () => {
  const { nats, reads } = slow();
  const data = new DataStore(nats, "w");
  const loads = [data.loaded([1]), data.loaded([1])].map((load) => assertRejects(() => load, UnavailableError, "away"));
  reads[0]!.reject(new Error("away"));
  await Promise.all(loads);
  const again = data.loaded([1]);
  assertEquals(reads.length, 2);
  reads[1]!.resolve({ string: () => `"one"` });
  assertEquals((await again).value(1), "one");
});

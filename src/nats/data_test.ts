import { assertEquals } from "@std/assert";
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

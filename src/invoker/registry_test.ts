import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ValidationError } from "../errors.ts";
import { InvokerRegistry, NATS_TASK_KIND } from "./registry.ts";
import type { Invoker, InvokeRequest, Result } from "./types.ts";

const builtIn: Invoker = { invoke: () => ({ status: "ok", payload: "built in" }) };

Deno.test("nats-task is always there, and may be overridden", () => {
  assertStrictEquals(new InvokerRegistry({}, builtIn).get(NATS_TASK_KIND), builtIn);
  const own: Invoker = { invoke: () => ({ status: "ok" }) };
  const registry = new InvokerRegistry({ [NATS_TASK_KIND]: own }, builtIn);
  assertStrictEquals(registry.get(NATS_TASK_KIND), own);
  assertEquals([...registry.kinds], ["nats-task"]);
});

Deno.test("functions and objects are invokers, and objects keep their this", async () => {
  class Agent implements Invoker {
    #answer = "agent";
    invoke(): Result {
      return { status: "ok", payload: this.#answer };
    }
  }
  const registry = new InvokerRegistry(
    { agent: new Agent(), echo: () => ({ status: "ok", payload: "echo" }) },
    builtIn,
  );
  assertEquals([...registry.kinds].sort(), ["agent", "echo", "nats-task"]);
  for (const kind of ["agent", "echo"]) {
    assertEquals(await registry.get(kind)?.invoke({} as InvokeRequest), { status: "ok", payload: kind });
  }
});

Deno.test("a kind that is not there has no invoker, whatever its name", () => {
  const registry = new InvokerRegistry({}, builtIn);
  for (const kind of ["agent", "constructor", "__proto__"]) assertEquals(registry.get(kind), undefined);
});

Deno.test("bad kinds and invokers are refused", () => {
  const make = (table: unknown) => () => new InvokerRegistry(table as Record<string, Invoker>, builtIn);
  for (const kind of ["", "my kind", "a.b", "x".repeat(129)]) {
    assertThrows(make({ [kind]: builtIn }), ValidationError, "is not a legal name");
  }
  for (const invoker of [null, undefined, "http", {}, { invoke: 1 }]) {
    assertThrows(make({ agent: invoker }), ValidationError, "invokers.agent: an invoker is a function or has a method");
  }
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvocationMeter } from "./meter.ts";
import type { InvokeRequest, Result } from "./types.ts";

const REQUEST = {} as InvokeRequest;

Deno.test("invocations are counted by kind and by how they end, and answer what they answered", async () => {
  const meter = new InvocationMeter();
  const sync = meter.measured("a", { invoke: () => ({ status: "ok", payload: 1 }) });
  const slow = meter.measured("b", { invoke: () => Promise.resolve<Result>({ status: "retry", error: "later" }) });
  assertEquals(sync.invoke(REQUEST), { status: "ok", payload: 1 });
  assertEquals(sync.invoke(REQUEST), { status: "ok", payload: 1 });
  assertEquals(await slow.invoke(REQUEST), { status: "retry", error: "later" });
  const stats = meter.stats().map(({ kind, outcome, count }) => ({ kind, outcome, count }));
  assertEquals(stats, [{ kind: "a", outcome: "ok", count: 2 }, { kind: "b", outcome: "retry", count: 1 }]);
});

Deno.test("an invoker that throws, rejects or answers nonsense counts as thrown, and still does so", async () => {
  const meter = new InvocationMeter();
  const fail = () => {
    throw new TypeError("no");
  };
  assertThrows(() => meter.measured("a", { invoke: fail }).invoke(REQUEST), TypeError);
  await assertRejects(
    async () => await meter.measured("a", { invoke: () => Promise.reject(new TypeError("no")) }).invoke(REQUEST),
    TypeError,
  );
  meter.measured("a", { invoke: () => ({ status: "fine" }) as never }).invoke(REQUEST);
  meter.measured("a", { invoke: () => undefined as never }).invoke(REQUEST);
  const [stats] = meter.stats();
  assertEquals([stats!.outcome, stats!.count], ["thrown", 4]);
});

Deno.test("the histogram counts upwards, and the method keeps its object", () => {
  const meter = new InvocationMeter();
  const invoker = {
    readsContext: false,
    answer: { status: "ok" } as Result,
    invoke(): Result {
      return this.answer;
    },
  };
  const measured = meter.measured("a", invoker);
  assertEquals(measured.readsContext, false);
  measured.invoke(REQUEST);
  const [{ buckets, seconds, count }] = meter.stats() as [ReturnType<InvocationMeter["stats"]>[0]];
  assert(seconds >= 0);
  buckets.reduce((before, { count }) => {
    assert(count >= before);
    return count;
  }, 0);
  assertEquals([count, buckets.at(-1)!.count], [1, 1]);
});

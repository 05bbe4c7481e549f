import { assertEquals } from "@std/assert";
import { delayAfter } from "./retry.ts";

const delays = (backoff: "fixed" | "linear" | "exponential", maxAttempts: number) =>
  Array.from({ length: maxAttempts }, (_, attempt) => delayAfter({ maxAttempts, backoff }, attempt));

Deno.test("fixed delays stay, linear ones grow by a second, exponential ones double", () => {
  assertEquals(delays("fixed", 4), [1_000, 1_000, 1_000, undefined]);
  assertEquals(delays("linear", 4), [1_000, 2_000, 3_000, undefined]);
  assertEquals(delays("exponential", 5), [1_000, 2_000, 4_000, 8_000, undefined]);
});

Deno.test("no delay is longer than a minute", () => {
  assertEquals(delays("exponential", 64).slice(5, 8), [32_000, 60_000, 60_000]);
  assertEquals(delays("exponential", 64)[62], 60_000);
  assertEquals(delays("linear", 64).slice(58, 62), [59_000, 60_000, 60_000, 60_000]);
});

Deno.test("one attempt is never repeated", () => {
  for (const backoff of ["fixed", "linear", "exponential"] as const) {
    assertEquals(delayAfter({ maxAttempts: 1, backoff }, 0), undefined);
  }
});

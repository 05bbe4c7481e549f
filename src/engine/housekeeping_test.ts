import { assertEquals, assertRejects } from "@std/assert";
import type { Delivery } from "../nats/delivery.ts";
import { Housekeeping } from "./housekeeping.ts";

const HOUR_MS = 3_600_000;

/** A tick that tells what it was answered. */
function tick(answered: (answer: string) => void): Delivery {
  const answers = { ack: () => answered("ack"), nak: () => answered("nak"), working: () => answered("working") };
  return answers as unknown as Delivery;
}

/** Housekeeping that goes on until it is ended, or its signal is aborted, and what it was asked. */
function slow(keepAliveMs = HOUR_MS) {
  const answers: string[] = [];
  const end = Promise.withResolvers<void>();
  let runs = 0;
  const run = (signal: AbortSignal) => {
    runs++;
    signal.addEventListener("abort", () => end.resolve());
    return end.promise;
  };
  const housekeeping = new Housekeeping({ run, keepAliveMs });
  const ticks = (name: string) => housekeeping.tick(tick((answer) => answers.push(`${name} ${answer}`)));
  return { housekeeping, ticks, answers, end, runs: () => runs };
}

Deno.test("a tick that comes while another is dealt with begins nothing; one that comes after does", async () => {
  const { ticks, answers, end, runs } = slow();
  const first = ticks("first");
  await ticks("second");
  assertEquals([runs(), answers], [1, ["second ack"]]);
  end.resolve();
  await first;
  await ticks("third");
  assertEquals([runs(), answers], [2, ["second ack", "first ack", "third ack"]]);
});

Deno.test("a tick is kept alive for as long as it is dealt with", async () => {
  const alive = Promise.withResolvers<void>();
  const housekeeping = new Housekeeping({ run: () => alive.promise, keepAliveMs: 1 });
  const answers = new Set<string>();
  await housekeeping.tick(tick((answer) => {
    answers.add(answer);
    if (answer === "working") alive.resolve();
  }));
  assertEquals([...answers], ["working", "ack"]);
});

Deno.test("a tick that was not dealt with to the end is given back", async () => {
  const { housekeeping, ticks, answers } = slow();
  const first = ticks("first");
  housekeeping.stop();
  await first;
  assertEquals(answers, ["first nak"]);
});

Deno.test("what fails is not answered, and the next tick is dealt with", async () => {
  const { ticks, answers, end, runs } = slow();
  end.reject(new Error("broken"));
  await assertRejects(() => ticks("first"), Error, "broken");
  await assertRejects(() => ticks("second"), Error, "broken");
  assertEquals([runs(), answers], [2, []]);
});

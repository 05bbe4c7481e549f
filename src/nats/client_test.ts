import { assertEquals, assertRejects } from "@std/assert";
import { NoAnswerError, untilHeard } from "./client.ts";

const unheard = () => new NoAnswerError("a.subject", "no stream takes it", true);

Deno.test("what nobody hears is said again until somebody does", async () => {
  let calls = 0;
  const answer = await untilHeard(() => ++calls < 3 ? Promise.reject(unheard()) : Promise.resolve("heard"));
  assertEquals([answer, calls], ["heard", 3]);
});

Deno.test("what nobody hears for too long fails", async () => {
  await assertRejects(() => untilHeard(() => Promise.reject(unheard()), 0), NoAnswerError, "no stream takes it");
});

Deno.test("what is refused is not said again", async () => {
  let calls = 0;
  const refused = () => Promise.reject(new Error(`refused ${++calls}`));
  await assertRejects(() => untilHeard(refused), Error, "refused 1");
});

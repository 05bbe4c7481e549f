import { assert, assertEquals } from "@std/assert";
import { ServerClock } from "./clock.ts";

/** Runs a step while `Date.now` is ahead of the true time. */
function whileWallIsAhead(ms: number, step: () => void): void {
  const { now } = Date;
  Date.now = () => now() + ms;
  try {
    step();
  } finally {
    Date.now = now;
  }
}

Deno.test("a step of the machine's clock changes nothing of the server's time, but has it looked at again", () => {
  const clock = new ServerClock();
  assertEquals(clock.age(), Infinity);
  const server = Date.parse("2030-01-02T03:04:05Z");
  clock.observe({ ts: new Date(server).toISOString() }, performance.now());
  assert(Math.abs(clock.now() - server) < 1_000 && clock.age() < 1_000);
  for (const jump of [3_600_000, -3_600_000]) {
    whileWallIsAhead(jump, () => {
      assert(Math.abs(clock.now() - server) < 1_000, `${clock.now() - server}`);
      assertEquals(clock.age(), Infinity);
      clock.observe({ ts: new Date(server).toISOString() }, performance.now());
      assert(clock.age() < 1_000);
    });
  }
});

/** Timers that fire while they are cancelled, and while their server is away. */

import { restartIdle } from "../faults/cluster/idle.ts";
import { race } from "../faults/cluster/race.ts";
import { inSpace } from "./support/mod.ts";

Deno.test("a signal and its time limit that meet: one counts, whichever it is", () =>
  inSpace(async (space) => {
    await race(space, { batches: 2 });
  }));

Deno.test("a server that is away while all that is due waits there fires each of it once", async () => {
  await restartIdle(2_000);
});

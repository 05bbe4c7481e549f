/** The faults of a cluster in short; all of them: `deno task faults --cluster`. */

import { assert } from "@std/assert";
import { stepDown } from "../faults/cluster/leaders.ts";
import { loseMajority } from "../faults/cluster/majority.ts";
import { deleteConsumer, loseReplies } from "../faults/cluster/replies.ts";
import { Stage } from "../faults/cluster/stage.ts";

Deno.test("three servers under load lose leaders, answers, a consumer and their majority, and nothing else", async () => {
  await using stage = await Stage.open({ seed: 1 });
  await stepDown(stage, 4);
  await loseReplies(stage, 6);
  await deleteConsumer(stage, "flow", true);
  // All calls would take longer: some ask for two things that nobody answers.
  await loseMajority(stage, "all stalled", ["start", "signal", "get", "byFlow", "history", "listFlows"]);
  const { executions } = await stage.finish();
  assert(executions > 10, `only ${executions} executions`);
});

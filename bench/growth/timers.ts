/** Many timers that are due together. @module */

import type { InvokerFunction, JsonObject } from "../../mod.ts";
import { type Finding, limited, report } from "../finding.ts";
import { alarm } from "../flows.ts";
import type { Ground } from "../ground.ts";

/** Parks executions, each for as many whole seconds as make it due within the same second as all others. */
export async function timers(ground: Ground): Promise<Finding[]> {
  const { count, seconds } = ground.isFull ? { count: 100_000, seconds: 40 } : { count: 10_000, seconds: 10 };
  let early = 0;
  let rung = 0;
  const bell: InvokerFunction = ({ payload }) => {
    rung++;
    if (Date.now() < Number((payload as JsonObject).notBefore)) early++;
    return { status: "ok" };
  };
  const flows = Array.from({ length: seconds }, (_, index) => alarm(`alarm-${index + 1}`, index + 1, "bell"));
  await using space = await ground.engine({ flows, invokers: { bell } });
  const due = Date.now() + seconds * 1_000;
  const done = space.complete(count);
  let next = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    for (; next < count;) {
      next++;
      const now = Date.now();
      const wait = Math.min(seconds, Math.max(1, Math.ceil((due - now) / 1_000)));
      await space.server.start(`alarm-${wait}`, { notBefore: now + wait * 1_000 });
    }
  }));
  const parkedBy = Date.now();
  await done;
  const name = `${count.toLocaleString("en")} timers due within one second`;
  return [
    limited(`${name}: handled before they were due`, early, "timers", 0),
    limited(`${name}: not handled once`, Math.abs(count - rung), "timers", 0),
    report(`${name}: last one completed after the second`, (Date.now() - Math.max(due + 1_000, parkedBy)) / 1_000, "s"),
  ];
}

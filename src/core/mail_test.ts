import { assertEquals } from "@std/assert";
import { hasWaited } from "./mail.ts";
import { stamped } from "./decide.ts";
import { flowOf, ok, Run, started, task } from "./testing/fixtures.ts";

Deno.test("a head tells whether its execution may have been waiting", () => {
  const run = new Run(
    flowOf([task("a"), { id: "wait", type: "signal", signalName: "go" }, task("b")], "a>wait", "wait>b"),
  );
  const step = (change: () => void) => {
    const before = run.state;
    change();
    run.state = stamped(run.state, before, before.version, [], 1);
    return hasWaited(run.state);
  };
  assertEquals(hasWaited(run.state), false);
  assertEquals(step(() => run.outcome(ok())), false, "it begins to wait");
  assertEquals(step(() => run.apply(run.signal("go", 1))), true);
  assertEquals(step(() => run.outcome(ok())), true, "it has ended");
  assertEquals(hasWaited({ ...started(flowOf([task("a")])), version: 20, trail: [] }), true, "its trail was put away");
});

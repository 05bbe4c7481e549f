import { assertEquals } from "@std/assert";
import { parseSummary } from "./test_summary.ts";

Deno.test("the last summary of a run counts tests, not steps, with and without colours", () => {
  const cases: [output: string, passed: number, failed: number][] = [
    ["a ... ok\n\nok | 12 passed (3 steps) | 0 failed (2s)\n", 12, 0],
    ["ok | 1 passed | 0 failed (1ms)\n\nFAILED | 7 passed (1 step) | 2 failed (1 step) | 1 ignored (2s)\n", 7, 2],
    ["\x1b[0m\x1b[32mok\x1b[0m | 3 passed | 0 failed \x1b[0m\x1b[38;5;245m(5ms)\x1b[0m\n", 3, 0],
    ["error: Type checking failed.\n", 0, 0],
  ];
  for (const [output, passed, failed] of cases) assertEquals(parseSummary(output), { passed, failed });
});

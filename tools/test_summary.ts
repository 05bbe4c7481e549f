/** How many tests passed and failed; steps of tests do not count. */
export interface TestSummary {
  /** Tests that passed. */
  passed: number;
  /** Tests that failed. */
  failed: number;
}

/** Reads the last summary line that `deno test` printed; none at all is zero tests. */
export function parseSummary(output: string): TestSummary {
  // deno-lint-ignore no-control-regex
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const lines = plain.matchAll(/^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/gm);
  const [, passed = "0", failed = "0"] = [...lines].at(-1) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

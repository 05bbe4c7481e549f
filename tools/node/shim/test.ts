/** `Deno.test` for other runtimes: tests are registered, and run one after the other. @module */

import process from "node:process";
import { inspect } from "node:util";

/** What a test is given. */
export interface TestContext {
  /** Runs a step of the test. */
  step(name: string, run: () => unknown): Promise<boolean>;
}

type Run = (context: TestContext) => unknown;

interface Definition {
  name: string;
  ignore?: boolean;
  fn: Run;
}

const registered: Definition[] = [];

/** Registers a test, in any of the forms that `Deno.test` takes. Sanitizers and permissions are Deno's own. */
export function test(first: string | Definition, second?: Run | Omit<Definition, "name" | "fn">, third?: Run): void {
  if (typeof first !== "string") registered.push(first);
  else if (typeof second === "function") registered.push({ name: first, fn: second });
  else registered.push({ ...second, name: first, fn: third! });
}

/** How a test ended, as it is told to the parent process. */
export interface Told {
  /** The test's name. */
  name: string;
  /** How it ended. */
  result: "passed" | "failed" | "ignored";
  /** How long it took, in milliseconds. */
  ms: number;
  /** Why it failed. */
  error?: string;
}

/** What the lines for the parent process begin with. */
export const TELL = "##packtrail-test ";

/** Runs what was registered, but for the tests named. */
export async function runTests(omitted: readonly string[]): Promise<void> {
  for (const { name, ignore, fn } of registered) {
    if (omitted.includes(name)) continue;
    const told = ignore ? { name, result: "ignored" as const, ms: 0 } : await runTest(name, fn);
    process.stdout.write(`\n${TELL}${JSON.stringify(told)}\n`);
  }
  process.stdout.write(`\n${TELL}"end"\n`);
}

async function runTest(name: string, fn: Run): Promise<Told> {
  const began = performance.now();
  const step = async (_name: string, run: () => unknown) => {
    await run();
    return true;
  };
  try {
    await fn({ step });
    return { name, result: "passed", ms: performance.now() - began };
  } catch (error) {
    return { name, result: "failed", ms: performance.now() - began, error: inspect(error) };
  }
}

/**
 * Fuzzing: everything that reads what comes from outside, tried with hostile inputs until the cases are used up.
 *
 * Each target runs in a process of its own with a bounded heap. One that says nothing for a while is killed, one that
 * dies has died of something: its last chunk is run again with every input written down, and the last one is told.
 *
 * @module
 */

import { linesOf } from "../../tests/support/process.ts";
import { Random } from "../random.ts";
import type { ChildTask } from "./child.ts";
import { type ChunkLine, lineOf, reportOf, type TargetReport } from "./report.ts";
import type { Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** How much is fuzzed. */
export interface FuzzOptions {
  /** Cases over all targets. */
  readonly cases: number;
  /** Decides the inputs. */
  readonly seed: number;
  /** Only targets whose name has this in it. */
  readonly only?: string;
  /** Processes at once. */
  readonly processes?: number;
  /** Tells of each target when it is done. */
  readonly log?: (line: string) => void;
}

/** A bug, and how to see it again. */
export class FuzzBug extends Error {
  /** The smallest input that is known to show it. */
  readonly input: string;

  /** Creates the error. */
  constructor(target: string, seed: number, input: string, what: string) {
    super(`${target}, chunk of seed ${seed}: ${what}\ninput: ${input}`);
    this.name = "FuzzBug";
    this.input = input;
  }
}

/** How many cases a chunk has: between them the heap is looked at, and the process says that it lives. */
export const CHUNK = 500;

/** How long a chunk may take: far more than its cases may, on a machine with other work. */
const SILENCE_MS = 300_000;

/** How long a process may take to start. */
const START_MS = 60_000;

/** The heap a target may have, in MiB. */
const MAX_HEAP = 512;

/** How much the heap in use may grow, in bytes: memory that inputs leave behind would be far more. */
const MAX_GROWTH = 32 * 2 ** 20;

const CHILD = new URL("./child.ts", import.meta.url);
const ROOT = new URL("../../", import.meta.url);

/** Fuzzes. @throws {FuzzBug} */
export async function fuzz(options: FuzzOptions): Promise<TargetReport[]> {
  const { cases, seed, only = "", processes = 2, log } = options;
  const random = new Random(seed);
  const chosen = TARGETS.filter(({ name }) => name.includes(only));
  const shares = chosen.reduce((total, { share }) => total + share, 0);
  const waiting = chosen.map((target) => {
    const chunks = Math.max(1, Math.ceil(cases * target.share / shares / CHUNK));
    return { target, seeds: Array.from({ length: chunks }, () => random.below(0x7fff_ffff)) };
  });
  const reports: TargetReport[] = [];
  await Promise.all(Array.from({ length: processes }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const report = await fuzzTarget(next.target.name, next.seeds);
      log?.(lineOf(report));
      reports.push(report);
    }
  }));
  return reports;
}

/** Fuzzes one target. @throws {FuzzBug} */
export async function fuzzTarget(
  target: Target["name"],
  seeds: readonly number[],
  { cases = CHUNK, silenceMs = SILENCE_MS } = {},
): Promise<TargetReport> {
  const lines = await runChild({ target, seeds, cases }, silenceMs);
  const bug = lines.at(-1)?.chunk.bug;
  if (bug !== undefined) throw new FuzzBug(target, lines.at(-1)!.seed, bug.input, bug.error);
  if (lines.length < seeds.length) {
    const seed = seeds[lines.length]!;
    throw new FuzzBug(
      target,
      seed,
      await lastInput({ target, seeds: [seed], cases }, silenceMs),
      "it hangs or crashes",
    );
  }
  const report = reportOf(target, lines);
  if (report.heapGrowth > MAX_GROWTH) {
    throw new FuzzBug(target, seeds[0]!, report.worstInput, `the heap has grown by ${report.heapGrowth} bytes`);
  }
  return report;
}

/** Runs a child process until it ends or has been silent for too long. What it said. */
async function runChild(task: ChildTask, silenceMs: number): Promise<ChunkLine[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `--v8-flags=--expose-gc,--max-old-space-size=${MAX_HEAP}`, CHILD.href, JSON.stringify(task)],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  const status = child.status.then(() => hasEnded = true);
  const kill = () => hasEnded || child.kill("SIGKILL");
  let timer = setTimeout(kill, START_MS);
  const lines: ChunkLine[] = [];
  try {
    for await (const line of linesOf(child.stdout)) {
      if (line !== "ready") lines.push(JSON.parse(line));
      clearTimeout(timer);
      timer = setTimeout(kill, silenceMs);
    }
    await status;
  } finally {
    clearTimeout(timer);
  }
  return lines;
}

/** The input that a chunk dies of. */
async function lastInput(task: ChildTask, silenceMs: number): Promise<string> {
  const traceFile = await Deno.makeTempFile({ prefix: "packtrail-fuzz-" });
  try {
    // Writing every input down takes longer.
    const lines = await runChild({ ...task, traceFile }, 4 * silenceMs);
    const input = await Deno.readTextFile(traceFile);
    return lines.length === 0 ? input : "(it does not happen again)";
  } finally {
    await Deno.remove(traceFile);
  }
}

/**
 * The process that runs cases, so that a hang or a crash takes nothing else with it: its arguments are a target, the
 * seeds of chunks, and how many cases a chunk has. It says that it is ready, and then what each chunk came to as a line
 * of JSON.
 *
 * Told a file to trace to, it writes each input there before it tries it: what is there at the end is what it died of.
 *
 * @module
 */

import type { ChunkLine } from "./report.ts";
import { runChunk, type Target } from "./target.ts";
import { TARGETS } from "./targets.ts";
import { BROKEN_TARGETS } from "./broken_targets.ts";

/** What the process is told. */
export interface ChildTask {
  /** The name of the target. */
  readonly target: string;
  /** The seeds of its chunks. */
  readonly seeds: readonly number[];
  /** The cases of a chunk. */
  readonly cases: number;
  /** The file for the inputs. */
  readonly traceFile?: string;
}

/** There where `--expose-gc` was given. */
const { gc } = globalThis as { gc?: () => void };

function main({ target, seeds, cases, traceFile }: ChildTask): void {
  const found: Target | undefined = [...TARGETS, ...BROKEN_TARGETS].find(({ name }) => name === target);
  if (found === undefined) throw new TypeError(`there is no target ${target}`);
  const trace = traceFile === undefined ? {} : { trace: (input: string) => Deno.writeTextFileSync(traceFile, input) };
  console.log("ready");
  for (const seed of seeds) {
    const begin = performance.now();
    const chunk = runChunk(found, { seed, cases, ...trace });
    const ms = performance.now() - begin;
    gc?.();
    const line: ChunkLine = { target, seed, chunk, ms, heap: Deno.memoryUsage().heapUsed };
    console.log(JSON.stringify(line));
    if (chunk.bug !== undefined) return;
  }
}

if (import.meta.main) main(JSON.parse(Deno.args[0]!));

/**
 * The fault suite: `deno task faults [--seed N] [--minutes N]`. It tries to lose an execution. `--fuzz`, `--soak` and
 * `--cluster` do something else instead.
 *
 * First every crash point, in every way to fail, then rounds of random schedules until the time is up. Prints the seed
 * of each round: `--seed` begins with that one.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { startNatsServer } from "../tools/nats.ts";
import { runPasses } from "./cluster/run.ts";
import { crashEverywhere } from "./crash_points.ts";
import type { Failure } from "./frail_connection.ts";
import { runFuzz } from "./fuzz/run.ts";
import { runGround } from "./ground/run.ts";
import { playRound } from "./random_schedules.ts";
import { newSeed, Random } from "./random.ts";
import { runSoak } from "./soak/run.ts";

const USAGE = `usage: deno task faults [--seed N] [--minutes N] [--skip-points]
       deno task faults --fuzz [CASES] [--seed N] [--only TARGET]
       deno task faults --soak [MINUTES] [--executions N]
       deno task faults --cluster [--seed N] [--minutes N]
       deno task faults --ground [--seed N] [--minutes N]

Injects faults into engines and NATS servers of its own, and checks the invariants of docs/guarantees.md.

  --seed N       the seed of the first round (one that nobody chose)
  --minutes N    how long the random rounds go on (10)
  --skip-points  only the random rounds, not every crash point first
  --fuzz N       tries everything that reads what comes from outside with hostile inputs (1000000)
  --only TARGET  fuzzes only targets whose name has this in it
  --soak N       executions for so many minutes, two engine processes of which one is killed every 20 s (30)
  --executions N how many executions the soak starts (200000)
  --cluster      three servers that are killed, cut off and lose their majority, instead; one pass at the least
  --ground       disks and accounts that are full, permissions taken away, wrong clocks, instead; one pass at the least`;

const KINDS: readonly Failure[] = ["die", "lose-reply", "freeze-before", "freeze-after"];

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args: withDefaults(args),
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "10" },
      "skip-points": { type: "boolean" },
      fuzz: { type: "string" },
      only: { type: "string" },
      soak: { type: "string" },
      executions: { type: "string", default: "200000" },
      cluster: { type: "boolean" },
      ground: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(USAGE);
  const seed = values.seed === undefined ? newSeed() : count("--seed", values.seed);
  if (values.fuzz !== undefined) return await runFuzz(count("--fuzz", values.fuzz), seed, values.only);
  if (values.soak !== undefined) {
    return await runSoak(count("--soak", values.soak), count("--executions", values.executions));
  }
  const minutes = count("--minutes", values.minutes);
  if (values.cluster) return await runPasses(seed, minutes * 60_000);
  if (values.ground) return await runGround(seed, minutes * 60_000);
  if (!values["skip-points"]) await crashPoints();
  await rounds(seed, minutes * 60_000);
}

/** Options that may be given without their number. */
const DEFAULTS: Readonly<Record<string, string>> = { "--fuzz": "1000000", "--soak": "30" };

function withDefaults(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const fallback = DEFAULTS[arg];
    return fallback === undefined || /^\d/.test(args[index + 1] ?? "") ? [arg] : [arg, fallback];
  });
}

async function crashPoints(): Promise<void> {
  await using server = await startNatsServer();
  for (const kind of KINDS) {
    const failures = await crashEverywhere({ kinds: [kind], url: server.url });
    console.log(`${kind}: ${failures} crash points, invariants broken: 0`);
  }
}

async function rounds(first: number, limitMs: number): Promise<void> {
  const seeds = new Random(first);
  const total: Record<string, number> = {};
  const add = (name: string, count: number) => total[name] = (total[name] ?? 0) + count;
  const startedAt = performance.now();
  for (let seed = first; performance.now() - startedAt < limitMs; seed = seeds.below(0x7fff_ffff)) {
    console.log(`seed ${seed}`);
    const { faults, ...report } = await playRound({ seed, flows: 6, executions: 5, faults: 20, serverKills: 1 });
    add("rounds", 1);
    for (const [name, number] of [...Object.entries(report), ...Object.entries(faults)]) add(name, number);
  }
  console.log(`${JSON.stringify(total, null, 2)}\ninvariants broken: 0`);
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError(`${option} must be a number, it is ${text}`);
  return number;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(error);
    Deno.exit(1);
  }
}

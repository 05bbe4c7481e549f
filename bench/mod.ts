/**
 * The benchmarks: what users feel, and beside it, in the same run on the same server, what the hardware allows.
 *
 * `deno task bench` takes a few minutes; `--full` measures growth at its full scale; `--only NAME` measures one thing.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { chartOf } from "./chart.ts";
import { cost } from "./cost.ts";
import { dashboard } from "./dashboard.ts";
import { type Finding, median } from "./finding.ts";
import { Ground } from "./ground.ts";
import { burst } from "./growth/burst.ts";
import { crowd } from "./growth/crowd.ts";
import { engines } from "./growth/engines.ts";
import { longChain } from "./growth/long_chain.ts";
import { manyFlows } from "./growth/many_flows.ts";
import { replicas } from "./growth/replicas.ts";
import { timers } from "./growth/timers.ts";
import { wideFan } from "./growth/wide_fan.ts";
import { latency } from "./latency.ts";
import { type Machine, machineOf } from "./machine.ts";
import { figure, tableOf } from "./table.ts";
import { signals, throughput, THROUGHPUTS } from "./throughput.ts";

/** What the benchmarks leave in `bench/results.json`. */
export interface Results {
  /** The day, `YYYY-MM-DD`. */
  readonly date: string;
  /** Whether growth was measured at its full scale. */
  readonly full: boolean;
  /** What was measured on. */
  readonly machine: Machine;
  /** Compare-and-set publishes per second, 64 in flight: the middle one of all measurements. */
  readonly raw: number;
  /** The time of one such publish alone, in milliseconds: the middle one of all measurements. */
  readonly rttMs: number;
  /** What was found out. */
  readonly cases: readonly Finding[];
}

type Suite = (ground: Ground) => Promise<Finding[]>;

// Latency first: what a process has done before it keeps slowing it down.
const SUITES = new Map<string, Suite>([
  ["latency", latency],
  ...THROUGHPUTS.map((name): [string, Suite] => [name, (ground) => throughput(ground, name)]),
  ["signals", signals],
  ["cost", cost],
  ["long-chain", longChain],
  ["wide-fan", wideFan],
  ["engines", engines],
  ["many-flows", manyFlows],
  ["timers", timers],
  ["burst", burst],
  ["crowd", crowd],
  ["dashboard", dashboard],
  ["replicas", replicas],
]);

const USAGE = `usage: deno task bench [--full] [--only NAME]... [--out FOLDER]

  --full        measure growth at its full scale: 1,000,000 executions, 100,000 timers
  --only NAME   measure this only, and write no results; may be repeated: ${[...SUITES.keys()].join(", ")}
  --out FOLDER  where results.json and results.svg go (bench/)`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(USAGE);
  const unknown = values.only?.find((name) => !SUITES.has(name));
  if (unknown !== undefined) throw new TypeError(`there is no benchmark ${unknown}\n\n${USAGE}`);
  const results = await measure(values.full, values.only ?? [...SUITES.keys()]);
  console.log(`\n${tableOf(results.cases)}\n`);
  console.log(`raw ${figure(results.raw)} publishes/s, rtt ${results.rttMs.toFixed(3)} ms (medians of this run)`);
  if (values.only === undefined || values.out !== undefined) await write(results, values.out);
}

async function measure(full: boolean, names: readonly string[]): Promise<Results> {
  await using ground = await Ground.create(full);
  const cases: Finding[] = [];
  for (const name of names) {
    const began = performance.now();
    const findings = await SUITES.get(name)!(ground);
    console.error(`${name} (${((performance.now() - began) / 1_000).toFixed(1)} s)\n${tableOf(findings)}\n`);
    cases.push(...findings);
  }
  const { yardstick, natsVersion } = ground;
  if (yardstick.raws.length === 0) await yardstick.raw();
  if (yardstick.rtts.length === 0) await yardstick.rtt();
  return {
    date: new Date().toISOString().slice(0, 10),
    full,
    machine: await machineOf(natsVersion),
    raw: Math.round(median(yardstick.raws)),
    rttMs: Number(median(yardstick.rtts).toFixed(4)),
    cases: cases.map((finding) => ({ ...finding, ...rounded(finding) })),
  };
}

function rounded({ value, ratio }: Finding): Pick<Finding, "value" | "ratio"> {
  return { value: Number(value.toPrecision(5)), ratio: ratio === null ? null : Number(ratio.toFixed(3)) };
}

async function write(results: Results, folder?: string): Promise<void> {
  const place = folder === undefined
    ? new URL("./", import.meta.url)
    : new URL(`file://${await Deno.realPath(folder)}/`);
  const [json, svg] = [new URL("results.json", place), new URL("results.svg", place)];
  await Deno.writeTextFile(json, `${JSON.stringify(results, null, 2)}\n`);
  await Deno.writeTextFile(svg, chartOf(results));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", json.pathname, svg.pathname] }).output();
}

if (import.meta.main) await main(Deno.args);

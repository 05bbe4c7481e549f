/** `deno task faults --soak`. @module */

import { chartOf } from "./chart.ts";
import { soak, type SoakReport } from "./mod.ts";
import type { Sample } from "./samples.ts";

const RESULTS = new URL("./results.json", import.meta.url);
const CHART = new URL("../../docs/images/soak.svg", import.meta.url);

/** Soaks, prints what came of it, and writes the figures and the plot of docs/guarantees.md. */
export async function runSoak(minutes: number, executions: number): Promise<void> {
  const report = await soak({ minutes, executions, log: console.log });
  await Deno.writeTextFile(RESULTS, jsonOf(report));
  await Deno.writeTextFile(CHART, chartOf(report));
  const { samples, ...figures } = report;
  console.log(`${JSON.stringify(figures, null, 2)}\n${samples.length} samples, invariants broken: 0`);
  for (const file of [RESULTS, CHART]) console.log(`wrote ${file.pathname}`);
}

const COLUMNS = ["at", "engine", "victim", "server", "started", "ended", "messages", "bytes", "inbox"] as const;

/** A report as JSON, each sample a line. */
function jsonOf({ samples, ...figures }: SoakReport): string {
  const row = (sample: Sample) => JSON.stringify(COLUMNS.map((column) => sample[column] ?? null)).replaceAll(",", ", ");
  const columns = JSON.stringify(COLUMNS).replaceAll(",", ", ");
  const rows = samples.map((sample) => `    ${row(sample)}`).join(",\n");
  const rest = JSON.stringify(figures, null, 2).replace(/\n}$/, "");
  return `${rest},\n  "columns": ${columns},\n  "samples": [\n${rows}\n  ]\n}\n`;
}

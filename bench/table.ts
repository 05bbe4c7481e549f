/** The findings as a table for people. @module */

import type { Finding } from "./finding.ts";

const HEADINGS = ["case", "value", "ratio", "goal", ""];

/** The table, one finding a line. */
export function tableOf(findings: readonly Finding[]): string {
  const rows = [HEADINGS, ...findings.map((finding) => [finding.name, valueText(finding), ...judgement(finding)])];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => line(row, widths)).join("\n");
}

/** A figure with its unit, as precise as it deserves. */
export function valueText({ value, unit }: Finding): string {
  return `${figure(value)} ${unit}`;
}

/** The goal in words: `0.50 raw`, `15 rtt`, `250 MiB`. Empty where there is none. */
export function goalText({ goal, measure, unit }: Finding): string {
  if (goal === null) return "";
  switch (measure) {
    case "of raw":
      return `${goal.toFixed(2)} raw`;
    case "of rtt":
      return `${goal} rtt`;
    case "at least":
      return `at least ${goal.toFixed(2)}`;
    case "at most":
      return `at most ${goal.toFixed(2)}`;
    case "limit":
      return `at most ${figure(goal)} ${unit}`;
    case "report":
      return "";
  }
}

/** A number as precise as it deserves. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1_000) return Math.round(value).toLocaleString("en");
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function judgement(finding: Finding): string[] {
  const { ratio, met } = finding;
  return [ratio === null ? "" : ratio.toFixed(2), goalText(finding), met === null ? "" : met ? "met" : "NOT MET"];
}

function line(row: readonly string[], widths: readonly number[]): string {
  return row.map((cell, column) => {
    const isText = column === 0 || column === 4;
    return isText ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  }).join("  ").trimEnd();
}

/** The findings as a picture, light or dark as the reader's screen is. @module */

import { svgOf, textOf } from "../tools/svg.ts";
import type { Finding } from "./finding.ts";
import type { Results } from "./mod.ts";
import { figure, goalText, valueText } from "./table.ts";

const WIDTH = 1_000;
const LABEL = 470;
const BAR = 270;
const ROW = 24;
const BAR_HEIGHT = 12;
const MARGIN = 20;

/** How far a bar may go, in goals: what is far under a limit is a short bar, what is far over is cut. */
const LONGEST = 1.25;

const LIGHT = [
  ".track { fill: #eaeef2; }",
  ".met { fill: #1a7f64; }",
  ".missed { fill: #c2571a; }",
  ".plain { fill: #8c959f; }",
  ".goal { stroke: #1f2328; stroke-width: 1.5; }",
] as const;

const DARK = [
  ".track { fill: #21262d; }",
  ".met { fill: #3fb68b; }",
  ".missed { fill: #e0823d; }",
  ".plain { fill: #6e7681; }",
  ".goal { stroke: #e6edf3; }",
] as const;

/** One bar. */
interface Bar {
  readonly finding: Finding;
  /** How long the bar is, and where the goal is, as shares of the track. */
  readonly length: number;
  readonly goal?: number;
  readonly text: string;
}

/** The chart as an SVG document. */
export function chartOf(results: Results): string {
  const { cases, raw, rttMs, machine, date } = results;
  const sections = [
    { title: "Throughput, as a share of raw publishes (the line is the goal)", bars: cases.flatMap(shareBar) },
    { title: "Growth and cost, as a share of the limit (shorter is better)", bars: cases.flatMap(limitBar) },
    { title: "Against the same work in an easier case (the line is the goal)", bars: cases.flatMap(comparisonBar) },
  ].filter(({ bars }) => bars.length > 0);
  const parts: string[] = [];
  let y = MARGIN + 12;
  parts.push(textOf(MARGIN, y, "packtrail beside what NATS itself can do", "title"));
  y += 20;
  const yardsticks = `raw: ${figure(raw)} publishes/s with acknowledgement · rtt: ${rttMs.toFixed(2)} ms`;
  parts.push(textOf(MARGIN, y, `${yardsticks} · ${machine.cores} cores · NATS ${machine.nats} · ${date}`, "faint"));
  for (const { title, bars } of sections) {
    y += 32;
    parts.push(textOf(MARGIN, y, title, "section"));
    for (const bar of bars) parts.push(barOf(bar, y += ROW));
  }
  const height = y + MARGIN;
  return svgOf(parts, { width: WIDTH, height, label: "Benchmark results", light: LIGHT, dark: DARK });
}

function shareBar(finding: Finding): Bar[] {
  const { ratio, goal, measure, unit } = finding;
  const isShare = measure === "of raw" || measure === "report" && /^(steps|executions|branches)\/s$/.test(unit);
  if (!isShare || ratio === null) return [];
  const line = goal === null ? {} : { goal };
  return [{ finding, length: ratio, ...line, text: `${ratio.toFixed(2)} raw · ${valueText(finding)}` }];
}

function limitBar(finding: Finding): Bar[] {
  const { value, ratio, goal, measure } = finding;
  if (goal === null || goal === 0) return [];
  if (measure === "limit") {
    return [{ finding, length: value / goal, goal: 1, text: `${figure(value)} of ${figure(goal)} ${finding.unit}` }];
  }
  if (measure === "of rtt" && ratio !== null) {
    const words = `${ratio.toFixed(1)} of ${goal} rtt · ${valueText(finding)}`;
    return [{ finding, length: ratio / goal, goal: 1, text: words }];
  }
  if (measure !== "at most" || ratio === null) return [];
  return [{ finding, length: ratio / goal, goal: 1, text: `${ratio.toFixed(2)} of ${goal.toFixed(2)}` }];
}

function comparisonBar(finding: Finding): Bar[] {
  const { ratio, goal, measure } = finding;
  if (measure !== "at least" || ratio === null || goal === null) return [];
  return [{ finding, length: ratio, goal, text: `${ratio.toFixed(2)}, ${goalText(finding)}` }];
}

function barOf({ finding, length, goal, text: words }: Bar, y: number): string {
  const pixels = (share: number) => Math.round(Math.min(share, LONGEST) / LONGEST * BAR);
  const top = y - BAR_HEIGHT + 2;
  const kind = finding.met === null ? "plain" : finding.met ? "met" : "missed";
  const parts = [
    textOf(MARGIN, y, finding.name.length > 76 ? `${finding.name.slice(0, 75)}…` : finding.name),
    rect(BAR, top, "track"),
    rect(Math.max(2, pixels(length)), top, kind),
  ];
  if (goal !== undefined) {
    const x = MARGIN + LABEL + pixels(goal);
    parts.push(`<line class="goal" x1="${x}" x2="${x}" y1="${top - 3}" y2="${top + BAR_HEIGHT + 3}"/>`);
  }
  parts.push(textOf(MARGIN + LABEL + BAR + 10, y, words, "faint"));
  return parts.join("\n");
}

function rect(width: number, y: number, kind: string): string {
  return `<rect class="${kind}" x="${MARGIN + LABEL}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`;
}

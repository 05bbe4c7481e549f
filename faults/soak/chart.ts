/** The soak as a picture, light or dark as the reader's screen is. @module */

import { svgOf, textOf } from "../../tools/svg.ts";
import type { SoakReport } from "./mod.ts";
import type { Sample } from "./samples.ts";

const WIDTH = 1_000;
const LEFT = 70;
const RIGHT = 20;
const PANEL = 170;
const TOP = 84;
const GAP = 62;

const LIGHT = [
  ".end { text-anchor: end; }",
  ".middle { text-anchor: middle; }",
  ".grid { stroke: #eaeef2; }",
  ".line { fill: none; stroke-width: 1.5; }",
  ".lives { stroke: #1a7f64; }",
  ".dies { stroke: #c2571a; }",
  ".server { stroke: #4663ac; }",
  ".ended { stroke: #1a7f64; }",
  ".bytes { stroke: #8c959f; }",
] as const;

const DARK = [
  ".grid { stroke: #21262d; }",
  ".lives, .ended { stroke: #3fb68b; }",
  ".dies { stroke: #e0823d; }",
  ".server { stroke: #8ea6e0; }",
  ".bytes { stroke: #6e7681; }",
] as const;

/** A line of a panel. */
interface Line {
  readonly name: string;
  readonly style: string;
  readonly of: (sample: Sample) => number | undefined;
}

/** A panel: lines over time. */
interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

const PANELS: readonly Panel[] = [
  {
    title: "Memory in MiB (RSS)",
    unit: "",
    lines: [
      { name: "engine that lives on", style: "lives", of: ({ engine }) => engine },
      { name: "engine that is killed", style: "dies", of: ({ victim }) => victim },
      { name: "NATS server", style: "server", of: ({ server }) => server },
    ],
  },
  {
    title: "Executions that have ended, in thousands",
    unit: "k",
    lines: [{ name: "ended", style: "ended", of: ({ ended }) => ended / 1_000 }],
  },
  {
    title: "The stream of executions, in MB",
    unit: "",
    lines: [{ name: "bytes", style: "bytes", of: ({ bytes }) => bytes / 1e6 }],
  },
];

/** The chart as an SVG document. */
export function chartOf(report: SoakReport): string {
  const { executions, minutes, kills, samples, engine, server, date } = report;
  const seconds = samples.at(-1)?.at ?? 1;
  const parts = [
    text(LEFT, 26, `${executions.toLocaleString("en")} executions in ${minutes} minutes, ${kills} SIGKILLs`, "title"),
    text(
      LEFT,
      46,
      `engine: ${engine.quarters.map(Math.round).join(", ")} MiB, the medians of the quarters · server: ` +
        `${server.perThousand.toFixed(2)} MiB for 1,000 more ended executions · ${date}`,
      "faint",
    ),
  ];
  PANELS.forEach((panel, index) => parts.push(...panelOf(panel, samples, TOP + index * (PANEL + GAP), seconds)));
  const height = TOP + PANELS.length * (PANEL + GAP);
  const label = "Soak: memory and executions over time";
  return svgOf(parts, { width: WIDTH, height, label, light: LIGHT, dark: DARK });
}

function panelOf({ title, unit, lines }: Panel, samples: readonly Sample[], top: number, seconds: number): string[] {
  const values = samples.flatMap((sample) => lines.map(({ of }) => of(sample) ?? 0));
  const step = niceStep(Math.max(...values) / 4);
  const most = step * Math.max(1, Math.ceil(Math.max(...values) / step));
  const x = (at: number) => LEFT + at / seconds * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => top + PANEL - value / most * PANEL;
  const parts = [text(LEFT, top - 10, title, "section")];
  for (let value = 0; value <= most; value += step) {
    parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>`);
    parts.push(text(LEFT - 8, y(value) + 4, `${Number(value.toFixed(2))}${unit}`, "faint end"));
  }
  const minutes = niceStep(seconds / 60 / 6);
  for (let minute = 0; minute * 60 <= seconds; minute += minutes) {
    parts.push(text(x(minute * 60), top + PANEL + 16, `${Number(minute.toFixed(1))} min`, "faint middle"));
  }
  for (const { style, of } of lines) parts.push(...strokes(samples, of).map((points) => polyline(points, style, x, y)));
  let right = WIDTH - RIGHT;
  if (lines.length > 1) {
    for (const { name, style } of lines.toReversed()) {
      parts.push(text(right, top - 10, name, "faint end"));
      right -= name.length * 6 + 14;
      parts.push(`<line class="line ${style}" x1="${right - 18}" x2="${right}" y1="${top - 14}" y2="${top - 14}"/>`);
      right -= 34;
    }
  }
  return parts;
}

type Point = readonly [at: number, value: number];

/** The pieces of a line: where there is no value it is interrupted. */
function strokes(samples: readonly Sample[], of: (sample: Sample) => number | undefined): Point[][] {
  const pieces: Point[][] = [[]];
  for (const sample of samples) {
    const value = of(sample);
    if (value === undefined) pieces.push([]);
    else pieces.at(-1)!.push([sample.at, value]);
  }
  return pieces.filter((points) => points.length > 0);
}

function polyline(points: Point[], style: string, x: (at: number) => number, y: (value: number) => number): string {
  const places = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return `<polyline class="line ${style}" points="${places}"/>`;
}

/** 1, 2 or 5 times a power of ten, not less than `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-3)));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least) ?? 10 * power;
}

function text(x: number, y: number, words: string, kind: string): string {
  return textOf(x.toFixed(1), y.toFixed(1), words, kind);
}

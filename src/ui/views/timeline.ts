/**
 * The timeline of an execution: every visit of a node, to scale.
 *
 * @module
 */

import { clip } from "../graph/svg.ts";
import { clock, duration, plural } from "../format.ts";
import { type Html, markup } from "../html.ts";
import { endOf, type Segment, type Visit } from "../visits.ts";

const MAX_ROWS = 100;
const MIN_WIDTH = 0.5;
const TICKS = 4;
/** How many steps at the least the scale of a live timeline has. */
const STEPS = 8;

/** The span that a timeline shows. */
interface Scale {
  readonly start: number;
  readonly end: number;
  /** Where a moment is, in per cent. */
  at(time: number): number;
}

/** Draws the visits. */
export function timeline(visits: readonly Visit[], now: number): Html {
  const shown = visits.slice(-MAX_ROWS);
  const left = visits.length - shown.length;
  const scale = scaleOf(shown, { now, isWhole: left === 0 });
  const ids = new Set<string>();
  return markup`${
    left > 0 && markup`<p class="soft small">${plural(left, "earlier visit")} not shown</p>`
  } <ol class="timeline" aria-label="Visits of nodes, in order">${axis(scale)}${
    shown.map((visit, index) => {
      const isLast = !shown.slice(index + 1).some(({ node }) => node === visit.node);
      return row(visit, { scale, now, isLast, id: idOf(visit, ids) });
    })
  }</ol> ${legend()}`;
}

/** Where it can, a scale stays the same while time passes: what does not change on a page costs nothing. */
function scaleOf(shown: readonly Visit[], { now, isWhole }: { now: number; isWhole: boolean }): Scale {
  const first = shown[0]!.start;
  const last = Math.max(first + TICKS, ...shown.map((visit) => endOf(visit, now)));
  const step = 2 ** Math.ceil(Math.log2((last - first) / STEPS));
  const start = isWhole ? first : Math.floor(first / step) * step;
  const end = last < now ? last : start + Math.ceil((last - start) / step) * step;
  return { start, end, at: (time) => (Math.min(Math.max(time, start), end) - start) / (end - start) * 100 };
}

/** The same for a visit however often the page is made; two visits of a node may begin in the same millisecond. */
function idOf({ start, node }: Visit, taken: Set<string>): string {
  let id = `visit-${start.toString(36)}-${node}`;
  while (taken.has(id)) id += "-";
  taken.add(id);
  return id;
}

function axis({ start, end }: Scale): Html {
  const marks = Array.from({ length: TICKS + 1 }, (_, index) => {
    const anchor = index === 0 ? "start" : index === TICKS ? "end" : "middle";
    return markup`<text x="${index / TICKS * 100}%" y="12" text-anchor="${anchor}">${
      index === 0 ? "0" : duration((end - start) * index / TICKS)
    }</text>`;
  });
  return markup`<li class="axis" aria-hidden="true"><span>since start</span><svg>${marks}</svg><span class="took">took</span></li>`;
}

interface RowOptions {
  readonly scale: Scale;
  readonly now: number;
  readonly isLast: boolean;
  readonly id: string;
}

function row(visit: Visit, { scale, now, isLast, id }: RowOptions): Html {
  const end = endOf(visit, now);
  const took = visit.segments.length === 0 ? "passed" : duration(end - visit.start);
  const attempts = Math.max(0, ...visit.segments.map(({ attempt }) => attempt)) + 1;
  const error = visit.errors.at(-1);
  return markup`<li id="${id}"><a class="what"${
    isLast ? markup` id="at-${visit.node}"` : ""
  } href="#node-${visit.node}" title="${visit.node}, from ${clock(new Date(visit.start))}">${visit.node}</a>
<svg role="img" aria-label="${describe(visit, now)}"><line class="rail" x1="0" x2="100%" y1="10" y2="10"/>${
    visit.segments.map((segment) => bar(segment, visit, scale, now))
  }${
    visit.ticks.map((tick) =>
      markup`<line class="tick" x1="${fixed(scale.at(tick))}%" x2="${fixed(scale.at(tick))}%" y1="4" y2="16" />`
    )
  }${
    visit.segments.length === 0 &&
    markup`<circle class="seg-done" cx="${fixed(scale.at(visit.start))}%" cy="10" r="4" />`
  }</svg>
<span class="took">${took}${attempts > 1 && ` · ${plural(attempts, "attempt")}`}</span>
${error !== undefined && markup`<p class="why" title="${error}">${clip(error, 220)}</p>`}</li>`;
}

function bar(segment: Segment, visit: Visit, scale: Scale, now: number): Html {
  const end = segment.end ?? endOf(visit, now);
  const x = Math.min(scale.at(segment.start), 100 - MIN_WIDTH);
  const width = Math.max(MIN_WIDTH, scale.at(end) - x);
  const inset = segment.kind === "attempt" ? 3 : 5;
  return markup`<rect class="${barClass(segment)}" x="${fixed(x)}%" y="${inset}" width="${fixed(width)}%" height="${
    20 -
    2 * inset
  }" rx="2.5"><title>${segmentText(segment, end)}</title></rect>`;
}

function barClass({ kind, result }: Segment): string {
  if (kind === "delay") return "seg-delay";
  if (result === "failed") return "seg-failed";
  if (result === "cancelled") return "seg-cancelled";
  if (kind === "wait") return "seg-wait";
  return result === "open" ? "seg-run" : "seg-done";
}

function segmentText({ kind, start, attempt, result }: Segment, end: number): string {
  const took = duration(end - start);
  if (kind === "delay") return `${took} until attempt ${attempt + 1}`;
  if (kind === "wait") return result === "open" ? `waiting for ${took}` : `waited ${took}`;
  const outcome = { ok: "done", failed: "failed", cancelled: "cancelled", open: "running" }[result];
  return `attempt ${attempt + 1}, ${took}, ${outcome}`;
}

function describe(visit: Visit, now: number): string {
  if (visit.segments.length === 0) return `${visit.node}: passed`;
  const parts = visit.segments.map((segment) => segmentText(segment, segment.end ?? endOf(visit, now)));
  return `${visit.node}: ${parts.join("; ")}`;
}

function legend(): Html {
  const entry = (name: string, text: string) =>
    markup`<span><svg aria-hidden="true"><rect class="${name}" x="1" y="1" width="18" height="8" rx="2"/></svg>${text}</span>`;
  return markup`<div class="legend timeline-legend">${entry("seg-done", "done")}${entry("seg-run", "running")}${
    entry("seg-failed", "failed")
  }${entry("seg-wait", "waiting")}${entry("seg-delay", "retry delay")}</div>`;
}

function fixed(value: number): string {
  return value.toFixed(2);
}

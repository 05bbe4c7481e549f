/**
 * The chart of what ended in the last minutes.
 *
 * @module
 */

import { clock, count, percent } from "../format.ts";
import { type Html, markup } from "../html.ts";
import { type Bucket, BUCKET_MS } from "../live.ts";

const HEIGHT = 132;
const TOP = 16;
const BOTTOM = 20;
const KINDS = ["completed", "failed", "cancelled"] as const;

/** What ended, in a sentence. */
export function chartSummary(buckets: readonly Bucket[]): string {
  const [completed, failed, cancelled] = KINDS.map((kind) => buckets.reduce((sum, bucket) => sum + bucket[kind], 0));
  const all = completed! + failed! + cancelled!;
  const perMinute = Math.round(all / (buckets.length * BUCKET_MS) * 600_000) / 10;
  const minutes = buckets.length * BUCKET_MS / 60_000;
  if (all === 0) return `Nothing ended in the last ${minutes} minutes`;
  return `${count(all)} ended in ${minutes} min · ${count(perMinute)} per min · ${percent(failed!, all)} failed`;
}

/** The chart: a bar for every ten seconds. */
export function chart(buckets: readonly Bucket[]): Html {
  const totals = buckets.map((bucket) => bucket.completed + bucket.failed + bucket.cancelled);
  const scale = niceCeiling(Math.max(4, ...totals));
  const room = HEIGHT - TOP - BOTTOM;
  const y = (value: number) => round(TOP + room * (1 - value / scale));
  const step = 100 / buckets.length;
  const bars = buckets.map((bucket, index) => {
    let below = 0;
    const pieces = KINDS.filter((kind) => bucket[kind] > 0).map((kind) => {
      const top = y(below + bucket[kind]);
      const height = round(y(below) - top);
      below += bucket[kind];
      return markup`<rect class="bar-${kind}" x="${round(index * step + step * 0.12)}%" y="${top}" width="${
        round(
          step * 0.76,
        )
      }%" height="${Math.max(1, height)}" />`;
    });
    if (pieces.length === 0) return undefined;
    const text = KINDS.filter((kind) => bucket[kind] > 0).map((kind) => `${bucket[kind]} ${kind}`).join(", ");
    return markup`<g><title>${clock(new Date(bucket.start))}: ${text}</title>${pieces}</g>`;
  });
  const lines = [0, scale / 2, scale].map((value) =>
    markup`<line class="grid" x1="0" x2="100%" y1="${y(value)}" y2="${y(value)}" />${
      value > 0 &&
      markup`<text x="2" y="${y(value) - 4}">${count(value)}</text>`
    }`
  );
  return markup`<svg class="chart" role="img" aria-label="${chartSummary(buckets)}">${lines}${bars} <text x="0" y="${
    HEIGHT - 5
  }">${buckets.length * BUCKET_MS / 60_000} min ago</text><text x="100%" y="${
    HEIGHT - 5
  }" text-anchor="end">now</text></svg>`;
}

/** The next number of the form 1, 2, 4 or 10 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((factor) => factor * power >= value)!;
  return step * power;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

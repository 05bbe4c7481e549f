/** What is looked at every few seconds while the soak goes on, and what it says. @module */

/** One look. */
export interface Sample {
  /** Seconds since the beginning. */
  readonly at: number;
  /** Memory of the engine that lives on, in MiB. */
  readonly engine: number;
  /** Memory of the engine that is killed, in MiB; absent while there is none. */
  readonly victim?: number;
  /** Memory of the server, in MiB. */
  readonly server: number;
  /** Executions that were started, and that have ended. */
  readonly started: number;
  readonly ended: number;
  /** The stream of executions. */
  readonly messages: number;
  readonly bytes: number;
  /** Messages in the inbox. */
  readonly inbox: number;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The medians of a value over the four quarters of the time in which executions were started. */
export function quarters(samples: readonly Sample[], seconds: number, of: (sample: Sample) => number): number[] {
  return [0, 1, 2, 3].map((quarter) =>
    median(
      samples.filter(({ at }) => at >= quarter * seconds / 4 && at < (quarter + 1) * seconds / 4).map(of),
    )
  );
}

/** By how much `y` grows with `x`: the slope of the straight line that is nearest to the points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)];
  const along = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  return points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0) / along;
}

/** What the benchmarks find out, and how it is judged. @module */

/** What a goal is about. */
export type Measure =
  /** More is better, as a share of raw publishes per second. */
  | "of raw"
  /** Less is better, in round trips of one publish. */
  | "of rtt"
  /** More is better, as a share of another measurement of the same run. */
  | "at least"
  /** Less is better, as a multiple of another measurement of the same run. */
  | "at most"
  /** Less is better, in the unit of the value. */
  | "limit"
  /** Nothing is asked for. */
  | "report";

/** One row of the table. */
export interface Finding {
  /** What was measured. */
  readonly name: string;
  /** The figure. */
  readonly value: number;
  /** Its unit. */
  readonly unit: string;
  /** The figure in terms of the yardstick, or of what it is compared with, taken in the same run. */
  readonly ratio: number | null;
  /** What `ratio` should be, or `value` where the measure is a limit. */
  readonly goal: number | null;
  /** Whether the goal is reached; `null` where there is none. */
  readonly met: boolean | null;
  /** What the goal is about. */
  readonly measure: Measure;
}

/** A figure that nothing is asked of. */
export function report(name: string, value: number, unit: string, ratio: number | null = null): Finding {
  return { name, value, unit, ratio, goal: null, met: null, measure: "report" };
}

/** A figure whose ratio should reach a goal. */
export function judged(
  name: string,
  { value, ratio }: { value: number; ratio: number },
  { unit, measure, goal }: { unit: string; measure: Exclude<Measure, "limit" | "report">; goal: number },
): Finding {
  const isMoreBetter = measure === "of raw" || measure === "at least";
  return { name, value, unit, ratio, goal, met: isMoreBetter ? ratio >= goal : ratio <= goal, measure };
}

/** A figure that should not be above a limit. */
export function limited(name: string, value: number, unit: string, goal: number): Finding {
  return { name, value, unit, ratio: null, goal, met: value <= goal, measure: "limit" };
}

/** The middle one of some figures. */
export function median(values: readonly number[]): number {
  return medianBy(values, (value) => value);
}

/** The middle one of some things, by a figure of theirs. */
export function medianBy<T>(values: readonly T[], figure: (value: T) => number): T {
  if (values.length === 0) throw new RangeError("nothing was measured");
  return values.toSorted((a, b) => figure(a) - figure(b))[Math.floor(values.length / 2)]!;
}

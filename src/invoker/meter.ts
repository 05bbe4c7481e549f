/**
 * How long invocations take: counted where they are made, for whoever collects metrics.
 *
 * @module
 */

import type { Invoker, InvokeRequest, Result } from "./types.ts";

/** How an invocation ended; `thrown` where the invoker threw, or answered something else. */
export type InvocationOutcome = Result["status"] | "thrown";

/** The invocations of one kind that ended in one way, since the server was created. */
export interface InvocationStats {
  /** The kind of invoker. */
  kind: string;
  /** How they ended. */
  outcome: InvocationOutcome;
  /** How many. */
  count: number;
  /** How long they took, all together, in seconds. */
  seconds: number;
  /** How many took no longer than `le` seconds: a histogram, by rising bounds. */
  buckets: { le: number; count: number }[];
}

/** The bounds of the histogram, in seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;
const OUTCOMES: ReadonlySet<unknown> = new Set(["ok", "error", "retry", "pending"] satisfies Result["status"][]);

interface Series {
  count: number;
  seconds: number;
  /** How many ended within each bound, and not within the one before. */
  readonly within: number[];
}

/** Measures invocations. */
export class InvocationMeter {
  readonly #series = new Map<string, Map<InvocationOutcome, Series>>();

  /** An invoker that does what another one does, and is measured. */
  measured(kind: string, invoker: Invoker): Invoker {
    const invoke = (request: InvokeRequest) => {
      const start = performance.now();
      const record = (result: unknown) => this.#record(kind, outcomeOf(result), performance.now() - start);
      let answer: Promise<Result> | Result;
      try {
        answer = invoker.invoke(request);
      } catch (error) {
        record(undefined);
        throw error;
      }
      if (isPromise(answer)) answer.then(record, () => record(undefined));
      else record(answer);
      return answer;
    };
    return invoker.readsContext === undefined ? { invoke } : { invoke, readsContext: invoker.readsContext };
  }

  /** What was measured so far. */
  stats(): InvocationStats[] {
    return [...this.#series].flatMap(([kind, outcomes]) =>
      [...outcomes].map(([outcome, { count, seconds, within }]) => {
        let below = 0;
        const buckets = BOUNDS.map((le, index) => ({ le, count: below += within[index]! }));
        return { kind, outcome, count, seconds, buckets };
      })
    );
  }

  #record(kind: string, outcome: InvocationOutcome, ms: number): void {
    let outcomes = this.#series.get(kind);
    if (outcomes === undefined) this.#series.set(kind, outcomes = new Map());
    let series = outcomes.get(outcome);
    if (series === undefined) {
      series = { count: 0, seconds: 0, within: BOUNDS.map(() => 0) };
      outcomes.set(outcome, series);
    }
    const seconds = ms / 1_000;
    series.count++;
    series.seconds += seconds;
    const index = BOUNDS.findIndex((bound) => seconds <= bound);
    if (index >= 0) series.within[index]!++;
  }
}

function outcomeOf(result: unknown): InvocationOutcome {
  const status = (result as Partial<Result> | null | undefined)?.status;
  return OUTCOMES.has(status) ? status! : "thrown";
}

function isPromise(answer: Promise<Result> | Result): answer is Promise<Result> {
  return typeof (answer as Partial<Promise<Result>> | null | undefined)?.then === "function";
}

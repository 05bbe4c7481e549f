/**
 * The way of an execution: its history as visits of nodes, each with its attempts, waits and delays.
 *
 * @module
 */

import type { ExecutionEvent, FlowGraph, GraphNode } from "../../mod.ts";

/** A stretch of a visit. */
export interface Segment {
  /** An attempt, the delay before one, or a wait for a signal, a completion or branches. */
  readonly kind: "attempt" | "delay" | "wait";
  /** When it began, in milliseconds since the epoch. */
  readonly start: number;
  /** When it ended; absent while it lasts. */
  readonly end?: number;
  /** The attempt, from 0. */
  readonly attempt: number;
  /** How it ended: well, badly, given up with the execution, or not yet. */
  readonly result: "ok" | "failed" | "cancelled" | "open";
}

/** A visit of a node. */
export interface Visit {
  /** The node. */
  readonly node: string;
  /** When it began. */
  readonly start: number;
  /** When it ended; absent while it lasts. */
  readonly end?: number;
  /** Its stretches; none for a node that was only walked through. */
  readonly segments: Segment[];
  /** Why attempts failed, in order. */
  readonly errors: string[];
  /** When branches settled. */
  readonly ticks: number[];
  /** How it ended. */
  readonly result: Segment["result"];
}

type Draft = { -readonly [field in keyof Visit]: Visit[field] };

/** The visits that a history tells of, in order. */
export function visitsOf(history: readonly ExecutionEvent[], graph: FlowGraph | undefined): Visit[] {
  const visits: Draft[] = [];
  const nodes = new Map(graph?.nodes.map((node) => [node.id, node]));
  let hasEnded = true;
  history.forEach((event, index) => {
    const { node, status, attempt, error } = event;
    const start = event.time.getTime();
    const open = visits.at(-1);
    if (attempt === undefined) { // a node that was walked through
      if (open !== undefined && !hasEnded) close(open, start, "ok");
      visits.push({ node, start, end: start, segments: [], errors: [], ticks: [], result: "ok" });
      hasEnded = true;
      return;
    }
    const isEnd = status === "completed" || status === "failed" || status === "cancelled";
    if (isEnd) {
      const last = open?.node === node && !hasEnded ? open : begin(visits, open, node, start, hasEnded);
      if (status === "failed" && error !== undefined) last.errors.push(error);
      close(last, start, status === "completed" ? "ok" : status);
      hasEnded = true;
      return;
    }
    const isSame = open?.node === node && !hasEnded && !isNewVisit(history[index - 1], event);
    const visit = isSame ? open : begin(visits, open, node, start, hasEnded);
    hasEnded = false;
    if (isSame) proceed(visit, event, start);
    else if (error !== undefined) visit.errors.push(error);
    const delay = error !== undefined && attempt > 0 && status === "running" ? retryDelay(nodes.get(node), attempt) : 0;
    const next = history[index + 1]?.time.getTime() ?? Infinity;
    addSegments(visit, { start, delay: Math.min(delay, next - start), attempt, isWait: status === "waiting" });
  });
  return visits;
}

/** When a visit's last stretch ended, or now. */
export function endOf(visit: Visit, now: number): number {
  return visit.end ?? Math.max(now, visit.start);
}

function begin(visits: Draft[], open: Draft | undefined, node: string, start: number, hasEnded: boolean): Draft {
  if (open !== undefined && !hasEnded) close(open, start, "ok");
  const visit: Draft = { node, start, segments: [], errors: [], ticks: [], result: "open" };
  visits.push(visit);
  return visit;
}

function close(visit: Draft, end: number, result: Segment["result"]): void {
  const last = visit.segments.at(-1);
  // A wait that was not in vain ends well, whatever comes of it.
  if (last?.end === undefined && last !== undefined) visit.segments.splice(-1, 1, { ...last, end, result });
  visit.end = end;
  visit.result = result;
}

/** What goes on at the same node: an attempt that failed, one that is pending, or a branch that settled. */
function proceed(visit: Draft, { attempt, error }: ExecutionEvent, at: number): void {
  const last = visit.segments.at(-1);
  if (last === undefined) return;
  const isRetry = attempt !== last.attempt;
  if (isRetry && error !== undefined) visit.errors.push(error);
  if (!isRetry) visit.ticks.push(at);
  visit.segments.splice(-1, 1, { ...last, end: at, result: isRetry ? "failed" : "ok" });
}

function addSegments(
  visit: Draft,
  { start, delay, attempt, isWait }: { start: number; delay: number; attempt: number; isWait: boolean },
): void {
  if (delay > 0) {
    visit.segments.push({ kind: "delay", start, end: start + delay, attempt, result: "ok" });
  }
  visit.segments.push({ kind: isWait ? "wait" : "attempt", start: start + delay, attempt, result: "open" });
}

/** A node that leads to itself, or was resumed, is entered again with attempt 0. */
function isNewVisit(previous: ExecutionEvent | undefined, event: ExecutionEvent): boolean {
  return (previous?.attempt ?? 0) > (event.attempt ?? 0);
}

/** The delay before an attempt, as the node's policy has it: base 1 s, at most 60 s. */
export function retryDelay(node: GraphNode | undefined, attempt: number): number {
  switch (node?.retry?.backoff) {
    case "linear":
      return Math.min(attempt, 60) * 1_000;
    case "exponential":
      return Math.min(2 ** (attempt - 1), 60) * 1_000;
    default:
      return 1_000;
  }
}

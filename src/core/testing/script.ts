/**
 * Scripts: what the world outside does to an execution in a test. The in-memory driver and the reference interpreter
 * are given the same one.
 *
 * All of a script follows from a seed. Times are spread so finely that no two things happen at once.
 *
 * @module
 */

import type { Json } from "../../json.ts";

/** What an attempt or a completion comes to. */
export type ScriptedResult =
  | { readonly status: "ok"; readonly payload?: Json }
  | { readonly status: "error" | "retry"; readonly error: string };

/** What an attempt does. */
export interface ScriptedAttempt {
  /** How long the invocation takes, in milliseconds. */
  readonly runMs: number;
  /** What it comes to; `pending` where absent. */
  readonly result?: ScriptedResult;
  /** Of a pending one: when it is completed, in milliseconds after the attempt began, and how; never where absent. */
  readonly completion?: { readonly afterMs: number; readonly result: ScriptedResult };
}

/** A signal that is sent. */
export interface ScriptedSignal {
  readonly name: string;
  readonly at: number;
  readonly sequence: number;
  readonly payload: Json;
}

/** What the world outside does. */
export interface Script {
  /** What an attempt (from 0) at the n-th visit (from 1) of a node does. */
  attempt(node: string, visit: number, attempt: number): ScriptedAttempt;
  /** The signals that are sent, in no order. */
  readonly signals: readonly ScriptedSignal[];
  /** When the execution is cancelled. */
  readonly cancelAt?: number;
  /** How long after each failure, in milliseconds, the execution is resumed; as often as there are entries. */
  readonly resumes: readonly number[];
}

/** How much trouble a script makes, each from 0 (none) to 1. */
export interface Mood {
  readonly error: number;
  readonly retry: number;
  readonly pending: number;
  readonly cancel: number;
}

/** After this many visits of a node its attempts succeed at once: what turns in a circle comes to an end. */
const PATIENCE = 5;

/** The script of a seed. */
export function scriptOf(seed: number, signals: readonly string[], mood: Mood): Script {
  const draw = (...key: (string | number)[]) => fraction(`${seed}/${key.join("/")}`);
  const cancelAt = draw("cancel") < mood.cancel ? { cancelAt: draw("cancelAt") * 60_000 } : {};
  return {
    attempt: (node, visit, attempt) => attemptOf((...key) => draw(node, visit, attempt, ...key), visit, mood),
    signals: signals.flatMap((name) => signalsOf(name, (...key) => draw("signal", name, ...key))),
    resumes: [1, 2, 3].slice(0, Math.floor(draw("resumes") * 4)).map((nth) => draw("resume", nth) * 20_000),
    ...cancelAt,
  };
}

type Draw = (...key: (string | number)[]) => number;

function attemptOf(draw: Draw, visit: number, mood: Mood): ScriptedAttempt {
  const runMs = 1 + draw("run") * 4_000;
  if (visit > PATIENCE) return { runMs, result: { status: "ok", payload: { n: visit } } };
  if (draw("pending") >= mood.pending) return { runMs, result: resultOf(draw, visit, mood) };
  if (draw("never") < 0.1) return { runMs };
  return { runMs, completion: { afterMs: draw("after") * 15_000, result: resultOf(draw, visit, mood) } };
}

function resultOf(draw: Draw, visit: number, mood: Mood): ScriptedResult {
  const roll = draw("status");
  if (roll < mood.error) return { status: "error", error: "broken" };
  if (roll < mood.error + mood.retry) return { status: "retry", error: "busy" };
  const kind = Math.floor(draw("payload") * 12);
  if (kind === 0) return { status: "ok" };
  const n = visit + Math.floor(draw("n") * 2);
  const payload: Json = [null, n, "text", [n], { kind: "a" }, { kind: "b", ["__proto__"]: n }][kind - 1] ??
    { n, kind: "a" };
  return { status: "ok", payload };
}

function signalsOf(name: string, draw: Draw): ScriptedSignal[] {
  const sent: ScriptedSignal[] = [];
  for (let nth = 0; nth < Math.floor(draw("count") * 5); nth++) {
    const sequence = 1 + Math.floor(draw(nth, "sequence") * 6);
    const signal = { name, at: draw(nth, "at") * 40_000, sequence, payload: { n: sequence, from: name } };
    sent.push(signal);
    if (draw(nth, "twice") < 0.3) sent.push({ ...signal, at: signal.at + draw(nth, "again") * 20_000 });
  }
  return sent;
}

/** A number from 0 to 1 that follows from a text (FNV-1a, then mixed). */
export function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

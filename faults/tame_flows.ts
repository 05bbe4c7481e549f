/**
 * Random flows and scripts whose outcome does not depend on time, made from the core's: so that what a real server and
 * engines that crash come to can be compared with the reference interpreter.
 *
 * All branches are waited for, and complete; a signal is either sent once and waited for at one place, or never; what is
 * pending is always completed. Retries, failures, resumes, loops and choices are as they come.
 *
 * @module
 */

import * as fc from "fast-check";
import { flows, SIGNALS } from "../src/core/testing/random_flows.ts";
import { type Mood, type Script, type ScriptedAttempt, scriptOf } from "../src/core/testing/script.ts";
import { buildFlow } from "../src/flow/mod.ts";
import type { Flow, FlowDef, NodeDef } from "../src/flow/types.ts";
import type { Random } from "./random.ts";

/** A flow whose tasks are of kind `f`, and the signals that are sent to its executions. */
export interface TamedFlow {
  readonly flow: Flow;
  readonly definition: FlowDef;
  readonly sent: readonly string[];
  /** Whether its outcome may depend on time: then there is nothing to compare it with. */
  readonly isWild: boolean;
}

const SHORT_MS = 500;
const HOUR_MS = 3_600_000;

/** Random flows with names of their own. */
export function randomFlows(random: Random, count: number, wildShare: number): TamedFlow[] {
  const samples = fc.sample(flows, { numRuns: count, seed: random.below(0x7fff_ffff) });
  return samples.map((flow, index) => {
    const isWild = random.next() < wildShare;
    const name = `f${index}`;
    const sent = isWild ? SIGNALS : SIGNALS.filter((signal) => isWaitedForOnce(flow, signal));
    const nodes = flow.definition.nodes.map((node) => isWild ? wild(node) : tame(flow, node, sent));
    const definition = { ...flow.definition, name, nodes };
    return { flow: buildFlow(definition), definition, sent, isWild };
  });
}

/** A script for an execution of such a flow. */
export function randomScript(random: Random, { flow, sent, isWild }: TamedFlow): Script {
  const share = (most: number) => random.next() * most;
  const mood: Mood = { error: share(0.2), retry: share(0.5), pending: share(0.7), cancel: isWild ? share(1) : 0 };
  const script = scriptOf(random.below(0x7fff_ffff), sent, mood);
  if (isWild) return script;
  return {
    ...script,
    attempt: (node, visit, attempt) => tamed(flow, node, attempt, script.attempt(node, visit, attempt)),
    signals: sent.map((name, index) => ({ name, at: 0, sequence: index + 1, payload: { n: index, from: name } })),
  };
}

/** The outcome of an attempt: a branch never fails for good, and what is pending is completed. */
function tamed(flow: Flow, id: string, attempt: number, does: ScriptedAttempt): ScriptedAttempt {
  const node = flow.nodes.get(id);
  if (node?.type !== "task") throw new TypeError(`${id} is no task`);
  const fallback = { status: "ok", payload: { n: attempt + 3, kind: "b" } } as const;
  const { runMs, completion } = does;
  const result = completion?.result ?? does.result ?? fallback;
  const isLast = attempt + 1 >= node.retry.maxAttempts;
  const mustHold = node.branchOf !== undefined && (result.status === "error" || result.status === "retry" && isLast);
  const outcome = mustHold ? fallback : result;
  if (completion !== undefined) return { runMs, completion: { ...completion, result: outcome } };
  return { runMs, result: outcome };
}

function tame(flow: Flow, node: NodeDef, sent: readonly string[]): NodeDef {
  switch (node.type) {
    case "task": {
      const { id, retry } = node;
      const maxAttempts = Math.min(3, retry?.maxAttempts ?? 1);
      return { id, type: "task", invoker: "f", retry: { maxAttempts } };
    }
    case "fanin": {
      const join = flow.nodes.get(node.id);
      const fan = join?.type === "fanin" ? flow.nodes.get(join.fanout) : undefined;
      return { id: node.id, type: "fanin", waitFor: fan?.type === "fanout" ? [...fan.branches] : node.waitFor };
    }
    case "signal":
      if (node.timeout === undefined) return node;
      return { ...node, timeout: sent.includes(node.signalName) ? HOUR_MS : SHORT_MS };
    default:
      return node;
  }
}

/** As it is, but with no long waits. */
function wild(node: NodeDef): NodeDef {
  if (node.type === "signal" && node.timeout !== undefined) return { ...node, timeout: SHORT_MS };
  if (node.type !== "task") return node;
  const { id, retry, activityTimeout } = node;
  const limit = activityTimeout === undefined ? {} : { activityTimeout: SHORT_MS };
  return { id, type: "task", invoker: "f", retry: { maxAttempts: Math.min(3, retry?.maxAttempts ?? 1) }, ...limit };
}

/** Whether there is one place that waits for a signal, and an execution comes by it at most once. */
function isWaitedForOnce(flow: Flow, signal: string): boolean {
  const places = [...flow.nodes.values()].filter((node) => node.type === "signal" && node.signal === signal);
  return places.length === 1 && !isReachable(flow, places[0]!.id, places[0]!.id);
}

function isReachable(flow: Flow, from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const next of nextOf(flow, id)) {
      if (next === to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

function nextOf(flow: Flow, id: string): string[] {
  const node = flow.nodes.get(id)!;
  switch (node.type) {
    case "choice":
      return [...node.rules.map(({ to }) => to), node.otherwise];
    case "fanout":
      return [node.join];
    case "signal":
      return [node.next, node.onTimeout].filter((next) => next !== undefined);
    default:
      return node.next === undefined ? [] : [node.next];
  }
}

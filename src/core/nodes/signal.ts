/**
 * Signal nodes: waiting for a signal, receiving it, running out of time.
 *
 * @module
 */

import type { Flow, SignalNode } from "../../flow/types.ts";
import { getOwn, setOwn } from "../../json.ts";
import type { Decision, Environment, Event } from "../events.ts";
import { hasEnded, SAFETY_ALARM_MS, type State, type Stored } from "../state.ts";
import { failure, type Go, go, stale } from "../transition.ts";
import { mergedPayload } from "../values.ts";

/** The state of an execution that waits at a signal node (R4). */
export function waitForSignal(state: State, node: SignalNode, env: Environment): State {
  const until = node.timeoutMs === undefined ? undefined : env.now + node.timeoutMs;
  return {
    ...state,
    phase: "waiting",
    wait: { kind: "signal", signal: node.signal, ...(until === undefined ? {} : { until }) },
    alarm: until ?? env.now + SAFETY_ALARM_MS,
  };
}

/** What a signal does: move the execution on, be kept until it waits for it, or nothing (R7). */
export function receiveSignal(flow: Flow, state: State, event: Event & { type: "signal" }): Go | Decision {
  const { name, sequence } = event;
  if (sequence <= (getOwn(state.consumed ?? {}, name) ?? 0)) return stale(`signal ${name} was consumed before`);
  if (state.phase === "completed" || state.phase === "cancelled") {
    return { type: "drop", reason: `execution ${state.id} is ${state.phase}`, lost: true };
  }
  const node = flow.nodes.get(state.node);
  const awaited = !hasEnded(state.phase) && state.wait?.kind === "signal" && state.wait.signal === name;
  if (!awaited || node?.type !== "signal") {
    if (isAwaitedSomewhere(flow, name)) return { type: "keep" };
    return { type: "drop", reason: `flow ${flow.name} has no node that waits for signal ${name}`, lost: true };
  }
  const signals: Record<string, Stored> = { ...state.signals };
  const consumed: Record<string, number> = { ...state.consumed };
  setOwn(signals, name, event.payload);
  setOwn(consumed, name, sequence);
  return go({ ...state, signals, consumed, payload: mergedPayload(state.payload, { signal: name }) }, node.next);
}

/** What happens when a signal's time is up. */
export function signalTimedOut(state: State, node: SignalNode): Go | Decision {
  if (node.onTimeout !== undefined) return go(state, node.onTimeout);
  return failure(state, `signal ${node.signal} did not come within ${node.timeoutMs} ms`);
}

function isAwaitedSomewhere(flow: Flow, signal: string): boolean {
  for (const node of flow.nodes.values()) if (node.type === "signal" && node.signal === signal) return true;
  return false;
}

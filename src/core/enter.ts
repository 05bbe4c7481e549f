/**
 * Entering nodes: from one node to the next that needs work or has to wait, walking through those that do not.
 *
 * @module
 */

import type { Flow, FlowNode } from "../flow/types.ts";
import type { Decision, Environment } from "./events.ts";
import { pickRule } from "./nodes/choice.ts";
import { enterFanout } from "./nodes/fan.ts";
import { waitForSignal } from "./nodes/signal.ts";
import { type State, unreachable } from "./state.ts";
import { cleared, ended, type Go } from "./transition.ts";

/** A node that a state names and its definition does not have: the state is not of this definition. */
export class UnknownNodeError extends Error {
  /** Creates the error. */
  constructor(flow: Flow, node: string) {
    super(`flow ${flow.name} has no node ${node}`);
    this.name = "UnknownNodeError";
  }
}

/** The node of a flow. @throws {UnknownNodeError} Where there is none. */
export function nodeOf(flow: Flow, id: string): FlowNode {
  const node = flow.nodes.get(id);
  if (node === undefined) throw new UnknownNodeError(flow, id);
  return node;
}

/** The decision that a transition comes to, through every node on the way that needs no work. */
export function follow(flow: Flow, transition: Go | Decision, env: Environment): Decision {
  if (transition.type !== "go") return transition;
  const { state, to } = transition;
  if (to === undefined) return { type: "next", state: ended(state, "completed"), visited: [] };
  return enter(flow, { ...cleared(state), node: to, generation: state.generation + 1 }, env);
}

/** The decision that (re)entering the state's node comes to. */
export function enter(flow: Flow, entered: State, env: Environment): Decision {
  const visited: string[] = [];
  let state = entered;
  for (;;) {
    const node = nodeOf(flow, state.node);
    switch (node.type) {
      case "task":
      case "fanin":
        return { type: "next", state: { ...state, phase: "ready" }, visited };
      case "signal":
        return { type: "next", state: waitForSignal(state, node, env), visited };
      case "fanout":
        visited.push(node.id);
        return { type: "next", state: enterFanout(flow, state, node), visited };
      case "choice": {
        const pick = pickRule(node, state, env);
        if ("error" in pick) return { type: "next", state: ended(state, "failed", pick.error), visited };
        visited.push(node.id);
        state = { ...state, node: pick.to, generation: state.generation + 1 };
        break;
      }
      default:
        return unreachable(node);
    }
  }
}

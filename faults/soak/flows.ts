/** The flows of the soak: what an execution of each kind goes through, and what has to have been done for it. @module */

import type { FlowDef, Json, NodeDef } from "../../mod.ts";

/** A kind of execution. */
export interface Kind {
  /** The name of its flow. */
  readonly name: string;
  /** The flow. */
  readonly flow: FlowDef;
  /** What has to be done at least once: nodes, with the attempt where that is not the first. */
  readonly effects: readonly string[];
  /** The signal that a client sends to it. */
  readonly signal?: string;
  /** The payload it ends with. */
  payload(n: number): Json;
}

/** The subject, within the namespace, that the tasks of all kinds are done on. */
export const TASKS = "soak.task";

/** The attempt of this node fails once. */
export const FLAKY = "flaky";

function task(id: string): NodeDef {
  return { id, type: "task", target: TASKS, timeout: "60s", retry: { maxAttempts: 10 } };
}

function chain(...ids: string[]): Pick<FlowDef, "nodes" | "edges"> {
  return { nodes: ids.map(task), edges: ids.slice(1).map((to, index) => ({ from: ids[index]!, to })) };
}

/** All kinds; executions are of each in turn. */
export const KINDS: readonly Kind[] = [
  {
    name: "chain",
    flow: { name: "chain", ...chain("a", "b", "c", "d", "e") },
    effects: ["a", "b", "c", "d", "e"],
    payload: (n) => ({ n, node: "e" }),
  },
  {
    name: "fan",
    flow: {
      name: "fan",
      nodes: [
        { id: "fan", type: "fanout", branches: ["left", "middle", "right"] },
        ...["left", "middle", "right"].map(task),
        { id: "join", type: "fanin", waitFor: ["left", "middle", "right"] },
        task("after"),
      ],
      edges: [{ from: "fan", to: "join" }, { from: "join", to: "after" }],
    },
    effects: ["left", "middle", "right", "after"],
    payload: (n) => ({ n, node: "after" }),
  },
  {
    name: "approval",
    flow: {
      name: "approval",
      nodes: [task("ask"), { id: "wait", type: "signal", signalName: "approved", timeout: "1h" }, task("act")],
      edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "act" }],
    },
    effects: ["ask", "act"],
    signal: "approved",
    payload: (n) => ({ n, node: "act" }),
  },
  {
    name: "retry",
    flow: { name: "retry", ...chain("before", FLAKY, "after") },
    effects: ["before", FLAKY, `${FLAKY}.1`, "after"],
    payload: (n) => ({ n, node: "after" }),
  },
  {
    name: "timer",
    flow: {
      name: "timer",
      nodes: [
        task("begin"),
        { id: "wait", type: "signal", signalName: "never", timeout: "3s", onTimeout: "late" },
        task("intime"),
        task("late"),
      ],
      edges: [{ from: "begin", to: "wait" }, { from: "wait", to: "intime" }],
    },
    effects: ["begin", "late"],
    payload: (n) => ({ n, node: "late" }),
  },
];

/** The kind of the nth execution. */
export function kindOf(n: number): Kind {
  return KINDS[n % KINDS.length]!;
}

/** The id of the nth execution. */
export function idOf(n: number): string {
  return `s-${n}`;
}

/** Which execution an id is of. */
export function numberOf(id: string): number {
  return Number(id.slice(2));
}

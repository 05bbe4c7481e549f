/** The flows that are measured. @module */

import type { FlowDef, InvokerFunction, JsonObject, NodeDef } from "../mod.ts";

/** What every execution is started with: 100 bytes of JSON. */
export const PAYLOAD: JsonObject = { text: "x".repeat(100 - '{"text":""}'.length) };

/** Does nothing. */
export const noop: InvokerFunction = () => ({ status: "ok" });

/** Tasks in a row, `t0` and on. */
export function chain(name: string, length: number, task: { invoker: string; target?: string }): FlowDef {
  const nodes = Array.from({ length }, (_, index): NodeDef => ({ id: `t${index}`, type: "task", ...task }));
  const edges = nodes.slice(1).map(({ id }, index) => ({ from: `t${index}`, to: id }));
  return { name, nodes, edges };
}

/** A fan-out of some branches, and its join. */
export function fan(name: string, width: number, invoker: string): FlowDef {
  const branches = Array.from({ length: width }, (_, index) => `b${index}`);
  return {
    name,
    nodes: [
      { id: "fan", type: "fanout", branches },
      ...branches.map((id): NodeDef => ({ id, type: "task", invoker })),
      { id: "join", type: "fanin", waitFor: branches },
    ],
    edges: [{ from: "fan", to: "join" }],
  };
}

/** A flow that waits for the signal `go`, and ends. */
export function parked(name: string): FlowDef {
  return { name, nodes: [{ id: "wait", type: "signal", signalName: "go" }] };
}

/** A flow that waits some seconds, and then runs one task. */
export function alarm(name: string, seconds: number, invoker: string): FlowDef {
  return {
    name,
    nodes: [
      { id: "wait", type: "signal", signalName: "never", timeout: `${seconds}s`, onTimeout: "ring" },
      { id: "ring", type: "task", invoker },
    ],
    edges: [{ from: "wait", to: "ring" }],
  };
}

/** Waiting for executions. @module */

import type { Execution, FlowDef, Server } from "../../mod.ts";
import { until } from "./until.ts";

type Status = Execution["status"];

/** Waits until an execution has ended, and returns it. */
export async function ended(server: Server, id: string): Promise<Execution> {
  return await until(async () => {
    const execution = await server.get(id);
    return execution.status !== "running" && execution.status !== "waiting" && execution;
  }, `execution ${id} to end`) as Execution;
}

/** Waits until an execution has a status, at a node where one is given, and returns it. */
export async function reaches(server: Server, id: string, status: Status, node?: string): Promise<Execution> {
  return await until(async () => {
    const execution = await server.get(id);
    return execution.status === status && (node === undefined || execution.currentNode === node) && execution;
  }, `execution ${id} to be ${status}${node === undefined ? "" : ` at ${node}`}`) as Execution;
}

/** A flow of tasks, one after the other. */
export function chain(name: string, nodes: readonly string[] | number, invoker = "f"): FlowDef {
  const ids = typeof nodes === "number" ? Array.from({ length: nodes }, (_, index) => `n${index}`) : nodes;
  return {
    name,
    nodes: ids.map((id) => ({ id, type: "task", invoker })),
    edges: ids.slice(1).map((to, index) => ({ from: ids[index]!, to })),
  };
}

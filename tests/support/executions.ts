/** Waiting for executions. @module */

import { type Execution, type FlowDef, type Server, UnavailableError } from "../../mod.ts";
import { until } from "./until.ts";

type Status = Execution["status"];

/** Waits until an execution has ended, and returns it. */
export async function ended(server: Server, id: string): Promise<Execution> {
  return await until(async () => {
    const execution = await asked(server, id);
    return execution !== undefined && execution.status !== "running" && execution.status !== "waiting" && execution;
  }, `execution ${id} to end`) as Execution;
}

/** Waits until an execution has a status, at a node where one is given, and returns it. */
export async function reaches(server: Server, id: string, status: Status, node?: string): Promise<Execution> {
  return await until(async () => {
    const execution = await asked(server, id);
    return execution?.status === status && (node === undefined || execution.currentNode === node) && execution;
  }, `execution ${id} to be ${status}${node === undefined ? "" : ` at ${node}`}`) as Execution;
}

/** The execution, or nothing while the NATS server is away. */
async function asked(server: Server, id: string): Promise<Execution | undefined> {
  try {
    return await server.get(id);
  } catch (error) {
    if (error instanceof UnavailableError) return undefined;
    throw error;
  }
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

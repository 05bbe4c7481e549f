/**
 * Echoes: workers and invokers that answer with what they were given, so that a flow runs before anything is written.
 *
 * @module
 */

import type { FlowDef, Handler, InvokerFunction, TaskDef } from "../../../mod.ts";
import { covers } from "../doctor/permissions.ts";
import type { Extension } from "./extension.ts";

/** The same extension, with an echo for every task of some flows that it does not answer. */
export function withEchoes(extension: Extension, flows: readonly FlowDef[], delayMs: number): Extension {
  const tasks = flows.flatMap(({ nodes }) => nodes).filter((node): node is TaskDef => node.type === "task");
  const { invokers, asyncInvokers } = extension;
  const echo: InvokerFunction = async ({ payload }) => {
    await pause(delayMs);
    return { status: "ok", payload };
  };
  const kinds = new Set(tasks.flatMap(({ invoker }) => invoker === undefined ? [] : [invoker]));
  const added = [...kinds].filter((kind) => !(kind in invokers) && !(kind in asyncInvokers));
  const handlers: Record<string, Handler> = { ...extension.handlers };
  if (!("nats-task" in invokers)) {
    for (const subject of subjectsOf(tasks)) {
      if (Object.keys(handlers).some((pattern) => covers(pattern, subject))) continue;
      handlers[subject] = async ({ payload }) => {
        await pause(delayMs);
        return { status: "ok", payload };
      };
    }
  }
  return {
    invokers: { ...invokers, ...Object.fromEntries(added.map((kind) => [kind, echo])) },
    asyncInvokers,
    handlers,
  };
}

/** What a worker has to listen on for some tasks: a token that holds the execution's id may be anything. */
export function subjectsOf(tasks: readonly TaskDef[]): string[] {
  const subjects = tasks.filter(({ invoker }) => invoker === undefined).map(({ target = "" }) =>
    target.split(".").map((token) => token.includes("{execution_id}") ? "*" : token).join(".")
  );
  return [...new Set(subjects)].sort();
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

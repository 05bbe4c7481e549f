/**
 * An execution as people read it.
 *
 * @module
 */

import type { Execution } from "../../mod.ts";
import { hasEnded } from "./commands/follow.ts";
import { type Output, shownDuration, shownTime, statusStyle } from "./output.ts";

/** Prints an execution as it is now. */
export function showExecution(out: Output, execution: Execution): void {
  if (out.isJson) return out.json(execution);
  const { status, wait, error, signals } = execution;
  out.fields([
    ["id", execution.id, "bold"],
    ["flow", execution.flow],
    ["status", status, statusStyle(status)],
    ["node", execution.currentNode],
    ["attempt", String(execution.attempt + 1)],
    ["waits for", wait === undefined ? undefined : shownWait(execution, wait)],
    ["error", error, "red"],
    ["started", shownTime(execution.startedAt)],
    ["updated", shownTime(execution.updatedAt)],
    [
      "took",
      hasEnded(status) ? shownDuration(execution.updatedAt.getTime() - execution.startedAt.getTime()) : undefined,
    ],
    ["definition", execution.definition, "dim"],
    ["signals", signals === undefined ? undefined : text(signals)],
    ["payload", text(execution.payload)],
  ]);
  if (execution.branches === undefined) return;
  out.say("");
  out.table(Object.values(execution.branches), [
    { title: "BRANCH", cell: ({ node }) => node },
    {
      title: "STATUS",
      cell: ({ status, parked }) => parked ? `${status} (waits)` : status,
      style: ({ status }) => statusStyle(status === "pending" ? "running" : status),
    },
    { title: "ATTEMPT", cell: ({ attempt = 0 }) => String(attempt + 1) },
    { title: "ERROR", cell: ({ error = "" }) => error, style: () => "red" },
  ], "no branches");
}

/** What it waits for, and the command that completes what is pending: whoever does it by hand need not count. */
function shownWait(execution: Execution, { kind, signal, until }: NonNullable<Execution["wait"]>): string {
  const what = kind === "signal" ? `signal ${signal}` : kind === "retry" ? "its next attempt" : `its ${kind}`;
  const shown = until === undefined ? what : `${what}, until ${shownTime(until)}`;
  const { id, currentNode, attempt, branches = {} } = execution;
  if (kind === "activity") return `${shown}: packtrail complete ${id} ${currentNode} ${attempt}`;
  const parked = kind === "join" ? Object.values(branches).filter((branch) => branch.parked) : [];
  return [shown, ...parked.map(({ node, attempt = 0 }) => `packtrail complete ${id} ${node} ${attempt}`)].join("\n");
}

function text(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/**
 * Following executions: their events as lines, as they happen.
 *
 * @module
 */

import type { ExecutionEvent, ExecutionStatus, Server } from "../../../mod.ts";
import type { Scene } from "../command.ts";
import { printable, shownClock, statusStyle } from "../output.ts";

/** Whether an execution of this status has ended. */
export function hasEnded(status: ExecutionStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/**
 * Prints what happens to an execution, what has happened included, until it ends.
 *
 * @returns Whether it ended; `false` where the user had enough before.
 * @throws {NotFoundError} Where there is no such execution.
 */
export async function follow(
  scene: Scene,
  server: Server,
  { id, signal }: { id: string; signal: AbortSignal },
): Promise<boolean> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const events = server.watchEvents({ signal: either });
  try {
    const { revision } = await server.get(id);
    let seen = 0;
    const show = (event: ExecutionEvent): boolean => {
      if (event.revision < seen) return false;
      seen = event.revision;
      printEvent(scene, event, { withId: false });
      return hasEnded(event.status);
    };
    const past = await server.history(id);
    for (const event of past) if (show(event) && event === past.at(-1)) return true;
    seen = Math.max(seen, revision) + 1;
    for await (const event of events) if (event.executionId === id && show(event)) return true;
    return false;
  } finally {
    stop.abort();
  }
}

/** Prints an event as a line. */
export function printEvent({ out }: Scene, event: ExecutionEvent, { withId }: { withId: boolean }): void {
  if (out.isJson) return out.jsonLine(event);
  const { executionId, flow, status, node, attempt = 0, error, time, missed } = event;
  if (missed !== undefined) out.say(out.styled(`(${missed} events were missed)`, "yellow"));
  const parts = [
    out.styled(shownClock(time), "dim"),
    ...(withId ? [out.styled(printable(executionId), "bold"), printable(flow)] : []),
    out.styled(status.padEnd(9), statusStyle(status)),
    printable(node),
    ...(attempt > 0 ? [out.styled(`attempt ${attempt + 1}`, "yellow")] : []),
    ...(error === undefined ? [] : [out.styled(printable(error), "red")]),
  ];
  out.say(parts.join("  "));
}

/**
 * Prints the events of an execution as a timeline for people.
 *
 * An event says where an execution is *since* then: that a node is done shows by the next node's event.
 *
 * @module
 */

import type { Execution, ExecutionEvent, FlowGraph, GraphNode, Server } from "@packtrail/core";

/** Whether an execution in this status has ended. */
export function hasEnded({ status }: { status: ExecutionEvent["status"] }): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** The timeline of one execution. */
export class Timeline {
  readonly #server: Server;
  readonly #nodes = new Map<string, GraphNode>();
  #graph: FlowGraph | undefined;
  #startedAt: number | undefined;
  #current: { node: string; since: number; attempt: number } | undefined;
  #choice: string | undefined;
  /** What was said of each branch: its attempt, or that it has settled. */
  readonly #branches = new Map<string, number>();

  /** The execution's branches are looked up with `server`. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** Prints what an event means. */
  async show(event: ExecutionEvent): Promise<void> {
    const now = event.time.getTime();
    this.#startedAt ??= now;
    if (this.#graph === undefined) {
      this.#graph = await this.#server.flowGraph(event.flow);
      for (const node of this.#graph.nodes) this.#nodes.set(node.id, node);
    }
    const current = this.#current;
    const joins = this.#nodes.get(current?.node ?? "")?.type === "fanin";
    if (joins) this.#showBranches(await this.#server.get(event.executionId), now);
    if (event.status === "failed") return this.#print(now, "✘", event.node, event.error ?? "failed");
    if (current?.node === event.node && event.status !== "completed") return this.#again(event, now);
    if (current !== undefined) this.#leave(current, event.node, now);
    if (hasEnded(event)) this.#print(now, "■", event.status, `after ${seconds(now - this.#startedAt)}`);
    else this.#enter(event, now);
  }

  /** Prints something that no event tells. */
  note(mark: string, what: string, detail: string): void {
    this.#print(Date.now(), mark, what, detail);
  }

  #leave({ node: id, since }: { node: string; since: number }, next: string, now: number): void {
    const node = this.#nodes.get(id);
    if (node?.type === "fanin") this.#print(now, "✔", id, "");
    else if (node?.onTimeout === next) this.#print(now, "⏰", id, `timed out after ${now - since} ms`);
    else this.#print(now, "✔", id, `${now - since} ms`);
  }

  #enter({ node: id, attempt = 0 }: ExecutionEvent, now: number): void {
    const node = this.#nodes.get(id)!;
    if (this.#choice !== undefined) this.#print(now, "◆", this.#choice, `chooses ${id}`);
    this.#choice = node.type === "choice" ? id : undefined;
    const passes = node.type === "choice" || node.type === "fanout";
    this.#current = passes ? undefined : { node: id, since: now, attempt };
    if (node.type === "task") this.#print(now, "▶", id, "");
    else if (node.type === "fanout") this.#print(now, "⑂", id, `${node.branches!.join(", ")} side by side`);
    else if (node.type === "fanin") this.#print(now, "▶", id, `joins ${node.joinPolicy ?? "all"}`);
    else if (node.type === "signal") this.#print(now, "⏸", id, `waits for the signal ${node.signalName}`);
  }

  /** The same node again: a retry, an activity that goes on elsewhere, or progress at a join. */
  #again({ node, attempt = 0, error, status }: ExecutionEvent, now: number): void {
    if (status === "waiting") this.#print(now, "⏸", node, "goes on elsewhere, and will be completed from there");
    else if (attempt > this.#current!.attempt) this.#print(now, "↻", node, `attempt ${attempt + 1} follows: ${error}`);
    this.#current!.attempt = attempt;
  }

  #showBranches({ branches = {} }: Execution, now: number): void {
    for (const { node, status, attempt = 0, error } of Object.values(branches)) {
      const said = status === "pending" ? attempt : Infinity;
      if (said <= (this.#branches.get(node) ?? 0)) continue;
      this.#branches.set(node, said);
      if (status === "completed") this.#print(now, "✔", `  ${node}`, `${now - this.#current!.since} ms`);
      else if (status === "failed") this.#print(now, "✘", `  ${node}`, error ?? "failed");
      else this.#print(now, "↻", `  ${node}`, `attempt ${attempt + 1} follows: ${error}`);
    }
  }

  #print(now: number, mark: string, what: string, detail: string): void {
    const at = seconds(now - (this.#startedAt ?? now)).padStart(9);
    console.log(`%c${at}%c  ${mark} ${what.padEnd(16)} %c${detail}`, "color: gray", "", "color: gray");
  }
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(2)} s`;
}

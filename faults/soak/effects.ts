/** What the workers of the soak have done, for every execution: a few bits each. @module */

import type { Server, TaskRequest, TaskResponse } from "../../mod.ts";
import { FLAKY, idOf, kindOf, numberOf, TASKS } from "./flows.ts";

/** Does the tasks, and remembers what was done. */
export class Effects {
  readonly #seen: Uint16Array;
  /** Tasks that were done. */
  count = 0;
  /** Tasks that were done once more, by whoever took over. */
  repeats = 0;
  /** Tasks that nobody should have asked for. */
  readonly strange: string[] = [];

  /** `executions` is how many there will be. */
  constructor(executions: number) {
    this.#seen = new Uint16Array(executions);
  }

  /** Takes tasks, on the connection of a server. */
  async serve(server: Server): Promise<void> {
    await server.handle(TASKS, (request) => this.#perform(request));
  }

  /** The effects of an execution that have not been. */
  missing(n: number): string[] {
    return kindOf(n).effects.filter((_effect, index) => (this.#seen[n]! & (1 << index)) === 0);
  }

  #perform({ executionId, nodeId, attempt, payload }: TaskRequest): TaskResponse {
    const n = numberOf(executionId);
    const effect = nodeId === FLAKY && attempt > 0 ? `${FLAKY}.1` : nodeId;
    const { effects } = kindOf(n);
    const bit = 1 << effects.indexOf(effect);
    if (executionId !== idOf(n) || !(n < this.#seen.length) || !effects.includes(effect)) {
      this.strange.push(`${executionId} ${nodeId} ${attempt} ${JSON.stringify(payload)}`);
    }
    this.count++;
    if ((this.#seen[n]! & bit) !== 0) this.repeats++;
    this.#seen[n]! |= bit;
    if (effect === FLAKY) return { status: "retry", error: "busy" };
    return { status: "ok", payload: { n, node: nodeId } };
  }
}

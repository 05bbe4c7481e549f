/**
 * The world outside, under a script: it runs the attempts, completes what is pending, sends signals, resumes what has
 * failed, and records every attempt.
 *
 * The script is the one that the reference interpreter of the core is given, so the outcome can be compared with what
 * that says (I9). Its times are not kept to: it is for flows whose outcome does not depend on them.
 *
 * @module
 */

import type { InvokeRequest, Json, Result, Server } from "../mod.ts";
import { UnavailableError } from "../mod.ts";
import type { Script, ScriptedResult } from "../src/core/testing/script.ts";

/** The world outside of the executions of one namespace. */
export class ScriptedWorld {
  /** Every attempt that was begun, as `node.visit.attempt`, by execution. */
  readonly attempts = new Map<string, Set<string>>();
  /** How many invocations there were, redelivered attempts counted each time. */
  invocations = 0;
  /** Executions that somebody else's invocation named. */
  readonly strangers: string[] = [];
  /** Completions that were refused, which none must be. */
  readonly refused: string[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #visits = new Map<string, number[]>();
  readonly #completed = new Set<string>();
  readonly #client: Server;
  readonly #deeds = new Set<Promise<void>>();
  #isOver = false;

  /** `client` is a server on a healthy connection. */
  constructor(client: Server) {
    this.#client = client;
  }

  /** Says what happens to an execution. */
  expect(id: string, script: Script): void {
    this.#scripts.set(id, script);
    this.attempts.set(id, new Set());
  }

  /** The invoker of every task. */
  readonly invoke = async (request: InvokeRequest): Promise<Result> => {
    const { executionId: id, nodeId: node, generation, attempt } = request;
    this.invocations++;
    const script = this.#scripts.get(id);
    if (script === undefined) {
      this.strangers.push(id);
      return { status: "error", error: `nobody started ${id}` };
    }
    const visit = this.#visit(`${id}.${node}`, generation);
    this.attempts.get(id)!.add(`${node}.${visit}.${attempt}`);
    const { runMs, result, completion } = script.attempt(node, visit, attempt);
    await new Promise((resolve) => setTimeout(resolve, runMs / 400));
    if (result !== undefined) return resultOf(result);
    if (completion !== undefined) this.#completeOnce(request, resultOf(completion.result), completion.afterMs);
    return { status: "pending" };
  };

  /** Does something until the server has acknowledged it. */
  async acknowledged(deed: () => Promise<unknown>): Promise<void> {
    while (!this.#isOver) {
      try {
        await deed();
        return;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Sends a signal; whether it was acknowledged is made sure. */
  signal(id: string, name: string, payload: Json): Promise<void> {
    return this.acknowledged(() => this.#client.signal(id, name, payload, { id: "once" }));
  }

  /** Nothing more is done; resolves when nothing is under way. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#deeds);
  }

  #visit(place: string, generation: number): number {
    const seen = this.#visits.get(place) ?? [];
    if (!seen.includes(generation)) seen.push(generation);
    this.#visits.set(place, seen);
    return seen.indexOf(generation) + 1;
  }

  /** Who does the activity does it once, and tells so once: it is not done again because a process was killed. */
  #completeOnce(request: InvokeRequest, result: Result, afterMs: number): void {
    const { executionId: id, nodeId: node, generation, attempt, idempotencyKey: key } = request;
    if (this.#completed.has(key)) return;
    this.#completed.add(key);
    const deed = (async () => {
      await new Promise((resolve) => setTimeout(resolve, afterMs / 200));
      await this.acknowledged(() => this.#client.completeActivity(id, node, attempt, result, { generation }));
    })();
    this.#deeds.add(deed);
    void deed.catch((error) => this.refused.push(`${key}: ${error}`)).finally(() => this.#deeds.delete(deed));
  }
}

function resultOf(scripted: ScriptedResult): Result {
  return { ...scripted } as Result;
}

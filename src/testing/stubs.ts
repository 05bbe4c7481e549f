/**
 * Stubs: which one answers an attempt, what it is asked, and what its answer means.
 *
 * @module
 */

import type { Attempt } from "../core/events.ts";
import type { State } from "../core/state.ts";
import { contextOf, type Load, payloadOf } from "../core/values.ts";
import { parseDuration } from "../duration.ts";
import { errorText } from "../engine/result.ts";
import { invalid } from "../errors.ts";
import { suggestion } from "../flow/suggest.ts";
import type { Flow, TaskNode } from "../flow/types.ts";
import { getOwn } from "../json.ts";
import { quoted } from "../names.ts";
import type { FlowRunOptions, Stub, StubRequest, StubResult } from "./types.ts";

/** The stubs of a run. */
export class Stubs {
  readonly #options: Pick<FlowRunOptions, "stubs" | "invokers">;
  readonly #asked = new Map<Stub, number>();

  /** @throws {ValidationError} Where a stub is for nothing, or a task has none. */
  constructor(flow: Flow, options: FlowRunOptions) {
    this.#options = options;
    const tasks = [...flow.nodes.values()].filter((node): node is TaskNode => node.type === "task");
    const ids = tasks.map(({ id }) => id);
    for (const id of Object.keys(options.stubs ?? {})) {
      if (!ids.includes(id)) throw invalid(`stubs.${id}`, `flow ${flow.name} has no task ${id}${suggestion(id, ids)}`);
    }
    for (const kind of Object.keys(options.invokers ?? {})) {
      if (!tasks.some(({ invoker }) => invoker === kind)) {
        throw invalid(`invokers.${kind}`, `flow ${flow.name} has no task of kind ${kind}`);
      }
    }
    for (const task of tasks) this.#of(task);
  }

  /** What answers an attempt; never rejects. */
  async answer(node: TaskNode, request: StubRequest): Promise<StubResult> {
    const stub = this.#of(node);
    try {
      if (typeof stub === "function") return await stub(request);
    } catch (error) {
      return { status: "retry", error: errorText(error, "the invoker failed") };
    }
    if (!isList(stub)) return stub;
    const asked = this.#asked.get(stub) ?? 0;
    this.#asked.set(stub, asked + 1);
    return stub[Math.min(asked, stub.length - 1)]!;
  }

  #of({ id, invoker }: TaskNode): Stub {
    const { stubs = {}, invokers = {} } = this.#options;
    const [path, stub] = Object.hasOwn(stubs, id)
      ? [`stubs.${id}`, stubs[id]]
      : [`invokers.${invoker}`, getOwn(invokers, invoker)];
    if (stub === undefined) {
      throw invalid(`stubs.${id}`, `task ${id} has no stub: give it one, or \`invokers\` one of its kind, ${invoker}`);
    }
    if (
      typeof stub === "function" || (typeof stub === "object" && stub !== null && (!isList(stub) || stub.length > 0))
    ) {
      return stub;
    }
    throw invalid(path, `${quoted(stub)} is not a stub: a function, a result, or a list of results`);
  }
}

function isList(stub: Stub): stub is readonly StubResult[] {
  return Array.isArray(stub);
}

/** What a stub is asked; `signal` is aborted when the attempt is. */
export function requestOf(
  state: State,
  node: TaskNode,
  attempt: Attempt,
  { load, deadline, signal }: { load: Load; deadline: number; signal: AbortSignal },
): StubRequest {
  const copy = structuredClone(state);
  return {
    invoker: node.invoker,
    target: node.target.replaceAll("{execution_id}", state.id),
    executionId: state.id,
    nodeId: node.id,
    payload: payloadOf(copy, load),
    context: JSON.parse(JSON.stringify(contextOf(copy, load))),
    attempt: attempt.attempt,
    generation: attempt.generation,
    deadline: new Date(deadline),
    signal,
    idempotencyKey: `${state.id}.${node.id}.${attempt.generation}.${attempt.attempt}`,
  };
}

/** A duration that a test gave, in milliseconds; 0 is one. @throws {ValidationError} */
export function milliseconds(path: string, value: unknown): number {
  if (value === undefined || value === 0) return 0;
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  throw invalid(path, `${quoted(value)} is not a duration: use a number of milliseconds, or "30s", "1h30m"`);
}

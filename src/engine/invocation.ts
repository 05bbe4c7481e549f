/**
 * Invocations: one call of an invoker, with a request made of the state it was started from, bounded in time and
 * abortable, its result checked.
 *
 * @module
 */

import type { Attempt } from "../core/events.ts";
import type { State } from "../core/state.ts";
import { contextOf, type Load, payloadOf, refsOf } from "../core/values.ts";
import type { TaskNode } from "../flow/types.ts";
import type { Invoker, InvokeRequest } from "../invoker/types.ts";
import type { DataStore } from "../nats/data.ts";
import { type ParsedResult, parseResult } from "./result.ts";

/** What an invocation is made of. */
export interface Invocation {
  readonly invoker: Invoker;
  readonly node: TaskNode;
  /** The state the attempt was started from: what the invoker sees of the execution. */
  readonly state: State;
  readonly attempt: Attempt;
  /** Reads the values that the state refers to. */
  readonly load: Load;
  /** The time the call may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The limit of the output, in bytes of JSON. */
  readonly maxPayloadBytes: number;
  /** Ends the call early. */
  readonly abortion: Abortion;
}

/** The key of an attempt: the same for every delivery of it. */
export function idempotencyKey(id: string, { node, generation, attempt }: Attempt): string {
  return `${id}.${node}.${generation}.${attempt}`;
}

/** Reads what an invoker may look at of a state before it is called. */
export async function loadFor(data: DataStore, invoker: Invoker, state: State): Promise<Load> {
  return invoker.readsContext === false
    ? await data.loadedFor((load) => payloadOf(state, load))
    : await data.loaded(refsOf(state));
}

/** Calls an invoker. Rejects where it throws, runs out of time or is aborted. */
export async function invoke(invocation: Invocation): Promise<ParsedResult> {
  const { invoker, node, timeoutMs, maxPayloadBytes, abortion } = invocation;
  const answer = invoker.invoke(requestOf(invocation));
  const result = isPromise(answer) ? await abortion.limited(answer, timeoutMs) : answer;
  return parseResult(result, node.id, maxPayloadBytes);
}

/** The abort signal of an attempt, made when somebody looks at it; and the attempt's time limit. */
export class Abortion {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #reject: ((reason: Error) => void) | undefined;

  /** The signal that invokers get. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Whether the attempt has been aborted, or has run out of time. */
  get isAborted(): boolean {
    return this.#reason !== undefined;
  }

  /** Aborts the attempt; the first reason stays. */
  abort(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = new Error(reason);
    this.#controller?.abort(this.#reason);
    this.#reject?.(this.#reason);
  }

  /** The answer, unless the time runs out or the attempt is aborted before it comes. */
  limited<T>(answer: PromiseLike<T>, timeoutMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.abort(`timed out after ${timeoutMs} ms`), Math.min(timeoutMs, MAX_TIMER_MS));
      const stop = () => clearTimeout(timer);
      this.#reject = (reason) => {
        stop();
        reject(reason);
      };
      if (this.#reason !== undefined) this.#reject(this.#reason);
      answer.then(resolve, reject);
      answer.then(stop, stop);
    });
  }
}

const MAX_TIMER_MS = 2_147_483_647;

function requestOf({ node, state, attempt, load, timeoutMs, abortion }: Invocation): InvokeRequest {
  let copy: State | undefined;
  const own = () => copy ??= structuredClone(state);
  return {
    invoker: node.invoker,
    target: node.target.replaceAll("{execution_id}", state.id),
    executionId: state.id,
    nodeId: node.id,
    get payload() {
      return define(this, "payload", payloadOf(own(), load));
    },
    get context() {
      return define(this, "context", contextOf(own(), load));
    },
    attempt: attempt.attempt,
    generation: attempt.generation,
    deadline: new Date(Date.now() + timeoutMs),
    get signal() {
      return abortion.signal;
    },
    idempotencyKey: idempotencyKey(state.id, attempt),
  };
}

/** Replaces a getter by what it gave, so that what is changed in it stays changed. */
function define<T>(request: InvokeRequest, name: "payload" | "context", value: T): T {
  Object.defineProperty(request, name, { value, enumerable: true, configurable: true });
  return value;
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === "function";
}

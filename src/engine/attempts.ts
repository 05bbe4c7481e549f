/**
 * Attempts: one invocation each, bounded in time, abortable, its result checked and stored.
 *
 * @module
 */

import type { Attempt, Outcome } from "../core/events.ts";
import type { State } from "../core/state.ts";
import { contextOf, type Load, payloadOf, refsOf } from "../core/values.ts";
import type { Flow, TaskNode } from "../flow/types.ts";
import type { InvokerRegistry } from "../invoker/registry.ts";
import type { InvokeRequest } from "../invoker/types.ts";
import { untilAnswered } from "../nats/client.ts";
import { errorText, parseResult } from "./result.ts";
import type { Executions } from "./executions.ts";

/** An attempt that is under way. */
export interface RunningAttempt {
  /** Which it is. */
  readonly attempt: Attempt;
  /** How it ends; never rejects. */
  readonly outcome: Promise<Outcome>;
  /** Its result is no longer wanted. */
  abort(reason: string): void;
}

/** Starts attempts. */
export class Attempts {
  readonly #executions: Executions;
  readonly #invokers: InvokerRegistry;

  /** `invokers` are what tasks are run by. */
  constructor(executions: Executions, invokers: InvokerRegistry) {
    this.#executions = executions;
    this.#invokers = invokers;
  }

  /** Whether this engine can run every task of a flow. Returns the first kind of invoker it lacks. */
  lacks(flow: Flow): string | undefined {
    for (const node of flow.nodes.values()) {
      if (node.type === "task" && !this.#invokers.kinds.has(node.invoker)) return node.invoker;
    }
    return undefined;
  }

  /** Starts an attempt. */
  start(flow: Flow, state: State, attempt: Attempt): RunningAttempt {
    const abortion = new Abortion();
    const outcome = this.#run(flow, state, attempt, abortion)
      .catch((error): Outcome => ({ status: "retry", error: errorText(error, "the invoker failed") }));
    return { attempt, outcome, abort: (reason) => abortion.abort(reason) };
  }

  async #run(flow: Flow, state: State, attempt: Attempt, abortion: Abortion): Promise<Outcome> {
    const { data, settings } = this.#executions.parts;
    const node = flow.nodes.get(attempt.node) as TaskNode;
    const refs = refsOf(state);
    const load = refs.length === 0 ? data : await this.#answered(() => data.loaded(refs), abortion);
    const timeoutMs = node.timeoutMs ?? settings.defaultTimeoutMs;
    const request = requestOf(node, state, attempt, load, abortion, new Date(Date.now() + timeoutMs));
    const invoker = this.#invokers.get(node.invoker);
    if (invoker === undefined) throw new Error(`this engine has no invoker of kind ${node.invoker}`);
    const answer = invoker.invoke(request);
    const result = isPromise(answer) ? await abortion.limited(answer, timeoutMs) : answer;
    const parsed = parseResult(result, node.id, settings.maxPayloadBytes);
    if (parsed.status !== "ok" || parsed.text === undefined) return parsed;
    const { text } = parsed;
    const payload = await this.#answered(() => this.#executions.store(state.id, text), abortion);
    return { status: "ok", payload, bytes: text.length };
  }

  /** A result is not lost because the server is away for a while. */
  async #answered<T>(run: () => Promise<T>, abortion: Abortion): Promise<T> {
    const answer = await untilAnswered(this.#executions.parts.nats, run, () => abortion.isAborted);
    if (answer === undefined) throw new Error("aborted");
    return answer;
  }
}

/** The abort signal of an attempt, made when somebody looks at it; and the attempt's time limit. */
class Abortion {
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #reject: ((reason: Error) => void) | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get isAborted(): boolean {
    return this.#reason !== undefined;
  }

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
      this.#reject = reject;
      if (this.#reason !== undefined) reject(this.#reason);
      answer.then(resolve, reject);
      const stop = () => clearTimeout(timer);
      answer.then(stop, stop);
      this.#controller?.signal.addEventListener("abort", stop, { once: true });
    });
  }
}

const MAX_TIMER_MS = 2_147_483_647;

function requestOf(
  node: TaskNode,
  state: State,
  { generation, attempt }: Attempt,
  load: Load,
  abortion: Abortion,
  deadline: Date,
): InvokeRequest {
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
    attempt,
    generation,
    deadline,
    get signal() {
      return abortion.signal;
    },
    idempotencyKey: `${state.id}.${node.id}.${generation}.${attempt}`,
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

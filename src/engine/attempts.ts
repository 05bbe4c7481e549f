/**
 * Attempts: one invocation each, bounded in time, abortable, its result checked and stored.
 *
 * @module
 */

import type { Attempt, Outcome } from "../core/events.ts";
import type { State } from "../core/state.ts";
import { hasRefs, type Load } from "../core/values.ts";
import type { Flow, TaskNode } from "../flow/types.ts";
import type { InvokerRegistry } from "../invoker/registry.ts";
import { type Results, UNCACHED } from "../invoker/cache.ts";
import type { Result } from "../invoker/types.ts";
import { ValueGoneError } from "../nats/data.ts";
import type { Executions } from "./executions.ts";
import { Abortion, idempotencyKey, type Invocation, invoke, loadFor } from "./invocation.ts";
import { errorText, type ParsedResult, parseResult } from "./result.ts";

/** An attempt that is under way. */
export interface RunningAttempt {
  /** Which it is. */
  readonly attempt: Attempt;
  /** How it ends; never rejects. */
  readonly outcome: Promise<Outcome>;
  /** Its result is no longer wanted. */
  abort(reason: string): void;
}

/** An attempt that is handed on, instead of being run here. */
export interface Dispatch {
  readonly attempt: Attempt;
  /** The state it is started from. */
  readonly state: State;
  /** Nobody wants the result any more, or the time is up. */
  isStopped(): boolean;
}

/** Hands attempts on to be run elsewhere. */
export interface Dispatcher {
  /** `pending`, where the attempt is sure to be run. */
  dispatch(dispatch: Dispatch): Promise<Result>;
}

/** What attempts are run by. */
export interface AttemptsOptions {
  readonly executions: Executions;
  /** Run the tasks of their kinds. */
  readonly invokers: InvokerRegistry;
  /** Hand the tasks of their kinds on. */
  readonly dispatchers?: ReadonlyMap<string, Dispatcher>;
  /** Knows how attempts ended. */
  readonly results?: Results<Outcome>;
}

/** An attempt under way. */
type Run = Pick<Invocation, "node" | "state" | "attempt" | "timeoutMs" | "abortion">;

/** Starts attempts. */
export class Attempts {
  readonly #executions: Executions;
  readonly #invokers: InvokerRegistry;
  readonly #dispatchers: ReadonlyMap<string, Dispatcher>;
  readonly #results: Results<Outcome>;
  /** Flows whose every task can be run here. */
  readonly #able = new WeakSet<Flow>();

  /** Creates what starts attempts. No I/O. */
  constructor({ executions, invokers, dispatchers = new Map(), results = UNCACHED }: AttemptsOptions) {
    this.#executions = executions;
    this.#invokers = invokers;
    this.#dispatchers = dispatchers;
    this.#results = results;
  }

  /** Whether this engine can run every task of a flow. Returns the first kind of invoker it lacks. */
  lacks(flow: Flow): string | undefined {
    if (this.#able.has(flow)) return undefined;
    for (const node of flow.nodes.values()) {
      if (node.type !== "task" || this.#invokers.kinds.has(node.invoker)) continue;
      if (!this.#dispatchers.has(node.invoker)) return node.invoker;
    }
    this.#able.add(flow);
    return undefined;
  }

  /**
   * Starts an attempt.
   *
   * Its outcome rejects where the state refers to a value that is gone, as it is where the execution has moved on.
   *
   * @param isFirst Nobody can have started it before: there is no need to look whether its result is known.
   */
  start(flow: Flow, state: State, attempt: Attempt, isFirst: boolean): RunningAttempt {
    const abortion = new Abortion();
    const key = { name: `engine.${idempotencyKey(state.id, attempt)}`, born: state.startedAt };
    const options = { isFirst, isStopped: () => abortion.isAborted };
    const node = flow.nodes.get(attempt.node) as TaskNode;
    const timeoutMs = node.timeoutMs ?? this.#executions.parts.settings.defaultTimeoutMs;
    const outcome = this.#results.through(key, options, () => this.#run({ node, state, attempt, timeoutMs, abortion }))
      .catch((error): Outcome => {
        if (error instanceof ValueGoneError) throw error;
        return { status: "retry", error: errorText(error, "the invoker failed") };
      });
    return { attempt, outcome, abort: (reason) => abortion.abort(reason) };
  }

  async #run(run: Run): Promise<Outcome> {
    const dispatcher = this.#dispatchers.get(run.node.invoker);
    const parsed = dispatcher === undefined ? await this.#invoke(run) : await this.#dispatch(dispatcher, run);
    if (parsed.status !== "ok" || parsed.text === undefined) return parsed;
    const { text } = parsed;
    const payload = await this.#answered(() => this.#executions.store(run.state.id, text), run.abortion);
    return { status: "ok", payload, bytes: text.length };
  }

  #invoke(run: Run): Promise<ParsedResult> {
    const { data, settings: { maxPayloadBytes } } = this.#executions.parts;
    const invoker = this.#invokers.get(run.node.invoker);
    if (invoker === undefined) throw new Error(`this engine has no invoker of kind ${run.node.invoker}`);
    const call = (load: Load) => invoke({ ...run, invoker, load, maxPayloadBytes });
    if (!hasRefs(run.state)) return call(data);
    return this.#answered(() => loadFor(data, invoker, run.state), run.abortion).then(call);
  }

  async #dispatch(dispatcher: Dispatcher, { state, attempt, timeoutMs, abortion }: Run): Promise<ParsedResult> {
    const answer = dispatcher.dispatch({ state, attempt, isStopped: () => abortion.isAborted });
    const { maxPayloadBytes } = this.#executions.parts.settings;
    return parseResult(await abortion.limited(answer, timeoutMs), attempt.node, maxPayloadBytes);
  }

  /** A result is not lost because the server is away for a while, or has no room for it. */
  async #answered<T>(run: () => Promise<T>, abortion: Abortion): Promise<T> {
    const answer = await this.#executions.parts.patience.until(run, () => abortion.isAborted);
    if (answer === undefined) throw new Error("aborted");
    return answer;
  }
}

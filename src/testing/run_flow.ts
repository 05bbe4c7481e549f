/**
 * Flows run in memory, for tests.
 *
 * @module
 */

import { type ExecutionStatus, hasEnded, statusOf } from "../core/state.ts";
import { type Context, contextOf, payloadOf } from "../core/values.ts";
import type { Duration } from "../duration.ts";
import { invalid, StateError } from "../errors.ts";
import { buildFlow, parseFlow } from "../flow/mod.ts";
import { suggestion } from "../flow/suggest.ts";
import type { Flow, FlowDef } from "../flow/types.ts";
import type { Result } from "../invoker/types.ts";
import type { Json } from "../json.ts";
import { checkName } from "../names.ts";
import { objectText, payloadText } from "../server/checks.ts";
import { checkKnown, count, duration } from "../server/options.ts";
import { milliseconds, Stubs } from "./stubs.ts";
import { Simulation } from "./simulation.ts";
import type { AttemptRecord, FlowRunOptions } from "./types.ts";

const OPTIONS: ReadonlySet<string> = new Set(
  [
    "input",
    "stubs",
    "invokers",
    "signals",
    "pause",
    "id",
    "startAt",
    "defaultTimeout",
    "maxPayloadBytes",
  ] satisfies (keyof FlowRunOptions)[],
);

const START = Date.UTC(2000, 0, 1);

/**
 * Runs a flow in memory: no NATS, and time passes at once.
 *
 * It runs until the execution ends, or waits for something that never comes. With `pause`, until it waits at all.
 *
 * @param flow YAML text, or a value.
 * @throws {ValidationError} Where the flow or an option is not valid, a task has no stub, or a signal no node.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { runFlow } from "@packtrail/core/testing";
 *
 * const flow = "name: greeting\nnodes: [{id: greet, type: task, subject: tasks.greet}]";
 * const run = await runFlow(flow, { stubs: { greet: { status: "ok", payload: "hello", takes: "5s" } } });
 * assertEquals([run.status, run.payload, run.elapsedMs], ["completed", "hello", 5_000]);
 * ```
 */
export async function runFlow(flow: string | FlowDef, options: FlowRunOptions = {}): Promise<FlowRun> {
  checkKnown("options", options, OPTIONS);
  const checked = typeof flow === "string" ? parseFlow(flow) : buildFlow(flow);
  const run = new FlowRun(checked, options);
  await run.begin();
  return run;
}

/** An execution in memory. */
export class FlowRun {
  readonly #simulation: Simulation;
  readonly #flow: Flow;
  readonly #pauses: boolean;
  readonly #startMs: number;
  readonly #expected: { name: string; payload: Json }[] = [];
  readonly #timed: { name: string; payload: Json; atMs: number }[] = [];

  /** @ignore Use {@linkcode runFlow}. */
  constructor(flow: Flow, options: FlowRunOptions) {
    const { input = {}, id = "test", startAt, pause = false, signals = [] } = options;
    this.#flow = flow;
    this.#pauses = pause;
    this.#startMs = startAt?.getTime() ?? START;
    if (!Number.isFinite(this.#startMs)) throw invalid("startAt", "is not a date");
    const maxPayloadBytes = count("maxPayloadBytes", options.maxPayloadBytes, 512 * 1024);
    for (const [index, { name, payload = null, at }] of signals.entries()) {
      checkSignal(`signals[${index}].name`, flow, name);
      payloadText(`signals[${index}].payload`, payload, maxPayloadBytes);
      if (at === undefined) this.#expected.push({ name, payload });
      else this.#timed.push({ name, payload, atMs: milliseconds(`signals[${index}].at`, at) });
    }
    this.#simulation = new Simulation({
      flow,
      stubs: new Stubs(flow, options),
      id: checkName("id", id),
      input: JSON.parse(objectText("input", input, maxPayloadBytes)),
      startMs: this.#startMs,
      defaultTimeoutMs: duration("defaultTimeout", options.defaultTimeout, 30_000),
      maxPayloadBytes,
      waitsFor: (signal) => this.#sendExpected(signal),
    });
  }

  /** @ignore Done by {@linkcode runFlow}. */
  async begin(): Promise<void> {
    for (const { name, payload, atMs } of this.#timed) {
      this.#simulation.at(this.#startMs + atMs, async () => void await this.#simulation.signal(name, payload));
    }
    await this.#simulation.begin();
    await this.#goOn();
  }

  /** The execution's status. */
  get status(): ExecutionStatus {
    return statusOf(this.#simulation.state.phase);
  }

  /** The node it is at, or ended at. */
  get currentNode(): string {
    return this.#simulation.state.node;
  }

  /** The shared payload. */
  get payload(): Json {
    return payloadOf(this.#simulation.state, this.#simulation.load);
  }

  /** Everything that the execution knows: input, payload, results, signals, branches. */
  get context(): Context {
    return JSON.parse(JSON.stringify(contextOf(this.#simulation.state, this.#simulation.load)));
  }

  /** Why it failed or was cancelled, or the attempt before failed. */
  get error(): string | undefined {
    return this.#simulation.state.error;
  }

  /** The signal it waits for. */
  get waitSignal(): string | undefined {
    const { wait } = this.#simulation.state;
    return wait?.kind === "signal" ? wait.signal : undefined;
  }

  /**
   * Every node that was entered, in order: choices and fan-outs too. The branches of a fan-out follow it in the order of
   * its definition, and then its fan-in.
   */
  get path(): string[] {
    return [...this.#simulation.path];
  }

  /** Every attempt that was made, in the order they began. */
  get attempts(): AttemptRecord[] {
    return this.#simulation.attempts.map((record) => ({ ...record }));
  }

  /** The attempts that were made at a node. */
  attemptsOf(node: string): AttemptRecord[] {
    return this.attempts.filter((record) => record.node === node);
  }

  /** The virtual time since the start, in milliseconds. */
  get elapsedMs(): number {
    return this.#simulation.now - this.#startMs;
  }

  /**
   * Sends a signal now, and goes on. It is kept until the execution waits for it.
   *
   * @throws {ValidationError} Where no node of the flow waits for such a signal.
   */
  async signal(name: string, payload: Json = null): Promise<this> {
    await this.#simulation.signal(checkSignal("name", this.#flow, name), payload);
    return await this.#goOn();
  }

  /**
   * Completes the pending activity of a node, and goes on.
   *
   * @throws {StateError} Where the latest attempt at the node is not pending.
   */
  async complete(node: string, result: Result): Promise<this> {
    const latest = this.attemptsOf(node).at(-1);
    if (latest?.status !== "pending") throw new StateError(`node ${node} has no pending activity`);
    const { generation, attempt } = latest;
    const decision = await this.#simulation.complete({ node, generation, attempt }, result);
    if (decision.type === "drop") throw new StateError(decision.reason);
    return await this.#goOn();
  }

  /** Cancels the execution; one that has ended is left as it is. */
  async cancel(reason?: string): Promise<this> {
    await this.#simulation.apply({ type: "cancel", ...(reason === undefined ? {} : { reason }) });
    return await this.#goOn();
  }

  /** Resumes the failed execution, and goes on. @throws {StateError} Where it has not failed. */
  async resume(): Promise<this> {
    const decision = await this.#simulation.apply({ type: "resume" });
    if (decision.type === "drop") throw new StateError(decision.reason);
    return await this.#goOn();
  }

  /** Lets time pass, with all that happens in it. */
  async advance(time: Duration): Promise<this> {
    const end = this.#simulation.now + milliseconds("time", time);
    while (this.#simulation.nextAt() <= end) await this.#simulation.step();
    this.#simulation.passTo(end);
    return this;
  }

  async #goOn(): Promise<this> {
    while (!hasEnded(this.#simulation.state.phase)) {
      const next = this.#simulation.nextAt();
      const isPaused = this.#pauses && this.status === "waiting" && next > this.#simulation.now;
      if (next === Infinity || isPaused) break;
      await this.#simulation.step();
    }
    return this;
  }

  #sendExpected(signal: string): void {
    const index = this.#expected.findIndex(({ name }) => name === signal);
    if (index < 0) return;
    const [{ name, payload }] = this.#expected.splice(index, 1) as [{ name: string; payload: Json }];
    this.#simulation.at(this.#simulation.now, async () => void await this.#simulation.signal(name, payload));
  }

  /** What the run is, for messages. */
  toString(): string {
    const error = this.error === undefined ? "" : ` (${this.error})`;
    return `${this.#flow.name}: ${this.status}${error} at ${this.currentNode} after ${this.path.join(" → ")}`;
  }
}

/** A signal that no node waits for would be a dead letter: in a test it is a slip of the pen. */
function checkSignal(path: string, flow: Flow, name: string): string {
  checkName(path, name);
  const known = [...flow.nodes.values()].flatMap((node) => node.type === "signal" ? [node.signal] : []);
  if (known.includes(name)) return name;
  throw invalid(path, `flow ${flow.name} has no node that waits for signal ${name}${suggestion(name, known)}`);
}

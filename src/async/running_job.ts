/**
 * A job that is being worked on: from its delivery to its ack.
 *
 * @module
 */

import { Abortion, idempotencyKey, invoke, loadFor } from "../engine/invocation.ts";
import type { Executions } from "../engine/executions.ts";
import { byteLength, errorText, type ParsedResult } from "../engine/result.ts";
import { StateFormatError } from "../core/codec.ts";
import type { Attempt } from "../core/events.ts";
import type { Flow, TaskNode } from "../flow/types.ts";
import type { Results } from "../invoker/cache.ts";
import type { Invoker, Result } from "../invoker/types.ts";
import type { Logger } from "../logger.ts";
import { redeliveryDelay } from "../nats/backoff.ts";
import type { DeadLetters } from "../nats/dead_letters.ts";
import { type Delivery, firstUntil } from "../nats/delivery.ts";
import { sendCommand } from "../nats/inbox.ts";
import { type Job, JobFormatError, type JobOwner, jobOwner, parseJob } from "./jobs.ts";

/** What jobs are run with. */
export interface JobRunner {
  readonly kind: string;
  readonly invoker: Invoker;
  /** The time one job may take, in milliseconds; that of its node where absent. */
  readonly timeoutMs: number | undefined;
  /** How long a silent worker keeps a job, in milliseconds. */
  readonly leaseMs: number;
  /** Deliveries of a job before it is dead-lettered. */
  readonly maxDeliver: number;
  readonly executions: Executions;
  readonly deadLetters: DeadLetters;
  readonly results: Results<Result>;
  readonly logger: Logger;
}

/** The server counts a command's subject and headers, too. */
const COMMAND_BYTES = 1_024;

/** Works on one delivery of a job. */
export class RunningJob {
  readonly #runner: JobRunner;
  #delivery: Delivery;
  readonly #abortion = new Abortion();
  #check: (() => Promise<void>) | undefined;
  #checking: Promise<void> | undefined;
  #isDoubted = false;
  #isUnwanted = false;
  #isDropped = false;

  /** Takes a delivery. */
  constructor(runner: JobRunner, delivery: Delivery) {
    this.#runner = runner;
    this.#delivery = delivery;
  }

  /** Runs the job, completes its node and acks; never rejects. */
  async run(): Promise<void> {
    try {
      if (this.#delivery.deliveries > this.#runner.maxDeliver) await this.#exhausted();
      else await this.#work(parseJob(this.#delivery.text()));
      if (this.#isDropped && !this.#isUnwanted) this.#delivery.nak();
      else this.#delivery.ack();
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** Takes a redelivery of the job that is being worked on in place of the one it came with. Whether it was one. */
  adopt(delivery: Delivery): boolean {
    const { sequence, time } = this.#delivery;
    const isSame = delivery.sequence === sequence && delivery.time === time;
    if (isSame) this.#delivery = delivery;
    return isSame;
  }

  /** Tells the server that the job is being worked on. */
  keepAlive(): void {
    this.#delivery.working();
  }

  /** The execution may have changed: finds out whether the job is still wanted. */
  doubt(): void {
    this.#isDoubted = true;
    this.#checking ??= this.#checkAll()
      .catch((error) => {
        this.#runner.logger.warn("a job's execution could not be looked at", { error: errorText(error, "unknown") });
      })
      .finally(() => this.#checking = undefined);
  }

  /** Stop here and now; the delivery is given back. */
  drop(): void {
    this.#isDropped = true;
    this.#abortion.abort("the worker is stopping");
  }

  /** Looks once for all that happens before the look. */
  async #checkAll(): Promise<void> {
    while (this.#isDoubted && this.#check !== undefined) {
      this.#isDoubted = false;
      await this.#check();
    }
  }

  async #work(job: Job): Promise<void> {
    const { nats } = this.#runner.executions.parts;
    const flow = await this.#runner.executions.flowOf(job.state);
    // From here on no change of the execution goes unseen.
    const events = nats.nc.subscribe(nats.names.events("*", job.state.id), { callback: () => this.doubt() });
    this.#check = () => this.#look(flow, job);
    try {
      await this.#look(flow, job);
      if (this.#isUnwanted) return;
      const result = await this.#result(flow, job);
      if (!this.#isUnwanted && !this.#isDropped) await this.#complete(job.state.id, job.attempt, result);
    } finally {
      this.#check = undefined;
      if (!nats.nc.isClosed()) events.unsubscribe();
    }
  }

  /**
   * Aborts a job that is not wanted any more: its completion would change nothing, or would be taken for that of an
   * execution that was started after its own was removed.
   */
  async #look(flow: Flow, { attempt, state }: Job): Promise<void> {
    const { executions } = this.#runner;
    const head = await executions.parts.heads.read(state.id, state.flow);
    const { node, generation, attempt: number } = attempt;
    const probe = { type: "completion", node, generation, attempt: number, outcome: { status: "pending" } } as const;
    const isOurs = head !== undefined && head.state.startedAt === state.startedAt;
    if (isOurs && (await executions.decide(flow, head.state, probe)).type !== "drop") return;
    this.#isUnwanted = true;
    this.#abortion.abort("the result is no longer wanted");
  }

  async #result(flow: Flow, job: Job): Promise<Result> {
    const { state, attempt } = job;
    const key = { name: `async.${idempotencyKey(state.id, attempt)}`, born: state.startedAt };
    const { executions, leaseMs } = this.#runner;
    const isFirst = executions.parts.nats.clock.now() < firstUntil(this.#delivery, leaseMs);
    const options = { isFirst, isStopped: () => this.#abortion.isAborted };
    try {
      return await this.#runner.results.through(key, options, () => this.#invoke(flow, job));
    } catch (error) {
      return { status: "retry", error: errorText(error, "the invoker failed") };
    }
  }

  async #invoke(flow: Flow, { state, attempt }: Job): Promise<Result> {
    const { executions, invoker, timeoutMs } = this.#runner;
    const { data, patience, settings } = executions.parts;
    const node = flow.nodes.get(attempt.node) as TaskNode;
    const load = await patience.until(() => loadFor(data, invoker, state), () => this.#abortion.isAborted);
    if (load === undefined) throw new Error("aborted");
    const parsed = await invoke({
      invoker,
      node,
      state,
      attempt,
      load,
      timeoutMs: timeoutMs ?? node.timeoutMs ?? settings.defaultTimeoutMs,
      maxPayloadBytes: settings.maxPayloadBytes,
      abortion: this.#abortion,
    });
    return this.#sendable(parsed, node.id);
  }

  /** A result as it is sent to the inbox; one that cannot be is an error, which fails the node with a reason. */
  #sendable(parsed: ParsedResult, node: string): Result {
    if (parsed.status === "pending") {
      const error = `the async invoker ${this.#runner.kind} returned pending for node ${node}: ` +
        `it must return the result itself`;
      return { status: "error", error };
    }
    if (parsed.status !== "ok" || parsed.text === undefined) return parsed;
    const limit = (this.#runner.executions.parts.nats.nc.info?.max_payload ?? Infinity) - COMMAND_BYTES;
    const size = byteLength(parsed.text, limit);
    if (size <= limit) return { status: "ok", payload: JSON.parse(parsed.text) };
    const error = `the output of node ${node} is ${size} bytes of JSON, the NATS server takes ${limit} (max_payload)`;
    return { status: "error", error };
  }

  async #complete(id: string, { node, generation, attempt }: Attempt, result: Result): Promise<void> {
    const { nats, patience } = this.#runner.executions.parts;
    const json = JSON.parse(JSON.stringify(result));
    const command = { type: "complete", id, node, attempt, generation, result: json } as const;
    const send = () => sendCommand(nats, command).then(() => true);
    const sent = await patience.until(send, () => this.#isDropped);
    if (sent === undefined) throw new Error("the worker stopped before the inbox answered");
  }

  /** A job that was delivered too often: record it, and fail its node so that it can be seen and resumed. */
  async #exhausted(): Promise<void> {
    const reason = `the job was given up on after ${this.#runner.maxDeliver} deliveries`;
    await this.#giveUp(reason, jobOwner(this.#delivery.text()), this.#delivery.deliveries - 1);
  }

  async #giveUp(reason: string, of: JobOwner | undefined, deliveries = this.#delivery.deliveries): Promise<void> {
    const { deadLetters, kind } = this.#runner;
    const key = of?.id ?? this.#delivery.subject;
    const letter = { source: "async", key, reason, deliveries, body: this.#delivery.text() } as const;
    await deadLetters.record(letter, `async-${kind}-${this.#delivery.sequence}-${this.#delivery.time}`);
    if (of === undefined || await this.#isOutlived(of)) return;
    await this.#complete(of.id, of.attempt, { status: "error", error: reason });
  }

  /** Whether a job's execution was removed, and another was started with its id. */
  async #isOutlived({ id, startedAt }: JobOwner): Promise<boolean> {
    if (startedAt === undefined) return false;
    try {
      const head = await this.#runner.executions.parts.heads.read(id);
      return head !== undefined && head.state.startedAt !== startedAt;
    } catch (error) {
      // Nothing is known of it: what cannot be read now cannot be read when the job comes again.
      if (error instanceof StateFormatError) return false;
      throw error;
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { executions, kind, logger } = this.#runner;
    if (executions.parts.nats.nc.isClosed()) return;
    try {
      if (error instanceof JobFormatError) {
        await this.#giveUp(error.message, error.of);
        return this.#delivery.ack();
      }
    } catch (cause) {
      logger.warn("a dead letter could not be recorded", { kind, error: errorText(cause, "unknown") });
    }
    const { deliveries } = this.#delivery;
    logger.warn("a job is postponed", { kind, deliveries, error: errorText(error, "unknown") });
    this.#delivery.nak(redeliveryDelay(deliveries));
  }
}

/**
 * Failures: what becomes of deliveries that come to nothing. Nothing is dropped without a dead letter that says why.
 *
 * @module
 */

import { NewerFormatError, StateFormatError } from "../core/codec.ts";
import { UnknownNodeError } from "../core/enter.ts";
import { PayloadTooLargeError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { redeliveryDelay } from "../nats/backoff.ts";
import type { Nats } from "../nats/client.ts";
import { ValueGoneError } from "../nats/data.ts";
import type { DeadLetters } from "../nats/dead_letters.ts";
import type { Delivery } from "../nats/delivery.ts";
import type { Executions } from "./executions.ts";
import { errorText } from "./result.ts";

/**
 * How long a head of a newer format is left for a newer engine, in milliseconds: in a rolling upgrade one will come.
 * It has a dead letter all the while.
 */
const NEWER_KEPT_MS = 24 * 3_600_000;

/** Postponed deliveries whose reasons are remembered. */
const REMEMBERED_PROBLEMS = 1_000;

/** What failures are dealt with by. */
export interface FailuresOptions {
  readonly nats: Nats;
  readonly executions: Executions;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  /** Deliveries of one work item before it is dead-lettered. */
  readonly maxDeliver: number;
}

/** Deals with deliveries that failed. */
export class Failures {
  readonly #options: FailuresOptions;
  /** Why deliveries were postponed, by subject. */
  readonly #problems = new Map<string, string>();

  /** Creates one that has seen none. No I/O. */
  constructor(options: FailuresOptions) {
    this.#options = options;
  }

  /** A work item that was delivered too often: record it, fail the execution so that it can be seen and resumed. */
  async exhausted(delivery: Delivery): Promise<void> {
    const { maxDeliver } = this.#options;
    const problem = this.#problems.get(delivery.subject);
    const reason = `given up on after ${maxDeliver} deliveries${problem === undefined ? "" : `: ${problem}`}`;
    await this.#fail(delivery, reason, delivery.deliveries - 1);
    this.#problems.delete(delivery.subject);
  }

  /** A delivered head that could not be worked on: try again, or record why that is hopeless. */
  async work(delivery: Delivery, error: unknown): Promise<void> {
    const { executions, nats } = this.#options;
    // Its effect has been made, and would be made again each time.
    if (error instanceof PayloadTooLargeError) return await this.#fail(delivery, error.message, delivery.deliveries);
    // Where its head has moved on meanwhile, the value was removed for that.
    if (
      error instanceof ValueGoneError && delivery.deliveries > 1 && await executions.lacksValues(this.#idOf(delivery))
    ) {
      return await this.#fail(delivery, error.message, delivery.deliveries);
    }
    if (!(error instanceof StateFormatError) && !(error instanceof UnknownNodeError)) {
      this.#remember(delivery, error);
      return this.postpone(delivery, error);
    }
    const isLeft = error instanceof NewerFormatError && nats.clock.now() - delivery.time < NEWER_KEPT_MS;
    if (isLeft && delivery.deliveries > 1) return this.postpone(delivery, error);
    await this.#record(delivery, error.message, delivery.deliveries);
    if (isLeft) return this.postpone(delivery, error);
    delivery.term();
  }

  /** Nothing can be done: record the work, fail the execution so that it can be seen and resumed. */
  async #fail(delivery: Delivery, reason: string, deliveries: number): Promise<void> {
    await this.#record(delivery, reason, deliveries);
    await this.#options.executions.end(this.#idOf(delivery), { type: "fail", error: reason });
    delivery.ack();
  }

  async #record(delivery: Delivery, reason: string, deliveries: number): Promise<void> {
    await this.#options.deadLetters.record(
      { source: "work", key: this.#idOf(delivery), reason, deliveries, body: delivery.text() },
      `work-${delivery.sequence}-${delivery.time}`,
    );
  }

  /** What is postponed again and again is given up on with the last problem as the reason. */
  #remember(delivery: Delivery, error: unknown): void {
    if (this.#problems.size >= REMEMBERED_PROBLEMS) this.#problems.clear();
    this.#problems.set(delivery.subject, errorText(error, "it failed"));
  }

  /** Gives a delivery back, to come again later. */
  postpone(delivery: Delivery, error: unknown): void {
    const { nats, logger } = this.#options;
    if (nats.nc.isClosed()) return;
    logger.warn("a delivery is postponed", {
      subject: delivery.subject,
      deliveries: delivery.deliveries,
      error: error instanceof Error ? error.message : String(error),
    });
    delivery.nak(redeliveryDelay(delivery.deliveries));
  }

  /** A command that was tried too often: record it. */
  async command(delivery: Delivery, error: unknown): Promise<void> {
    const { deadLetters } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    const { subject: key, deliveries } = delivery;
    await deadLetters.record(
      { source: "ingress", key, reason, deliveries, body: delivery.text() },
      `ingress-${delivery.sequence}-${delivery.time}`,
    );
    delivery.ack();
  }

  #idOf(delivery: Delivery): string {
    return this.#options.nats.names.parseHead(delivery.subject)!.id;
  }
}

/**
 * Sweeping: removing `ready` and `due` messages that are superseded.
 *
 * - R6: not one by one, but with one purge by subject filter up to the ack floor of the flow's consumer. What was
 *   acked is superseded (R3).
 *
 * A purge empties the consumer's queue of redeliveries: what was given back, or has outlived its lease, then comes only
 * a whole lease later. So a flow is swept while that queue is empty: somebody waits for work, or nothing is in hand.
 *
 * @module
 */

import type { Logger } from "../logger.ts";
import { type Nats, syncClock } from "./client.ts";

const CLOCK_SYNC_MS = 30_000;

/** How long a sweep may be put off while redeliveries may be queued, in milliseconds. */
const PUT_OFF_MS = 30_000;

/** Sweeps behind the flows that were worked on. */
export class Sweeper {
  readonly #nats: Nats;
  readonly #logger: Logger;
  /** The flows to sweep behind, and since when. */
  readonly #touched = new Map<string, number>();
  #running: Promise<void> | undefined;

  /** Creates a sweeper that does nothing yet. */
  constructor(nats: Nats, logger: Logger) {
    this.#nats = nats;
    this.#logger = logger;
  }

  /** A flow's work was acked: there is something to sweep. */
  touched(flow: string): void {
    if (!this.#touched.has(flow)) this.#touched.set(flow, performance.now());
  }

  /** Sweeps behind the flows touched since the last time, unless a sweep is under way. */
  sweep(): void {
    this.#running ??= this.#sweep()
      .catch((error) => this.#logger.debug("a sweep failed", { error: String(error) }))
      .finally(() => this.#running = undefined);
  }

  /** Sweeps a last time. */
  async finish(): Promise<void> {
    await this.#running;
    if (this.#nats.nc.isClosed()) return;
    await this.#sweep().catch((error) => this.#logger.debug("a sweep failed", { error: String(error) }));
  }

  async #sweep(): Promise<void> {
    await syncClock(this.#nats, CLOCK_SYNC_MS);
    for (const [flow, since] of [...this.#touched]) {
      this.#touched.delete(flow);
      const isLate = performance.now() - since > PUT_OFF_MS;
      const swept = await sweepFlow(this.#nats, flow, { isPatient: !isLate });
      // What is still to be acked, or was acked just now, is swept the next time.
      if (swept === undefined) this.#touched.set(flow, since);
      else if (!swept.isDone) this.touched(flow);
    }
  }
}

/** What a sweep has done. */
export interface Swept {
  /** How many superseded messages were removed. */
  readonly count: number;
  /** Whether everything that was delivered was acked: nothing of it is left over. */
  readonly isDone: boolean;
}

/** Removes the superseded messages of a flow. */
export async function sweepFlow(nats: Nats, flow: string): Promise<Swept>;
/** The same, unless redeliveries may be queued: a patient sweep then does nothing, and returns `undefined`. */
export async function sweepFlow(nats: Nats, flow: string, how: { isPatient: boolean }): Promise<Swept | undefined>;
export async function sweepFlow(
  nats: Nats,
  flow: string,
  how: { isPatient: boolean } = { isPatient: false },
): Promise<Swept | undefined> {
  const { names, jsm } = nats;
  const stream = names.executionStream();
  const info = await jsm.consumers.info(stream, names.flowConsumer(flow));
  if (how.isPatient && info.num_waiting === 0 && info.num_ack_pending > 0) return undefined;
  const seq = info.ack_floor.stream_seq + 1;
  const isDone = info.num_ack_pending === 0;
  if (seq === 1) return { count: 0, isDone };
  let count = 0;
  for (const filter of names.work(flow)) count += (await jsm.streams.purge(stream, { filter, seq })).purged;
  return { count, isDone };
}

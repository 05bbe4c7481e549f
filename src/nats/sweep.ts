/**
 * Sweeping: removing `ready` and `due` messages that are superseded.
 *
 * - R6: not one by one, but with one purge by subject filter up to the ack floor of the flow's consumer. What was
 *   acked is superseded (R3).
 *
 * @module
 */

import type { Logger } from "../logger.ts";
import { type Nats, syncClock } from "./client.ts";

const CLOCK_SYNC_MS = 30_000;

/** Sweeps behind the flows that were worked on. */
export class Sweeper {
  readonly #nats: Nats;
  readonly #logger: Logger;
  readonly #touched = new Set<string>();
  #running: Promise<void> | undefined;

  /** Creates a sweeper that does nothing yet. */
  constructor(nats: Nats, logger: Logger) {
    this.#nats = nats;
    this.#logger = logger;
  }

  /** A flow's work was acked: there is something to sweep. */
  touched(flow: string): void {
    this.#touched.add(flow);
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
    const flows = [...this.#touched];
    this.#touched.clear();
    for (const flow of flows) await sweepFlow(this.#nats, flow);
    await syncClock(this.#nats, CLOCK_SYNC_MS);
  }
}

/** Removes the superseded messages of a flow. Returns how many there were. */
export async function sweepFlow(nats: Nats, flow: string): Promise<number> {
  const { names, jsm } = nats;
  const stream = names.executionStream();
  const info = await jsm.consumers.info(stream, names.flowConsumer(flow));
  let swept = 0;
  for (const filter of names.work(flow)) {
    const { purged } = await jsm.streams.purge(stream, { filter, seq: info.ack_floor.stream_seq + 1 });
    swept += purged;
  }
  return swept;
}

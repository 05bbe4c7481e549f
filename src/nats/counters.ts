/**
 * Counters: what has completed of a flow can be counted at once, however much it is.
 *
 * The server counts what matches a filter by walking through its index, twice: 0.35 s for 1,000,000 executions, in which
 * it stores nothing. What has completed only grows, so engines give a flow with much of it a counter: a consumer that
 * nobody consumes, whose number of pending messages the server keeps up to date by itself.
 *
 * @module
 */

import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import type { Logger } from "../logger.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";
import { isPassing } from "./patience.ts";

/** How many completed executions make a counter worth its while. */
const MANY = 50_000;

/** Keeps counters for the flows that an engine works on. */
export class Counters {
  readonly #nats: Nats;
  readonly #logger: Logger;
  readonly #many: number;
  readonly #touched = new Set<string>();
  /** Flows that have a counter, or cannot have one. */
  readonly #settled = new Set<string>();

  /** Creates what does nothing yet. `many` is how many completed executions make a counter worth its while. */
  constructor(nats: Nats, logger: Logger, many = MANY) {
    this.#nats = nats;
    this.#logger = logger;
    this.#many = many;
  }

  /** A flow was worked on: more of it may have completed. */
  touched(flow: string): void {
    this.#touched.add(flow);
  }

  /** Consumers may have been deleted: looks again. */
  forget(): void {
    this.#settled.clear();
  }

  /** Makes counters for the flows touched since the last time that need one; they do without where that is refused. */
  async keep(): Promise<void> {
    const flows = [...this.#touched].filter((flow) => !this.#settled.has(flow));
    this.#touched.clear();
    for (const flow of flows) {
      try {
        if (await this.#isKept(flow)) this.#settled.add(flow);
      } catch (error) {
        this.#logger.debug("a flow has no counter", { flow, error: String(error) });
        if (!isPassing(error)) this.#settled.add(flow);
      }
    }
  }

  async #isKept(flow: string): Promise<boolean> {
    const { names, jsm } = this.#nats;
    if (await counterOf(this.#nats, flow) !== undefined) return true;
    const filter = names.headsIn("completed", flow);
    if (await countOf(this.#nats, filter) < this.#many) return false;
    await jsm.consumers.add(names.executionStream(), {
      durable_name: names.counter(flow),
      filter_subject: filter,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
    });
    return true;
  }
}

/** How many executions of a flow have completed, by its counter; `undefined` where it has none. */
export async function counterOf(nats: Nats, flow: string): Promise<number | undefined> {
  const { names, jsm } = nats;
  try {
    return (await jsm.consumers.info(names.executionStream(), names.counter(flow))).num_pending;
  } catch (error) {
    if (isNotFound(error) || isNoResponders(error)) return undefined;
    throw packtrailError(error, "counting");
  }
}

/** How many messages match a filter: the server says so with the first of them. */
export async function countOf(nats: Nats, filter: string): Promise<number> {
  try {
    const query = { seq: 1, next_by_subj: filter, batch: 1 };
    for await (const message of await nats.jsm.direct.getBatch(nats.names.executionStream(), query)) {
      return 1 + Number(message.header.get("Nats-Num-Pending") || 0);
    }
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code;
    if (code !== 404 && !isNotFound(error) && !isNoResponders(error)) throw packtrailError(error, "counting");
  }
  return 0;
}

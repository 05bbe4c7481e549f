/**
 * Counting: how many executions of each status a flow has, by the server's own counters.
 *
 * @module
 */

import { StateFormatError } from "../core/codec.ts";
import { type ExecutionStatus, type Phase, PHASES, statusOf } from "../core/state.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";
import { counterOf, countOf } from "./counters.ts";
import type { Heads } from "./heads.ts";
import { headStatus } from "./listing.ts";
import { readForwards } from "./read.ts";

const IN_HAND: ReadonlySet<Phase> = new Set(["ready", "due", "active"]);
/** How many heads are read where little is in hand. */
const MAX_READS = 512;

/** What of a flow's work no ack has settled. */
interface Undone {
  /** How many messages. */
  readonly count: number;
  /** The sequence that none of them is before. */
  readonly from: number;
}

/** Counts executions. */
export class Counting {
  readonly #nats: Nats;
  readonly #heads: Heads;

  /** Creates the counting of a namespace. No I/O. */
  constructor(nats: Nats, heads: Heads) {
    this.#nats = nats;
    this.#heads = heads;
  }

  /**
   * How many executions of each status a flow has.
   *
   * What is `ready` or `due` and not acked is what the flow's consumer has left to deliver or to see acked; what is
   * acked is superseded (R3), wherever it lingers. An `active` head is progress saved under such a message. What is
   * superseded may be not acked yet, or never: where little is in hand, its heads are read, so that a flow at rest is
   * counted exactly.
   */
  async counts(flow: string): Promise<Record<ExecutionStatus, number>> {
    const { names } = this.#nats;
    const undone = await this.#undone(flow);
    const counted = PHASES.filter((phase) => undone === undefined || !IN_HAND.has(phase));
    const counts = { ...await this.#inHand(flow, undone), completed: 0, failed: 0, cancelled: 0 };
    await Promise.all(counted.map(async (phase) => {
      const count = phase === "completed"
        ? await counterOf(this.#nats, flow) ?? await countOf(this.#nats, names.headsIn(phase, flow))
        : await countOf(this.#nats, names.headsIn(phase, flow));
      counts[phase === "due" ? "running" : statusOf(phase)] += count;
    }));
    return counts;
  }

  /** How many executions are in hand, by status: by their heads where they are few, else as many as are undone. */
  async #inHand(flow: string, undone: Undone | undefined): Promise<{ running: number; waiting: number }> {
    const counts = { running: 0, waiting: 0 };
    if (undone === undefined || undone.count === 0) return counts;
    const ids = undone.count <= MAX_READS ? await this.#undoneIds(flow, undone.from) : undefined;
    if (ids === undefined) return { running: undone.count, waiting: 0 };
    const statuses = await Promise.all([...ids].map((id) => this.#statusInHand(id, flow)));
    for (const status of statuses) if (status !== undefined) counts[status]++;
    return counts;
  }

  /** The status of an execution, where it is in hand. One whose head cannot be read is, until that is dead-lettered. */
  async #statusInHand(id: string, flow: string): Promise<"running" | "waiting" | undefined> {
    try {
      const head = await this.#heads.read(id, flow);
      if (head === undefined || !IN_HAND.has(head.state.phase)) return undefined;
      return headStatus(head) === "waiting" ? "waiting" : "running";
    } catch (error) {
      if (error instanceof StateFormatError) return "running";
      throw error;
    }
  }

  /** The executions whose work lies at or after a sequence; `undefined` where that is more than is read. */
  async #undoneIds(flow: string, from: number): Promise<Set<string> | undefined> {
    const { names } = this.#nats;
    const ids = new Set<string>();
    let read = 0;
    try {
      for (const filter of names.work(flow)) {
        for await (const { subject } of readForwards(this.#nats, names.executionStream(), filter, from)) {
          if (++read > MAX_READS) return undefined;
          const parsed = names.parseHead(subject);
          if (parsed !== undefined) ids.add(parsed.id);
        }
      }
    } catch (error) {
      throw packtrailError(error, "counting");
    }
    return ids;
  }

  /** What of a flow's messages is still to be delivered or acked; `undefined` where no engine ever had the flow. */
  async #undone(flow: string): Promise<Undone | undefined> {
    const { names, jsm } = this.#nats;
    try {
      const { num_pending, num_ack_pending, ack_floor } = await jsm.consumers.info(
        names.executionStream(),
        names.flowConsumer(flow),
      );
      return { count: num_pending + num_ack_pending, from: ack_floor.stream_seq + 1 };
    } catch (error) {
      if (isNotFound(error) || isNoResponders(error)) return undefined;
      throw packtrailError(error, "counting");
    }
  }
}

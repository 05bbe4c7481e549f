/**
 * Listings: which executions there are, straight from the server's own subject index. There is no index of ours that
 * could be stale.
 *
 * A head's subject says what it is. Superseded `ready` and `due` messages linger until they are swept, and so does a
 * `failed` one whose execution was resumed: where the subjects of an execution do not agree, its head is read.
 *
 * @module
 */

import type { StoredMsg } from "@nats-io/jetstream";
import { type ExecutionStatus, isPhase, type Phase, PHASES, statusOf } from "../core/state.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";
import { eventOf, type ExecutionEvent } from "./events.ts";
import { type Head, parseNote } from "./head.ts";
import type { Heads } from "./heads.ts";
import { readBackwards, readForwards } from "./read.ts";

const LIVE: readonly Phase[] = ["ready", "due", "active", "delayed", "waiting"];
const IN_HAND: ReadonlySet<Phase> = new Set(["ready", "due", "active"]);
const MAX_READS = 512;
const PARALLEL = 32;
/** What most executions are in: picked out of all that there is, where others are found by their filter. */
const COMMON: ReadonlySet<string> = new Set(["*", "completed"]);

/** Which executions are asked for. */
export interface RecentOptions {
  /** Only those of this status. */
  readonly status?: ExecutionStatus;
  /** Only those of this flow. */
  readonly flow?: string;
  /** How many at most. */
  readonly limit: number;
  /** Only changes before this revision. */
  readonly before?: number;
}

/** What of a flow's work no ack has settled. */
interface Undone {
  /** How many messages. */
  readonly count: number;
  /** The sequence that none of them is before. */
  readonly from: number;
}

/** Lists executions. */
export class Listing {
  readonly #nats: Nats;
  readonly #heads: Heads;

  /** Creates the listing of a namespace. No I/O. */
  constructor(nats: Nats, heads: Heads) {
    this.#nats = nats;
    this.#heads = heads;
  }

  /** The ids of all executions, or of a flow's, sorted. */
  async ids(flow?: string): Promise<string[]> {
    return [...(await this.#subjects(["*"], flow)).keys()].sort();
  }

  /** The ids of the executions of a status, sorted. */
  async byStatus(status: ExecutionStatus): Promise<string[]> {
    if (status === "completed" || status === "cancelled") return [...(await this.#subjects([status])).keys()].sort();
    const found = await this.#subjects([...LIVE, "failed"]);
    const sure: string[] = [];
    const doubtful: string[] = [];
    for (const [id, phases] of found) {
      const known = knownStatus(phases);
      if (known === undefined) doubtful.push(id);
      else if (known === status) sure.push(id);
    }
    const resolved = await this.#withoutEnded(doubtful);
    const heads = await this.#readAll(resolved);
    for (const [id, head] of heads) if (head !== undefined && headStatus(head) === status) sure.push(id);
    return sure.sort();
  }

  /** The latest changes, one for each execution, newest first. */
  async recent({ status, flow, limit, before }: RecentOptions): Promise<ExecutionEvent[]> {
    const events: ExecutionEvent[] = [];
    const phases = status === undefined ? ["*"] : phasesOf(status);
    try {
      for await (const message of this.#backwards(phases, flow ?? "*", before)) {
        const event = await this.#headEvent(message);
        if (event === undefined || status !== undefined && event.status !== status) continue;
        events.push(event);
        if (events.length >= limit) break;
      }
    } catch (error) {
      if (!isNotFound(error) && !isNoResponders(error)) throw packtrailError(error, "listing executions");
    }
    return events;
  }

  /**
   * How many executions of each status a flow has, by the server's own counters.
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
      counts[phase === "due" ? "running" : statusOf(phase)] += await this.#count(names.headsIn(phase, flow));
    }));
    return counts;
  }

  /** The event of a message, where it is its execution's head. */
  async #headEvent(message: StoredMsg): Promise<ExecutionEvent | undefined> {
    const parsed = this.#nats.names.parseHead(message.subject);
    const note = parseNote(message.header);
    if (parsed === undefined || note === undefined || !isPhase(parsed.phase)) return undefined;
    const { phase, flow, id } = parsed;
    if (phase !== "ready" && phase !== "due" && phase !== "failed") return eventOf(parsed, note, message.seq);
    const head = await this.#heads.read(id, flow).catch(() => undefined);
    if (head?.revision !== message.seq) return undefined;
    return { ...eventOf({ phase: head.parkedAs ?? phase, flow, id }, note, message.seq) };
  }

  /** The messages of some phases, newest first. */
  async *#backwards(phases: readonly string[], flow: string, before?: number): AsyncGenerator<StoredMsg> {
    const { names } = this.#nats;
    const readers = phases.map((phase) =>
      readBackwards(this.#nats, names.executionStream(), names.headsIn(phase, flow), {
        before,
        isBroad: COMMON.has(phase),
      })
    );
    const fronts = await Promise.all(readers.map((reader) => reader.next()));
    for (;;) {
      let newest = -1;
      fronts.forEach((front, index) => {
        if (front.done) return;
        const best = fronts[newest];
        if (best === undefined || best.done || front.value.seq > best.value.seq) newest = index;
      });
      const front = fronts[newest];
      if (front === undefined || front.done) return;
      yield front.value;
      fronts[newest] = await readers[newest]!.next();
    }
  }

  async #subjects(phases: readonly string[], flow?: string): Promise<Map<string, Set<string>>> {
    const { names, jsm } = this.#nats;
    const found = new Map<string, Set<string>>();
    for (const phase of phases) {
      try {
        const info = await jsm.streams.info(names.executionStream(), { subjects_filter: names.headsIn(phase, flow) });
        for (const subject of Object.keys(info.state.subjects ?? {})) {
          const parsed = names.parseHead(subject);
          if (parsed === undefined) continue;
          const known = found.get(parsed.id);
          if (known === undefined) found.set(parsed.id, new Set([parsed.phase]));
          else known.add(parsed.phase);
        }
      } catch (error) {
        if (isNotFound(error) || isNoResponders(error)) return found;
        throw packtrailError(error, "listing executions");
      }
    }
    return found;
  }

  /** Leaves out ids that have ended for good, where there are too many to read each. */
  async #withoutEnded(ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length <= MAX_READS) return ids;
    const ended = await this.#subjects(["completed", "cancelled"]);
    return ids.filter((id) => !ended.has(id));
  }

  async #readAll(ids: readonly string[], flow?: string): Promise<[string, Head | undefined][]> {
    const heads: [string, Head | undefined][] = [];
    for (let start = 0; start < ids.length; start += PARALLEL) {
      const batch = ids.slice(start, start + PARALLEL);
      heads.push(
        ...await Promise.all(batch.map(async (id): Promise<[string, Head | undefined]> => [
          id,
          await this.#heads.read(id, flow).catch(() => undefined),
        ])),
      );
    }
    return heads;
  }

  /** How many messages match a filter: the server says so with the first of them. */
  async #count(filter: string): Promise<number> {
    try {
      const query = { seq: 1, next_by_subj: filter, batch: 1 };
      for await (
        const message of await this.#nats.jsm.direct.getBatch(this.#nats.names.executionStream(), query)
      ) {
        return 1 + Number(message.header.get("Nats-Num-Pending") || 0);
      }
    } catch (error) {
      const code = (error as { code?: unknown } | undefined)?.code;
      if (code !== 404 && !isNotFound(error) && !isNoResponders(error)) throw packtrailError(error, "counting");
    }
    return 0;
  }

  /** How many executions are in hand, by status: by their heads where they are few, else as many as are undone. */
  async #inHand(flow: string, undone: Undone | undefined): Promise<{ running: number; waiting: number }> {
    const counts = { running: 0, waiting: 0 };
    if (undone === undefined || undone.count === 0) return counts;
    const ids = undone.count <= MAX_READS ? await this.#undoneIds(flow, undone.from) : undefined;
    if (ids === undefined) return { running: undone.count, waiting: 0 };
    for (const [, head] of await this.#readAll([...ids], flow)) {
      if (head === undefined || !IN_HAND.has(head.state.phase)) continue;
      counts[headStatus(head) === "waiting" ? "waiting" : "running"]++;
    }
    return counts;
  }

  /** The executions whose work lies at or after a sequence; `undefined` where that is more than is read. */
  async #undoneIds(flow: string, from: number): Promise<Set<string> | undefined> {
    const { names } = this.#nats;
    const ids = new Set<string>();
    let read = 0;
    for (const filter of names.work(flow)) {
      for await (const { subject } of readForwards(this.#nats, names.executionStream(), filter, from)) {
        if (++read > MAX_READS) return undefined;
        const parsed = names.parseHead(subject);
        if (parsed !== undefined) ids.add(parsed.id);
      }
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

/** The status of a head as users see it: a schedule that has fired has that of the phase it was parked in. */
export function headStatus(head: Head): ExecutionStatus {
  return statusOf(head.parkedAs ?? head.state.phase);
}

/** The status that the subjects of an execution leave no doubt about: a schedule is always its head. */
function knownStatus(phases: ReadonlySet<string>): ExecutionStatus | undefined {
  if (phases.has("waiting")) return "waiting";
  if (phases.has("active") || phases.has("delayed")) return "running";
  return phases.size === 1 && phases.has("failed") ? "failed" : undefined;
}

function phasesOf(status: ExecutionStatus): Phase[] {
  switch (status) {
    case "running":
      return ["ready", "due", "active", "delayed"];
    case "waiting":
      return ["waiting", "due"];
    case "completed":
    case "failed":
    case "cancelled":
      return [status];
  }
}

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
import { StateFormatError } from "../core/codec.ts";
import { type ExecutionStatus, isPhase, type Phase, statusOf } from "../core/state.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";
import { eventOf, type ExecutionEvent } from "./events.ts";
import { type Head, parseNote } from "./head.ts";
import type { Heads } from "./heads.ts";
import { readBackwards } from "./read.ts";

const LIVE: readonly Phase[] = ["ready", "due", "active", "delayed", "waiting"];
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
    const found = await this.#subjects(["*"], flow);
    for (const [id, phases] of found) if (phases.size === 1 && phases.has("removed")) found.delete(id);
    const doubtful = [...found].filter(([, phases]) => phases.has("removed")).map(([id]) => id);
    for (const [id, head] of await this.#readAll(doubtful)) if (head === undefined) found.delete(id);
    return [...found.keys()].sort();
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
    for (const [id, head] of await this.#readAll(resolved)) {
      if (head !== undefined && headStatus(head) === status) sure.push(id);
    }
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

  /** The heads of some executions; none for one that is gone, or cannot be read. */
  async #readAll(ids: readonly string[]): Promise<[id: string, head: Head | undefined][]> {
    const heads: [string, Head | undefined][] = [];
    for (let start = 0; start < ids.length; start += PARALLEL) {
      const batch = ids.slice(start, start + PARALLEL).map(async (id): Promise<[string, Head | undefined]> => {
        return [id, await this.#heads.read(id).catch(noneWhereUnreadable)];
      });
      heads.push(...await Promise.all(batch));
    }
    return heads;
  }
}

function noneWhereUnreadable(error: unknown): undefined {
  if (!(error instanceof StateFormatError)) throw error;
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
    default:
      return status satisfies never;
  }
}

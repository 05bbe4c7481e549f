/**
 * Heads: the one place that reads and writes them.
 *
 * - R1: every write of an execution's head is a compare-and-set with the same filter string, `<ns>.exec.*.<flow>.<id>`.
 * - R2: the head is the message with the highest version; the fence is the highest sequence. They differ when a
 *   schedule fired in the instant it was cancelled: its stale `due` message is on top, with an old version.
 * - R4: a head that is parked, or saves progress, is itself an `@at` schedule that targets `<ns>.exec.due.<flow>.<id>`.
 * - R5: leaving such a phase purges the schedule in the same publish.
 * - An ended head that has a retention is an `@at` schedule too, whose firing puts a tombstone in its place:
 *   `<ns>.exec.removed.<flow>.<id>`. What is superseded may not be swept yet, and must not become the head again; an
 *   engine removes it and the execution's values, and then the tombstone.
 * - R8: reads that decide go to the leader.
 * - R9: a lost compare-and-set means: read again and decide again. A lost PubAck is never retried blindly; the head
 *   carries the id of the write that made it.
 *
 * @module
 */

import { headers, type MsgHdrs } from "@nats-io/nats-core";
import type { StoredMsg } from "@nats-io/jetstream";
import { decodeState, encodeState } from "../core/codec.ts";
import { type EndedPhase, hasEnded, isSchedule, type State } from "../core/state.ts";
import { type TrailEntry, trailEntry } from "../core/trail.ts";
import {
  DuplicateError,
  isConflict,
  isNotFound,
  isUnknownOutcome,
  type Nats,
  packtrailError,
  publish,
  removeMessage,
} from "./client.ts";
import type { Delivery } from "./delivery.ts";
import { entriesOf } from "./events.ts";
import { type Head, HEAD_HEADER, headOf, isNewer, noteOf, parseNote } from "./head.ts";
import { WrittenHeads } from "./written.ts";

/** How many lives of an id may begin in the two minutes in which the server knows an id of a message again. */
const MOST_LIVES = 100;

/** What a head follows: the head before, or a tombstone that has the fence alone. */
type Followed = Pick<Head, "fence"> & Partial<Pick<Head, "phase">>;

/** How long ended executions are kept, in milliseconds; for ever where absent. */
export type Retention = { readonly [phase in EndedPhase]?: number };

/** Reads and writes the heads of a namespace. */
export class Heads {
  readonly #nats: Nats;
  readonly #retention: Retention;
  readonly #writer: string;
  /** Heads of this writer that are about to be delivered to it. */
  readonly written: WrittenHeads = new WrittenHeads();
  #writes = 0;

  /** `writer` tells this writer from all others. */
  constructor(nats: Nats, writer: string, retention: Retention) {
    this.#nats = nats;
    this.#writer = writer;
    this.#retention = retention;
  }

  /**
   * The head of an execution, from the leader (R8).
   *
   * @throws {StateFormatError} Where its body is not a state.
   */
  async read(id: string, flow = "*"): Promise<Head | undefined> {
    const last = await this.#last(this.#nats.names.headsOf(flow, id), `reading execution ${id}`);
    if (last === undefined) return undefined;
    if (this.#nats.names.isRemoved(last.subject)) return await this.#newer(decodeState(last.string()), last.seq);
    const head = headOf(last.subject, last.string(), last.seq, this.#nats.names);
    return head.phase === "due" ? await this.#newest(head) : head;
  }

  /** The delivered head, where it was written here just now: it need not be decoded. */
  own({ subject, sequence }: Delivery): Head | undefined {
    const at = this.#nats.names.parseHead(subject);
    return at?.phase === "ready" ? this.written.take(sequence, at.flow, at.id) : undefined;
  }

  /**
   * The head that a delivered message is or was. One that the server wrote itself is looked at closely: it may be a
   * stale one on top of a newer head (R2).
   */
  async delivered(delivery: Delivery): Promise<Head> {
    const head = headOf(delivery.subject, delivery.text(), delivery.sequence, this.#nats.names);
    return head.phase === "due" ? await this.#newest(head) : head;
  }

  /**
   * Writes the first head of an execution. `undefined` where there is one, also one of another flow: their first heads
   * have the same `Nats-Msg-Id`, for the compare-and-set sees those of one flow (R1).
   *
   * @param how `new` where nobody else can have its id; `again` where nobody else can, but the same start may have been made before.
   * @throws {DuplicateError} Where it was made before, and the execution was removed since.
   */
  async writeFirst(first: State, how: "new" | "once" | "again"): Promise<Head | undefined> {
    if (how === "new") return await this.#write(first, undefined);
    let msgId = `start.${first.id}`;
    let fence = 0;
    for (let tries = 0; tries < MOST_LIVES; tries++) {
      let duplicate: DuplicateError | undefined;
      const written = await this.#write(first, { fence }, msgId).catch((error) => {
        if (!(error instanceof DuplicateError)) throw error;
        duplicate = error;
        return undefined;
      });
      if (written !== undefined) return written;
      const tombstone = await this.#tombstone(first);
      if (tombstone === "alive") return undefined;
      if (duplicate !== undefined && how === "again") throw duplicate;
      if (duplicate === undefined && tombstone === fence) return undefined;
      // Whoever else starts it after that life comes to the same id.
      if (duplicate !== undefined) msgId = `start.${first.id}.${duplicate.sequence}`;
      fence = tombstone;
    }
    return undefined;
  }

  /** The sequence of the tombstone that lies where an execution is to be; 0 where nothing does. */
  async #tombstone({ flow, id }: State): Promise<number | "alive"> {
    const { names } = this.#nats;
    const action = `starting execution ${id}`;
    const any = await this.#last(names.headsOf("*", id), action);
    if (any !== undefined && !names.isRemoved(any.subject)) return "alive";
    return any === undefined ? 0 : (await this.#last(names.headsOf(flow, id), action))?.seq ?? 0;
  }

  /**
   * Writes the next head. `undefined` where the compare-and-set was lost (R9).
   *
   * @param next The state, already stamped with its version.
   * @param previous The head it follows.
   */
  async write(next: State, previous: Head): Promise<Head | undefined> {
    return await this.#write(next, previous);
  }

  /** @throws {DuplicateError} Where a message was stored with the same `Nats-Msg-Id`, if there is to be one. */
  async #write(next: State, previous: Followed | undefined, msgId?: string): Promise<Head | undefined> {
    const write = `${this.#writer}-${(++this.#writes).toString(36)}`;
    const subject = this.#nats.names.head(next.phase, next.flow, next.id);
    try {
      const headers = this.#headers(next, previous, write);
      if (msgId !== undefined) headers.append("Nats-Msg-Id", msgId);
      const headAt = (revision: number) => ({ state: next, phase: next.phase, revision, fence: revision });
      const body = encodeState(next);
      const stored = (revision: number) => this.written.add(headAt(revision), body.length);
      const head = headAt(await publish(this.#nats, subject, body, { headers, isFirst: msgId !== undefined, stored }));
      if (hasEnded(next.phase) && this.#retention[next.phase] !== undefined) await this.#outlive(head);
      return head;
    } catch (error) {
      if (isConflict(error)) return undefined;
      if (error instanceof DuplicateError) throw error;
      if (!isUnknownOutcome(error)) throw packtrailError(error, `writing execution ${next.id}`);
      return await this.#outcome(next, write, error);
    }
  }

  /** Puts a trail away in the event stream, where the head that drops it does not have it any more. */
  async putAway(state: State, trail: readonly TrailEntry[]): Promise<void> {
    const body = JSON.stringify({ startedAt: state.startedAt, trail });
    const once = headers();
    once.set("Nats-Msg-Id", `${state.id}.${trail.at(-1)![0]}`);
    try {
      await publish(this.#nats, this.#nats.names.history(state.flow, state.id), body, { headers: once });
    } catch (error) {
      throw packtrailError(error, `recording the history of execution ${state.id}`);
    }
  }

  /** The history of an execution whose head the server will remove outlives it. */
  async #outlive({ state, revision }: Head): Promise<void> {
    await this.putAway(state, [...state.trail ?? [], trailEntry(state, revision)]).catch(() => {});
  }

  /** What is left of an execution beside its tombstone, and what is newer than that: it was resumed, or started again. */
  async leftOf(state: State, tombstone: number): Promise<{ stale: number[]; newer: State | undefined }> {
    const stale: number[] = [];
    let newer: State | undefined;
    for (const message of await this.#messagesOf(state, (phase) => phase !== "removed")) {
      const other = decodeState(message.string());
      if (isNewer(other, newer ?? state)) newer = other;
      else if (message.seq < tombstone) stale.push(message.seq);
    }
    return { stale, newer };
  }

  /** Removes messages of an execution, one after the other. */
  async remove(id: string, sequences: readonly number[]): Promise<void> {
    const stream = this.#nats.names.executionStream(id);
    for (const sequence of sequences) await removeMessage(this.#nats, { stream, sequence }, `removing execution ${id}`);
  }

  /** Removes a head that is superseded. What fails is only lingering: nothing takes it for the head (R2). */
  discard(head: Head): void {
    const stream = this.#nats.names.executionStream(head.state.id);
    this.#nats.jsm.streams.deleteMessage(stream, head.revision, false).catch(() => {});
  }

  /** Calls back when others write an execution's head. Returns what ends that. */
  watch(id: string, changed: () => void): () => void {
    const subscription = this.#nats.nc.subscribe(this.#nats.names.events("*", id), {
      callback: (error, msg) => {
        if (error === null && !this.isOwn(parseNote(msg.headers)?.w)) changed();
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Whether this writer made the write. */
  isOwn(write: string | undefined): boolean {
    return write !== undefined && write.startsWith(`${this.#writer}-`);
  }

  /** Whether a write whose answer was lost came through. */
  async #outcome(next: State, write: string, error: unknown): Promise<Head | undefined> {
    const action = `writing execution ${next.id}`;
    const head = await this.read(next.id, next.flow).catch(() => {
      throw packtrailError(error, action);
    });
    if (head === undefined || head.state.version < next.version) throw packtrailError(error, action);
    const message = await this.#last(this.#nats.names.head(head.phase, next.flow, next.id), action);
    return parseNote(message?.header)?.w === write ? head : await this.#passed(next, head);
  }

  /** The head that a state was written as, where what its execution has gone through since says that it was. */
  async #passed(state: State, later: Head): Promise<Head | undefined> {
    const back = later.state.version - state.version;
    if (back === 0 || later.state.startedAt !== state.startedAt) return undefined;
    let { trail = [] } = later.state;
    if (trail.length < back) trail = [...await this.#putAwayLast(state, trail[0]?.[0] ?? later.revision), ...trail];
    const entry = trail.at(-back);
    if (entry === undefined) return undefined;
    const [revision] = entry;
    if (JSON.stringify(entry) !== JSON.stringify(trailEntry(state, revision))) return undefined;
    return { state, phase: state.phase, revision, fence: revision };
  }

  /** What was put away last of an execution's trail, but for what is not before a revision. */
  async #putAwayLast({ flow, id, startedAt }: State, before: number): Promise<TrailEntry[]> {
    const { names } = this.#nats;
    const last = await this.#last(names.history(flow, id), `reading the history of ${id}`, names.eventStream);
    const away = last?.json<{ startedAt?: unknown; trail?: unknown }>();
    return away?.startedAt === startedAt ? entriesOf(away.trail).filter(([revision]) => revision < before) : [];
  }

  /** The newest of an execution's messages when a `due` one is on top (R2). */
  async #newest(due: Head): Promise<Head> {
    return await this.#newer(due.state, due.fence) ?? due;
  }

  /** The newest of an execution's messages that is newer than what the server wrote on top of them (R2). */
  async #newer(top: State, fence: number): Promise<Head | undefined> {
    let newest: Head | undefined;
    for (const message of await this.#messagesOf(top, (phase) => phase !== "due" && phase !== "removed")) {
      const other = headOf(message.subject, message.string(), message.seq, this.#nats.names);
      if (isNewer(other.state, newest?.state ?? top)) newest = other;
    }
    return newest === undefined ? undefined : { ...newest, fence: Math.max(newest.revision, fence) };
  }

  /** The messages of an execution's heads in some phases, those that are superseded included. */
  async #messagesOf({ flow, id }: State, isIn: (phase: string) => boolean): Promise<StoredMsg[]> {
    const { names, jsm, clock } = this.#nats;
    const action = `reading execution ${id}`;
    const askedAt = performance.now();
    const info = await jsm.streams.info(names.executionStream(id), { subjects_filter: names.headsOf(flow, id) })
      .catch((error) => Promise.reject(packtrailError(error, action)));
    clock.observe(info, askedAt);
    const subjects = Object.keys(info.state.subjects ?? {}).filter((subject) => isIn(names.parseHead(subject)!.phase));
    const messages = await Promise.all(subjects.map((subject) => this.#last(subject, action)));
    return messages.filter((message) => message !== undefined);
  }

  async #last(
    filter: string,
    action: string,
    stream = this.#nats.names.executionStream(),
  ): Promise<StoredMsg | undefined> {
    try {
      return await this.#nats.jsm.streams.getMessage(stream, { last_by_subj: filter }) ?? undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw packtrailError(error, action);
    }
  }

  #headers(next: State, previous: Followed | undefined, write: string): MsgHdrs {
    const { names } = this.#nats;
    const note = headers();
    note.append("Nats-Expected-Last-Subject-Sequence", String(previous?.fence ?? 0));
    note.append("Nats-Expected-Last-Subject-Sequence-Subject", names.headsOf(next.flow, next.id));
    note.append(HEAD_HEADER, JSON.stringify(noteOf(next, write)));
    if (isSchedule(next.phase)) {
      note.append("Nats-Schedule", `@at ${new Date(next.alarm!).toISOString()}`);
      note.append("Nats-Schedule-Target", names.head("due", next.flow, next.id));
    }
    if (previous?.phase !== undefined && isSchedule(previous.phase) && previous.phase !== next.phase) {
      note.append("Nats-Schedule-Next", "purge");
      note.append("Nats-Scheduler", names.head(previous.phase, next.flow, next.id));
    }
    this.#addRetention(note, next);
    return note;
  }

  /** How long the head of an ended execution stays. */
  #addRetention(note: MsgHdrs, next: State): void {
    const ttl = hasEnded(next.phase) ? this.#retention[next.phase] : undefined;
    if (ttl === undefined) return;
    note.append("Nats-Schedule", `@at ${new Date(next.updatedAt + ttl).toISOString()}`);
    note.append("Nats-Schedule-Target", this.#nats.names.removed(next.flow, next.id));
  }
}

/**
 * Reconciliation: a sweep for what should not be there. There is no index to repair; on a healthy namespace it finds
 * nothing to do.
 *
 * - **leftovers**: `ready` and `due` messages that are superseded and were not swept; commands that were dealt with, and
 *   that the server could not remove while its disk was full.
 * - **orphans**: large values and mail of executions that are gone, and values that no head refers to.
 * - **stalls**: heads that nothing drives on: work that was acked and is still the head, schedules long past; and
 *   recurring schedules that the server has forgotten.
 *
 * @module
 */

import { refsOf } from "../core/values.ts";
import type { StoredMsg } from "@nats-io/jetstream";
import { decodeState, StateFormatError } from "../core/codec.ts";
import type { Phase } from "../core/state.ts";
import { isNoResponders, isNotFound, packtrailError, removeMessage } from "../nats/client.ts";
import { alarmOf, reviveRemovals, reviveSchedules } from "../nats/revive.ts";
import { readForwards } from "../nats/read.ts";
import type { Head } from "../nats/head.ts";
import { sweepFlow } from "../nats/sweep.ts";
import { bury } from "./burial.ts";
import { DefinitionMissingError, type Executions } from "./executions.ts";

/** What a reconciliation found and did. */
export interface ReconcileReport {
  /** Live executions that were looked at. */
  checked: number;
  /** Superseded messages that were removed, and removed executions that were cleared up behind. */
  swept: number;
  /** Values and mail that were removed because nothing refers to them. */
  orphans: number;
  /** Stalled executions, and recurring schedules, that were driven again. */
  redriven: number;
}

/** One reconciliation. */
interface Round {
  readonly executions: Executions;
  readonly report: ReconcileReport;
  /** Ends it before what it would look at next. */
  readonly signal: AbortSignal | undefined;
}

const PARKED: readonly Phase[] = ["active", "delayed", "waiting"];

/** How long a schedule may be overdue before it counts as lost, in milliseconds. */
const OVERDUE_MS = 60_000;

/**
 * How long a value of a live execution may be without a head that refers to it, in milliseconds: whoever wrote it may
 * have been cut off from the server since, and writes the head when it is back.
 */
const LIVE_ORPHAN_MS = 3_600_000;

/** Looks over a namespace, and repairs what is wrong; no more of it where the signal is aborted meanwhile. */
export async function reconcile(executions: Executions, signal?: AbortSignal): Promise<ReconcileReport> {
  const report: ReconcileReport = { checked: 0, swept: 0, orphans: 0, redriven: 0 };
  const round: Round = { executions, report, signal };
  try {
    for (const flow of await executions.parts.registry.names()) {
      signal?.throwIfAborted();
      await redriveAcked(round, flow);
      await sweepLeftovers(executions, flow, report);
    }
    await sweepInbox(executions, report);
    await redriveOverdue(round, OVERDUE_MS);
    report.redriven += await revive(executions, OVERDUE_MS, signal);
    await buryRemoved(round);
    await removeOrphanedData(round);
    await removeOrphanedMail(round);
  } catch (error) {
    if (signal?.aborted || isNotFound(error) || isNoResponders(error)) return report;
    throw packtrailError(error, "reconciling");
  }
  return report;
}

/**
 * Drives on what the server was to drive on when there was no room: it does not try to fire a schedule again. Returns
 * how many executions and recurring schedules there were.
 */
export async function redriveLost(executions: Executions, overdueMs: number): Promise<number> {
  const report: ReconcileReport = { checked: 0, swept: 0, orphans: 0, redriven: 0 };
  try {
    await redriveOverdue({ executions, report, signal: undefined }, overdueMs);
    return report.redriven + await revive(executions, overdueMs);
  } catch (error) {
    throw packtrailError(error, "driving on what was lost");
  }
}

/** Work that was acked although it is still the head: nothing would ever deliver it again. */
async function redriveAcked({ executions, report, signal }: Round, flow: string): Promise<void> {
  const { nats } = executions.parts;
  const stream = nats.names.executionStream();
  const info = await nats.jsm.consumers.info(stream, nats.names.flowConsumer(flow)).catch(ignoreMissing(undefined));
  for (const filter of nats.names.work(flow)) {
    for await (const message of readForwards(nats, stream, filter)) {
      signal?.throwIfAborted();
      if (info === undefined || message.seq > info.ack_floor.stream_seq) {
        report.checked++;
        continue;
      }
      const head = await headAt(executions, message);
      if (head === undefined) continue;
      report.checked++;
      report.redriven += await redrive(executions, head);
    }
  }
}

/** What engines sweep by themselves within seconds is theirs; what has been there for longer was left over by one. */
async function sweepLeftovers(executions: Executions, flow: string, report: ReconcileReport): Promise<void> {
  const { nats } = executions.parts;
  const stream = nats.names.executionStream();
  const oldest = await Promise.all(
    nats.names.work(flow).map((filter) => {
      return nats.jsm.direct.getMessage(stream, { seq: 1, next_by_subj: filter }).catch(ignoreMissing(null));
    }),
  );
  if (!oldest.some((message) => message !== null && isOld(executions, message))) return;
  const swept = await sweepFlow(nats, flow, { isPatient: true }).catch(ignoreMissing(undefined));
  report.swept += swept?.count ?? 0;
}

/** What the server has removed long ago, and no engine has cleared up behind. */
async function buryRemoved({ executions, report, signal }: Round): Promise<void> {
  const { nats } = executions.parts;
  for await (const message of readForwards(nats, nats.names.executionStream(), nats.names.headsIn("removed"))) {
    signal?.throwIfAborted();
    if (!isOld(executions, message)) return;
    try {
      await bury(executions, decodeState(message.string()), message.seq);
      report.swept++;
    } catch (error) {
      // It was dead-lettered when it was delivered.
      if (!(error instanceof StateFormatError)) throw error;
    }
  }
}

/** What was acked has left the inbox, but where the server could not write that it has. */
async function sweepInbox(executions: Executions, report: ReconcileReport): Promise<void> {
  const { jsm, names } = executions.parts.nats;
  const inbox = await jsm.consumers.info(names.inboxStream, "inbox").catch(ignoreMissing(undefined));
  const { state } = await jsm.streams.info(names.inboxStream);
  const floor = inbox?.ack_floor.stream_seq ?? 0;
  if (state.messages === 0 || state.first_seq > floor) return;
  report.swept += (await jsm.streams.purge(names.inboxStream, { seq: floor + 1 })).purged;
}

/** Schedules that should have fired long ago, or were lost. */
async function redriveOverdue({ executions, report, signal }: Round, overdueMs: number): Promise<void> {
  const { nats } = executions.parts;
  for (const phase of PARKED) {
    for await (const message of readForwards(nats, nats.names.executionStream(), nats.names.headsIn(phase))) {
      signal?.throwIfAborted();
      report.checked++;
      if (alarmOf(message.header.get("Nats-Schedule")) > nats.clock.now() - overdueMs) continue;
      const head = await headAt(executions, message);
      if (head !== undefined) report.redriven += await redrive(executions, head);
    }
  }
}

/** What the server has forgotten of its own: recurring schedules, and removals of ended executions. */
async function revive({ parts: { nats } }: Executions, overdueMs: number, signal?: AbortSignal): Promise<number> {
  return await reviveSchedules(nats, overdueMs) + await reviveRemovals(nats, overdueMs, signal);
}

/** The head that a message is; `undefined` where it is none any more, or cannot be read. */
async function headAt(executions: Executions, message: StoredMsg): Promise<Head | undefined> {
  const parsed = executions.parts.nats.names.parseHead(message.subject);
  if (parsed === undefined) return undefined;
  try {
    const head = await executions.parts.heads.read(parsed.id, parsed.flow);
    return head?.revision === message.seq ? head : undefined;
  } catch (error) {
    // It was dead-lettered when it was delivered.
    if (error instanceof StateFormatError) return undefined;
    throw error;
  }
}

/** Writes a head again, so that it is delivered, or fires, again. */
async function redrive(executions: Executions, head: Head): Promise<number> {
  const { nats } = executions.parts;
  const isParked = PARKED.includes(head.phase);
  const next = isParked
    ? { ...head.state, alarm: nats.clock.now() + 1_000 }
    : { ...head.state, phase: "ready" as const };
  try {
    const flow = await executions.flowOf(head.state);
    return await executions.commit(flow, head, next, []) === undefined ? 0 : 1;
  } catch (error) {
    // It was dead-lettered when it was delivered; the others are to be looked at all the same.
    if (error instanceof DefinitionMissingError) return 0;
    throw error;
  }
}

async function removeOrphanedData({ executions, report, signal }: Round): Promise<void> {
  const { names } = executions.parts.nats;
  for (const [id, own] of await subjectsOf(executions, names.dataStream, names.dataOf())) {
    signal?.throwIfAborted();
    const head = await headOrNull(executions, id);
    if (head === null) continue;
    const referred = new Set(head === undefined ? [] : refsOf(head.state));
    if (own.length <= referred.size) continue;
    const minAgeMs = isOver(head) ? undefined : LIVE_ORPHAN_MS;
    report.orphans += await removeEach(executions, names.dataStream, own, { except: referred, minAgeMs });
  }
}

async function removeOrphanedMail({ executions, report, signal }: Round): Promise<void> {
  const { names } = executions.parts.nats;
  for (const [id, own] of await subjectsOf(executions, names.executionStream(), names.mailOf())) {
    signal?.throwIfAborted();
    const head = await headOrNull(executions, id);
    if (head === null || !isOver(head)) continue;
    report.orphans += await removeEach(executions, names.executionStream(), own);
  }
}

/** The head; `null` where it cannot be read: nobody knows what it refers to. */
async function headOrNull(executions: Executions, id: string): Promise<Head | undefined | null> {
  try {
    return await executions.parts.heads.read(id);
  } catch (error) {
    if (error instanceof StateFormatError) return null;
    throw error;
  }
}

/** Whether an execution is gone, or has ended for good: a failed one can be resumed. */
function isOver(head: Head | undefined): boolean {
  return head === undefined || head.phase === "completed" || head.phase === "cancelled";
}

/** Removes the messages of some subjects that are old enough. Returns how many there were. */
async function removeEach(
  executions: Executions,
  stream: string,
  subjects: readonly string[],
  { except, minAgeMs }: { except?: ReadonlySet<number>; minAgeMs?: number | undefined } = {},
): Promise<number> {
  const { jsm } = executions.parts.nats;
  let removed = 0;
  for (const subject of subjects) {
    const message = await jsm.direct.getMessage(stream, { last_by_subj: subject });
    if (message === null || except?.has(message.seq) || !isOld(executions, message, minAgeMs)) continue;
    if (await removeMessage(executions.parts.nats, { stream, sequence: message.seq }, "reconciling")) removed++;
  }
  return removed;
}

/** Whether whoever wrote a message has had its time to write the head that refers to it, or supersedes it. */
function isOld(executions: Executions, message: StoredMsg, minAgeMs = 0): boolean {
  const { nats, settings } = executions.parts;
  return message.time.getTime() < nats.clock.now() - Math.max(minAgeMs, 2 * settings.leaseMs + 1_000);
}

/** The subjects that match a filter, by execution: the id is their third token. */
async function subjectsOf(executions: Executions, stream: string, filter: string): Promise<Map<string, string[]>> {
  const info = await executions.parts.nats.jsm.streams.info(stream, { subjects_filter: filter });
  const byId = new Map<string, string[]>();
  for (const subject of Object.keys(info.state.subjects ?? {})) {
    const id = subject.slice(executions.parts.nats.names.namespace.length + 1).split(".")[1]!;
    byId.set(id, [...byId.get(id) ?? [], subject]);
  }
  return byId;
}

function ignoreMissing<T>(fallback: T): (error: unknown) => T {
  return (error) => {
    if (isNotFound(error)) return fallback;
    throw error;
  };
}

/**
 * Reconciliation: a sweep for what should not be there. There is no index to repair; on a healthy namespace it finds
 * nothing to do.
 *
 * - **leftovers**: `ready` and `due` messages that are superseded and were not swept.
 * - **orphans**: large values and mail of executions that are gone, and values that no head refers to.
 * - **stalls**: heads that nothing drives on: work that was acked and is still the head, schedules long past.
 *
 * @module
 */

import { refsOf } from "../core/values.ts";
import type { StoredMsg } from "@nats-io/jetstream";
import { StateFormatError } from "../core/codec.ts";
import { type Phase } from "../core/state.ts";
import { isNoResponders, isNotFound, packtrailError } from "../nats/client.ts";
import { readForwards } from "../nats/read.ts";
import type { Head } from "../nats/heads.ts";
import { sweepFlow } from "../nats/sweep.ts";
import type { Executions } from "./executions.ts";

/** What a reconciliation found and did. */
export interface ReconcileReport {
  /** Live executions that were looked at. */
  checked: number;
  /** Superseded messages that were removed. */
  swept: number;
  /** Values and mail that were removed because nothing refers to them. */
  orphans: number;
  /** Stalled executions that were driven again. */
  redriven: number;
}

const PARKED: readonly Phase[] = ["active", "delayed", "waiting"];

/** How long a schedule may be overdue before it counts as lost, in milliseconds. */
const OVERDUE_MS = 60_000;

/** Looks over a namespace, and repairs what is wrong. */
export async function reconcile(executions: Executions): Promise<ReconcileReport> {
  const report: ReconcileReport = { checked: 0, swept: 0, orphans: 0, redriven: 0 };
  try {
    for (const flow of await executions.parts.registry.names()) {
      await redriveAcked(executions, flow, report);
      report.swept += await sweepFlow(executions.parts.nats, flow).catch(ignoreMissing(0));
    }
    await redriveOverdue(executions, report);
    await removeOrphanedData(executions, report);
    await removeOrphanedMail(executions, report);
  } catch (error) {
    if (isNotFound(error) || isNoResponders(error)) return report;
    throw packtrailError(error, "reconciling");
  }
  return report;
}

/** Work that was acked although it is still the head: nothing would ever deliver it again. */
async function redriveAcked(executions: Executions, flow: string, report: ReconcileReport): Promise<void> {
  const { nats } = executions.parts;
  const stream = nats.names.executionStream();
  const info = await nats.jsm.consumers.info(stream, nats.names.flowConsumer(flow)).catch(ignoreMissing(undefined));
  for (const filter of nats.names.work(flow)) {
    for await (const message of readForwards(nats, stream, filter)) {
      report.checked++;
      if (info === undefined || message.seq > info.ack_floor.stream_seq) continue;
      const head = await headAt(executions, message);
      if (head !== undefined) report.redriven += await redrive(executions, head);
    }
  }
}

/** Schedules that should have fired long ago. */
async function redriveOverdue(executions: Executions, report: ReconcileReport): Promise<void> {
  const { nats } = executions.parts;
  for (const phase of PARKED) {
    for await (const message of readForwards(nats, nats.names.executionStream(), nats.names.headsIn(phase))) {
      report.checked++;
      const alarm = Date.parse(message.header.get("Nats-Schedule").replace(/^@at /, ""));
      if (alarm > nats.clock.now() - OVERDUE_MS) continue;
      const head = await headAt(executions, message);
      if (head !== undefined) report.redriven += await redrive(executions, head);
    }
  }
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
  const flow = await executions.flowOf(head.state);
  const isParked = PARKED.includes(head.phase);
  const next = isParked
    ? { ...head.state, alarm: nats.clock.now() + 1_000 }
    : { ...head.state, phase: "ready" as const };
  return await executions.commit(flow, head, next, []) === undefined ? 0 : 1;
}

async function removeOrphanedData(executions: Executions, report: ReconcileReport): Promise<void> {
  const { nats, heads } = executions.parts;
  const { names, jsm } = nats;
  const subjects = await subjectsOf(executions, names.dataStream, names.dataOf());
  for (const [id, own] of subjects) {
    const head = await heads.read(id).catch((error) =>
      error instanceof StateFormatError ? null : Promise.reject(error)
    );
    if (head === null) continue;
    const referred = new Set(head === undefined ? [] : refsOf(head.state));
    if (own.length <= referred.size) continue;
    for (const subject of own) {
      const message = await jsm.direct.getMessage(names.dataStream, { last_by_subj: subject });
      if (message === null || referred.has(message.seq) || !isOld(executions, message)) continue;
      await jsm.streams.deleteMessage(names.dataStream, message.seq, false);
      report.orphans++;
    }
  }
}

async function removeOrphanedMail(executions: Executions, report: ReconcileReport): Promise<void> {
  const { nats, heads } = executions.parts;
  const { names, jsm } = nats;
  for (const [id, own] of await subjectsOf(executions, names.executionStream(), names.mailOf())) {
    const head = await heads.read(id).catch((error) =>
      error instanceof StateFormatError ? null : Promise.reject(error)
    );
    if (head === null || head !== undefined && head.phase !== "completed" && head.phase !== "cancelled") continue;
    for (const subject of own) {
      const message = await jsm.direct.getMessage(names.executionStream(), { last_by_subj: subject });
      if (message === null || !isOld(executions, message)) continue;
      await jsm.streams.deleteMessage(names.executionStream(), message.seq, false);
      report.orphans++;
    }
  }
}

/** Whether whoever wrote a message has had its time to write the head that refers to it. */
function isOld(executions: Executions, message: StoredMsg): boolean {
  const { nats, settings } = executions.parts;
  return message.time.getTime() < nats.clock.now() - 2 * settings.leaseMs - 1_000;
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

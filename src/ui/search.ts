/**
 * Finding executions: newest change first, by status and flow as the server lists them, by id, time and error on top
 * of that. It looks at a bounded number of executions for one page, and says where it stopped.
 *
 * @module
 */

import { type ExecutionEvent, type ExecutionStatus, NotFoundError, type Server } from "../../mod.ts";
import { checkKnown, nameParam, numberParam, statusParam, textParam, timeParam } from "./params.ts";

/** What executions are asked for. */
export interface Filter {
  /** Only those of this status. */
  readonly status: ExecutionStatus | undefined;
  /** Only those of this flow. */
  readonly flow: string | undefined;
  /** Only those whose id begins so. */
  readonly id: string | undefined;
  /** Only those whose error contains this, whatever the case. */
  readonly error: string | undefined;
  /** Only those that changed last at this time or later. */
  readonly since: Date | undefined;
  /** Only those that changed last before this time. */
  readonly until: Date | undefined;
  /** Only those that changed last before this revision. */
  readonly before: number | undefined;
  /** How many at most. */
  readonly limit: number;
}

/** A page of executions. */
export interface Found {
  /** Their latest changes, newest first. */
  readonly events: ExecutionEvent[];
  /** The `before` of the next page; absent where there is nothing more. */
  readonly next?: number;
  /** How many were looked at. */
  readonly scanned: number;
  /** Where it stopped looking although the page is not full. */
  readonly stoppedAt?: Date;
}

const PARAMETERS = ["status", "flow", "id", "error", "since", "until", "before", "limit"];
const MAX_LIMIT = 500;
const PAGE = 500;
const MAX_SCANNED = 10_000;
const MAX_MS = 1_000;
/** How long it looks for others whose ids begin with one that there is. */
const MAX_FURTHER_MS = 150;
/** Who can have an error: what has completed has none. */
const WITH_ERROR = ["running", "waiting", "failed", "cancelled"] as const satisfies ExecutionStatus[];

/** The filter that a query says. @throws {Problem} */
export function filterOf(query: URLSearchParams, now: Date, defaultLimit: number): Filter {
  checkKnown(query, PARAMETERS);
  return {
    status: statusParam(query),
    flow: nameParam(query, "flow"),
    id: nameParam(query, "id"),
    error: textParam(query, "error"),
    since: timeParam(query, "since", now),
    until: timeParam(query, "until", now),
    before: numberParam(query, "before", [1, Number.MAX_SAFE_INTEGER]),
    limit: numberParam(query, "limit", [1, MAX_LIMIT]) ?? defaultLimit,
  };
}

/** Finds a page of executions. */
export async function findExecutions(server: Server, filter: Filter): Promise<Found> {
  const { limit, since } = filter;
  const isNarrow = filter.id !== undefined || filter.error !== undefined || filter.until !== undefined;
  const size = isNarrow ? PAGE : limit + 1;
  const events = await exactly(server, filter);
  const deadline = performance.now() + (events.length > 0 ? MAX_FURTHER_MS : MAX_MS);
  let scanned = 0;
  for (let before = filter.before;;) {
    const page = await candidates(server, { ...filter, before, limit: size });
    for (const event of page) {
      if (since !== undefined && event.time < since) return { events, scanned };
      if (events.length === limit) return { events, scanned, next: events.at(-1)!.revision };
      scanned++;
      if (matches(event, filter) && event.executionId !== events[0]?.executionId) events.push(event);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < size) return { events, scanned };
    if (scanned >= MAX_SCANNED || performance.now() > deadline) {
      return { events, scanned, next: last.revision, stoppedAt: last.time };
    }
    before = last.revision;
  }
}

/** The next executions that may match, the newest first. */
async function candidates(server: Server, { status, flow, error, before, limit }: Filter): Promise<ExecutionEvent[]> {
  const list = (status?: ExecutionStatus) =>
    server.recent({
      limit,
      ...(status === undefined ? {} : { status }),
      ...(flow === undefined ? {} : { flow }),
      ...(before === undefined ? {} : { before }),
    });
  if (error === undefined || status !== undefined) return await list(status);
  const lists = await Promise.all(WITH_ERROR.map(list));
  return lists.flat().sort((left, right) => right.revision - left.revision).slice(0, limit);
}

/** The execution whose id is the one that is looked for, however old it is: on the first page, and on top. */
async function exactly(server: Server, filter: Filter): Promise<ExecutionEvent[]> {
  if (filter.id === undefined || filter.before !== undefined) return [];
  try {
    const { id, flow, status, currentNode, attempt, error, revision, updatedAt } = await server.get(filter.id);
    if (filter.flow !== undefined && filter.flow !== flow || filter.status !== undefined && filter.status !== status) {
      return [];
    }
    const base = { executionId: id, flow, status, node: currentNode, attempt, revision, time: updatedAt };
    const event: ExecutionEvent = error === undefined ? base : { ...base, error };
    const isTooOld = filter.since !== undefined && updatedAt < filter.since;
    return !isTooOld && matches(event, filter) ? [event] : [];
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

function matches({ executionId, error, time }: ExecutionEvent, filter: Filter): boolean {
  if (filter.id !== undefined && !executionId.startsWith(filter.id)) return false;
  if (filter.until !== undefined && time >= filter.until) return false;
  return filter.error === undefined || (error ?? "").toLowerCase().includes(filter.error.toLowerCase());
}

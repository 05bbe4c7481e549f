/**
 * Reading streams for listings: forwards and backwards, by subject filter, in bounded pages.
 *
 * Direct gets: any replica may answer, so what is read may be a moment old. Nothing is decided on it (R8).
 *
 * @module
 */

import type { StoredMsg } from "@nats-io/jetstream";
import type { Nats } from "./client.ts";

const PAGE = 256;
/** How many sequences the first window has. */
const WINDOW = 64;
/** A window with fewer messages is too narrow, one with more too wide. */
const FEW = 32;
const MANY = 512;
/** How many messages of a window are asked for at once. */
const PARALLEL = 32;
/** Fewer than one in so many that match are worth a filter, seen over so many messages. */
const MIN_SHARE = 8;
const SAMPLE = 512;

/** The messages of a stream that match a filter, oldest first, from a sequence on. */
export async function* readForwards(nats: Nats, stream: string, filter: string, from = 1): AsyncGenerator<StoredMsg> {
  for (let next = from;;) {
    const page = await readPage(nats, stream, filter, next);
    yield* page;
    if (page.length < PAGE) return;
    next = page.at(-1)!.seq + 1;
  }
}

/** How {@linkcode readBackwards} reads. */
export interface BackwardsOptions {
  /** Only messages below this sequence. */
  readonly before?: number | undefined;
  /** Whether it begins by reading whatever there is, and goes over to the filter where little of it matches. */
  readonly isBroad?: boolean;
}

/**
 * The messages of a stream that match a filter, newest first, below a sequence.
 *
 * Looks at windows of sequences from the end: wider ones while few messages are in them, narrower ones while many are.
 *
 * Message by message, and not by batches: for each batch the server counts all that matches its filter from there on
 * (25 ms among 145,000 executions, 0.1 ms for a message alone). For the same reason it begins, where much may match, by
 * reading whatever there is: the newest message of a filter is found among all that match it.
 */
export async function* readBackwards(
  nats: Nats,
  stream: string,
  filter: string,
  { before = Infinity, isBroad = false }: BackwardsOptions = {},
): AsyncGenerator<StoredMsg> {
  const matches = subjectMatcher(filter);
  let wanted = isBroad ? ">" : filter;
  const newest = isBroad ? await lastSequence(nats, stream) : await newestSequence(nats, stream, filter);
  let high = Math.min(before - 1, newest);
  let window = WINDOW;
  let [read, matched] = [0, 0];
  while (high >= 1) {
    const low = Math.max(1, high - window + 1);
    const inside = await readWindow(nats, stream, wanted, low, high);
    if (inside === undefined) {
      window = Math.ceil(window / 8);
      continue;
    }
    const found = inside.filter(({ subject }) => matches(subject));
    yield* found.reverse();
    high = low - 1;
    if (inside.length < FEW) window *= 4;
    read += inside.length;
    matched += found.length;
    if (wanted !== filter && read >= SAMPLE && matched * MIN_SHARE < read) {
      wanted = filter;
      high = Math.min(high, await newestSequence(nats, stream, filter));
    }
  }
}

/** The messages of a window, oldest first; `undefined` where there are too many. */
async function readWindow(
  nats: Nats,
  stream: string,
  filter: string,
  low: number,
  high: number,
): Promise<StoredMsg[] | undefined> {
  const next = (seq: number) => nats.jsm.direct.getMessage(stream, { seq, next_by_subj: filter });
  const first = await next(low);
  if (first === null || first.seq > high) return [];
  let count = 1;
  const width = Math.ceil((high - first.seq) / PARALLEL);
  const starts = width === 0 ? [] : Array.from({ length: PARALLEL }, (_, index) => first.seq + 1 + index * width);
  const parts = await Promise.all(starts.map(async (start) => {
    const part: StoredMsg[] = [];
    const end = Math.min(start + width - 1, high);
    for (let seq = start; seq <= end && count <= MANY;) {
      const message = await next(seq);
      if (message === null || message.seq > end) break;
      part.push(message);
      count++;
      seq = message.seq + 1;
    }
    return part;
  }));
  return count > MANY ? undefined : [first, ...parts.flat()];
}

/** Whether a subject matches a filter whose wildcards stand for one part each, or for all that follows. */
function subjectMatcher(filter: string): (subject: string) => boolean {
  const wanted = filter.split(".");
  return (subject) => {
    const parts = subject.split(".");
    return wanted.every((part, index) =>
      part === ">" ? parts.length > index : parts[index] !== undefined && (part === "*" || part === parts[index])
    ) && (wanted.at(-1) === ">" || parts.length === wanted.length);
  };
}

async function readPage(
  nats: Nats,
  stream: string,
  filter: string,
  from: number,
): Promise<StoredMsg[]> {
  const page: StoredMsg[] = [];
  const query = { seq: from, next_by_subj: filter, batch: PAGE };
  try {
    for await (const message of await nats.jsm.direct.getBatch(stream, query)) page.push(message);
  } catch (error) {
    if (!isEmpty(error)) throw error;
  }
  return page;
}

async function lastSequence(nats: Nats, stream: string): Promise<number> {
  return (await nats.jsm.streams.info(stream)).state.last_seq;
}

async function newestSequence(nats: Nats, stream: string, filter: string): Promise<number> {
  const newest = await nats.jsm.direct.getMessage(stream, { last_by_subj: filter });
  return newest?.seq ?? 0;
}

function isEmpty(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 404;
}

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
const MIN_WINDOW = 64;

/** The messages of a stream that match a filter, oldest first, from a sequence on. */
export async function* readForwards(nats: Nats, stream: string, filter: string, from = 1): AsyncGenerator<StoredMsg> {
  for (let next = from;;) {
    const page = await readPage(nats, stream, filter, next);
    yield* page;
    if (page.length < PAGE) return;
    next = page.at(-1)!.seq + 1;
  }
}

/**
 * The messages of a stream that match a filter, newest first, below a sequence.
 *
 * Looks at windows of sequences from the end: wider ones while few messages match, narrower ones while many do.
 */
export async function* readBackwards(
  nats: Nats,
  stream: string,
  filter: string,
  before = Infinity,
): AsyncGenerator<StoredMsg> {
  const newest = await newestSequence(nats, stream, filter);
  let high = Math.min(before - 1, newest);
  let window = MIN_WINDOW;
  while (high >= 1) {
    const low = Math.max(1, high - window + 1);
    const page = await readPage(nats, stream, filter, low, Math.min(PAGE, window));
    const isWhole = page.length < Math.min(PAGE, window) || page.at(-1)!.seq >= high || low === high;
    if (!isWhole) {
      window = Math.max(1, Math.floor(window / 8));
      continue;
    }
    const found = page.filter((message) => message.seq <= high);
    yield* found.reverse();
    high = low - 1;
    if (found.length < PAGE / 4) window *= 4;
  }
}

async function readPage(
  nats: Nats,
  stream: string,
  filter: string,
  from: number,
  batch = PAGE,
): Promise<StoredMsg[]> {
  const page: StoredMsg[] = [];
  const query = { seq: from, next_by_subj: filter, batch };
  try {
    for await (const message of await nats.jsm.direct.getBatch(stream, query)) page.push(message);
  } catch (error) {
    if (!isEmpty(error)) throw error;
  }
  return page;
}

async function newestSequence(nats: Nats, stream: string, filter: string): Promise<number> {
  const newest = await nats.jsm.direct.getMessage(stream, { last_by_subj: filter });
  return newest?.seq ?? 0;
}

function isEmpty(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 404;
}

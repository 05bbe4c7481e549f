/**
 * Compaction: what of a state is moved to the data stream, so that a step costs the same however long the execution is.
 *
 * @module
 */

import { getOwn, setOwn } from "../json.ts";
import { hasEnded, type State, type Stored } from "./state.ts";

/** The largest value that is kept inline, in bytes of JSON. */
export const INLINE_VALUE_BYTES = 2_048;

/** How much of inline results a head may carry beside the latest, in bytes of JSON. */
export const INLINE_RESULT_BYTES = 2_048;

/** After how many chunks of earlier results they are put together anew, as few as will do. */
export const MAX_CHUNKS = 32;

/** How large a chunk of results may be, in characters of JSON. */
export const CHUNK_BYTES = 256 * 1_024;

/**
 * The results to be moved to the data stream together, or `undefined` where the head is small enough.
 *
 * Only inline ones: a reference is small, and who reads the head can tell from it alone which values are still needed.
 * The last head may carry more, for nothing follows that would carry it on.
 *
 * @param chunkBytes How large a chunk may be.
 */
export function overflow(state: State, chunkBytes = CHUNK_BYTES): Readonly<Record<string, Stored>> | undefined {
  const limit = hasEnded(state.phase) ? chunkBytes / 4 : INLINE_RESULT_BYTES;
  if (state.inlineBytes <= limit || state.inlineBytes - latestBytes(state) <= limit) return undefined;
  const moved: Record<string, Stored> = {};
  let count = 0;
  for (const [node, stored] of Object.entries(state.results)) {
    if (node === state.payload.from || "ref" in stored) continue;
    setOwn(moved, node, stored);
    count++;
  }
  return count === 0 ? undefined : moved;
}

function latestBytes({ payload: { from }, results }: State): number {
  const latest = from === undefined ? undefined : getOwn(results, from);
  return latest !== undefined && "value" in latest ? JSON.stringify(latest.value).length : 0;
}

/** Results in as few parts as will do, none larger than a chunk may be, unless one result alone is. */
export function inChunks(
  results: Readonly<Record<string, Stored>>,
  chunkBytes = CHUNK_BYTES,
): Readonly<Record<string, Stored>>[] {
  const chunks: Record<string, Stored>[] = [];
  let size = Infinity;
  for (const [node, stored] of Object.entries(results)) {
    const bytes = JSON.stringify(stored).length + node.length + 4;
    if (size + bytes > chunkBytes) {
      chunks.push({});
      size = 2;
    }
    setOwn(chunks.at(-1)!, node, stored);
    size += bytes;
  }
  return chunks;
}

/** The state after some results were moved to the data stream, at `ref`. */
export function withChunk(state: State, moved: Readonly<Record<string, Stored>>, ref: number): State {
  const results: Record<string, Stored> = {};
  let inlineBytes = 0;
  for (const [node, stored] of Object.entries(state.results)) {
    if (getOwn(moved, node) !== undefined) continue;
    setOwn(results, node, stored);
    if ("value" in stored) inlineBytes += JSON.stringify(stored.value).length;
  }
  return { ...state, results, inlineBytes, chunks: [...state.chunks ?? [], ref] };
}

/** The sequences in the data stream that a state names and its successor does not. */
export function droppedRefs(previous: State, next: State): number[] {
  // Most steps change no chunk, and have no other references.
  const { chunks = [] } = previous;
  const before = refs(previous, chunks === next.chunks ? [] : chunks);
  if (before.length === 0) return before;
  const kept = new Set(refs(next, next.chunks ?? []));
  return before.filter((ref) => !kept.has(ref));
}

function refs(state: State, chunks: readonly number[]): number[] {
  const found = [...chunks];
  for (const stored of Object.values(state.results)) if ("ref" in stored) found.push(stored.ref);
  for (const stored of Object.values(state.signals ?? {})) if ("ref" in stored) found.push(stored.ref);
  return found;
}

/**
 * Compaction: what of a state is moved to the data stream, so that a step costs the same however long the execution is.
 *
 * @module
 */

import { getOwn, setOwn } from "../json.ts";
import type { State, Stored } from "./state.ts";

/** The largest value that is kept inline, in bytes of JSON. */
export const INLINE_VALUE_BYTES = 2_048;

/** How much of inline results a head may carry, in bytes of JSON. */
export const INLINE_RESULT_BYTES = 4_096;

/** How many chunks of earlier results a head may name before they are made one. */
export const MAX_CHUNKS = 32;

/**
 * The results to be moved to the data stream together, or `undefined` where the head is small enough.
 *
 * Only inline ones: a reference is small, and who reads the head can tell from it alone which values are still needed.
 */
export function overflow(state: State): Readonly<Record<string, Stored>> | undefined {
  if (state.inlineBytes <= INLINE_RESULT_BYTES) return undefined;
  const moved: Record<string, Stored> = {};
  let count = 0;
  for (const [node, stored] of Object.entries(state.results)) {
    if (node === state.payload.from || "ref" in stored) continue;
    setOwn(moved, node, stored);
    count++;
  }
  return count === 0 ? undefined : moved;
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
  const kept = new Set(refs(next));
  return refs(previous).filter((ref) => !kept.has(ref));
}

function refs(state: State): number[] {
  const found = [...state.chunks ?? []];
  for (const stored of Object.values(state.results)) if ("ref" in stored) found.push(stored.ref);
  for (const stored of Object.values(state.signals ?? {})) if ("ref" in stored) found.push(stored.ref);
  return found;
}

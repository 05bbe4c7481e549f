/**
 * An in-memory data stream. What was discarded is gone: to read it is an error, not a value to be loaded.
 *
 * @module
 */

import { decodeState, encodeState } from "../codec.ts";
import { droppedRefs, inChunks, overflow, withChunk } from "../compact.ts";
import type { Json } from "../../json.ts";
import type { State, Stored } from "../state.ts";
import { allResults, type Load, MissingValues } from "../values.ts";

/** So small that results are spread over chunks, and put together anew, in short flows too. */
const SMALL_CHUNK_BYTES = 6_000;

/** Values by reference. */
export class MemoryStore {
  readonly #texts = new Map<number, string>();
  #last = 0;

  /** Stores a value. */
  put(value: unknown): { ref: number; size: number } {
    const text = JSON.stringify(value);
    this.#texts.set(++this.#last, text);
    return { ref: this.#last, size: text.length };
  }

  /** Runs something that reads values, and hands it what it misses, one load after the other. */
  loading<T>(run: (load: Load) => T): T {
    const held = new Set<number>();
    const read = (ref: number) => {
      if (!held.has(ref)) throw new MissingValues([ref]);
      return JSON.parse(this.#texts.get(ref)!);
    };
    for (;;) {
      try {
        return run({ value: read, chunk: read });
      } catch (error) {
        if (!(error instanceof MissingValues)) throw error;
        for (const ref of error.refs) {
          if (!this.#texts.has(ref)) throw new Error(`value ${ref} is gone, and still needed`);
          held.add(ref);
        }
      }
    }
  }

  /** The state, with results moved here where it is too large, as it is read back from its head. */
  compacted(previous: State | undefined, stamped: State): State {
    let state = stamped;
    const moved = overflow(state, SMALL_CHUNK_BYTES);
    if (moved !== undefined) {
      for (const chunk of inChunks(moved, SMALL_CHUNK_BYTES)) state = withChunk(state, chunk, this.put(chunk).ref);
      if (state.chunks!.length > 3) {
        const all = this.loading((load) => allResults({ ...state, results: {} }, load));
        state = { ...state, chunks: inChunks(all, SMALL_CHUNK_BYTES).map((chunk) => this.put(chunk).ref) };
      }
    }
    if (previous !== undefined) { for (const ref of droppedRefs(previous, state)) this.#texts.delete(ref); }
    return decodeState(encodeState(state));
  }

  /** A value as it is kept in a state: now inline, now by reference. */
  stored(value: Json, byReference: boolean): Stored {
    return byReference ? this.put(value) : { value };
  }
}

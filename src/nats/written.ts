/**
 * Heads that were written here and are about to be delivered here: what we know we need not decode.
 *
 * @module
 */

import type { Head } from "./head.ts";

/**
 * How many are remembered, and how long their bodies may be together: what is written now is delivered behind all that
 * was ready before it.
 */
const MAX_HEADS = 4_096;
const MAX_LENGTH = 16 << 20;

interface Written {
  readonly head: Head;
  readonly length: number;
}

/** Remembers the latest heads that were written, each until it is delivered. */
export class WrittenHeads {
  /** The oldest first. */
  readonly #heads = new Map<number, Written>();
  #length = 0;
  #isRemembering = false;

  /** Begins to remember, or stops and forgets all. */
  remember(isRemembering: boolean): void {
    this.#isRemembering = isRemembering;
    this.forget();
  }

  /** Takes a head in that is work to be delivered. `length` is that of its body. */
  add(head: Head, length: number): void {
    if (!this.#isRemembering || head.phase !== "ready") return;
    this.#heads.set(head.revision, { head, length });
    this.#length += length;
    for (const oldest of this.#heads.values()) {
      if (this.#heads.size <= MAX_HEADS && this.#length <= MAX_LENGTH) return;
      this.#remove(oldest);
    }
  }

  /** The head with a revision, of an execution; `undefined` where it is not remembered. */
  take(revision: number, flow: string, id: string): Head | undefined {
    const written = this.#heads.get(revision);
    if (written === undefined) return undefined;
    this.#remove(written);
    const { head } = written;
    return head.state.flow === flow && head.state.id === id ? head : undefined;
  }

  /** Forgets all: a stream that was made anew, or restored, counts its messages from the start. */
  forget(): void {
    this.#heads.clear();
    this.#length = 0;
  }

  #remove({ head, length }: Written): void {
    this.#heads.delete(head.revision);
    this.#length -= length;
  }
}

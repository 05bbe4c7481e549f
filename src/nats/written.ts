/**
 * Heads that were written here and are about to be delivered here: what we know we need not decode.
 *
 * @module
 */

import type { Head } from "./head.ts";

/**
 * How many are remembered, and how much of inline results they may hold, in bytes of JSON: what is written now is
 * delivered behind all that was ready before it.
 */
const MAX_HEADS = 4_096;
const MAX_BYTES = 4 << 20;

/** Remembers the latest heads that were written, each until it is delivered. */
export class WrittenHeads {
  /** The oldest first. */
  readonly #heads = new Map<number, Head>();
  #bytes = 0;
  #isRemembering = false;

  /** Begins to remember, or stops and forgets all. */
  remember(isRemembering: boolean): void {
    this.#isRemembering = isRemembering;
    this.forget();
  }

  /** Takes a head in that is work to be delivered. */
  add(head: Head): void {
    if (!this.#isRemembering || head.phase !== "ready") return;
    this.#heads.set(head.revision, head);
    this.#bytes += head.state.inlineBytes;
    for (const oldest of this.#heads.values()) {
      if (this.#heads.size <= MAX_HEADS && this.#bytes <= MAX_BYTES) return;
      this.#remove(oldest);
    }
  }

  /** The head with a revision, of an execution; `undefined` where it is not remembered. */
  take(revision: number, flow: string, id: string): Head | undefined {
    const head = this.#heads.get(revision);
    if (head === undefined) return undefined;
    this.#remove(head);
    return head.state.flow === flow && head.state.id === id ? head : undefined;
  }

  /** Forgets all: a stream that was made anew, or restored, counts its messages from the start. */
  forget(): void {
    this.#heads.clear();
    this.#bytes = 0;
  }

  #remove(head: Head): void {
    this.#heads.delete(head.revision);
    this.#bytes -= head.state.inlineBytes;
  }
}

/**
 * Heads that were written here and are about to be delivered here: what we know we need not decode.
 *
 * @module
 */

import type { Head } from "./head.ts";

/** Remembers the latest heads that were written, each until it is delivered. */
export class WrittenHeads {
  readonly #heads = new Map<number, Head>();
  #limit = 0;

  /** Remembers up to so many from now on; none where it is 0. */
  remember(limit: number): void {
    this.#limit = limit;
    this.forget();
  }

  /** Takes a head in that is work to be delivered. */
  add(head: Head): void {
    if (this.#limit === 0 || head.phase !== "ready") return;
    this.#heads.set(head.revision, head);
    if (this.#heads.size <= this.#limit) return;
    for (const oldest of this.#heads.keys()) {
      this.#heads.delete(oldest);
      break;
    }
  }

  /** The head with a revision, of an execution; `undefined` where it is not remembered. */
  take(revision: number, flow: string, id: string): Head | undefined {
    const head = this.#heads.get(revision);
    if (head === undefined) return undefined;
    this.#heads.delete(revision);
    return head.state.flow === flow && head.state.id === id ? head : undefined;
  }

  /** Forgets all: a stream that was made anew, or restored, counts its messages from the start. */
  forget(): void {
    this.#heads.clear();
  }
}

/**
 * The server's time.
 *
 * Every time in a head is the NATS server's, so that no decision depends on two machines' clocks agreeing. Between two
 * looks at the server the monotonic clock counts, so that a step of the machine's own clock changes nothing. That one
 * stands still while the machine sleeps: where the two come apart, what was learnt is too old at once.
 *
 * @module
 */

/** How far the machine's two clocks may come apart between two looks, in milliseconds: far more than they are slewed. */
const APART_MS = 1_000;

/** An estimate of the server's time. */
export class ServerClock {
  #offset: number | undefined;
  #syncedAt = -Infinity;
  #wallAhead = 0;

  /** The time, in milliseconds since the epoch; the machine's own until the first {@linkcode ServerClock.observe}. */
  now(): number {
    return this.#offset === undefined ? Date.now() : Math.round(performance.now() + this.#offset);
  }

  /** How long ago the server's time was last seen, in milliseconds; `Infinity` where the machine has slept since. */
  age(): number {
    if (Math.abs(Date.now() - performance.now() - this.#wallAhead) > APART_MS) return Infinity;
    return performance.now() - this.#syncedAt;
  }

  /** Learns the server's time from an answer, where it carries it. `askedAt` is `performance.now()` of the question. */
  observe(answer: object, askedAt: number): void {
    // Every answer about a stream has it; the client's types do not say so.
    const time = Date.parse((answer as { ts?: string }).ts ?? "");
    if (!Number.isFinite(time)) return;
    const answeredAt = performance.now();
    this.#offset = time - (askedAt + answeredAt) / 2;
    this.#syncedAt = answeredAt;
    this.#wallAhead = Date.now() - answeredAt;
  }
}

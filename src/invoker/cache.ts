/**
 * The result cache: one recorded result per attempt, so that a redelivery does not repeat what has been done.
 *
 * - C1: a first delivery looks at nothing: it runs, then records, in one write. Nobody else can have run it.
 * - C2: any other delivery looks first. Where nothing is recorded it claims the attempt before it runs it: of all that
 *   look at once, one runs and the others wait for its result. A claim that is not renewed expires.
 * - C3: the first record of an attempt stays, and whoever comes second takes it for its own.
 * - C4: what throws is not recorded, and gives its claim back.
 * - C5: a look, or a claim, that is not answered is made again. It says nothing of the attempt, which must not fail by it.
 *
 * The cache never stands in the way: a record that cannot be written is reported, and the result is used all the same.
 *
 * @module
 */

/** Which attempt a result is of. */
export interface ResultKey {
  /** The attempt's idempotency key, with a prefix for who runs it. */
  readonly name: string;
  /** When its execution started: tells it from an earlier execution of the same id. */
  readonly born: number;
}

/** What is recorded of an attempt. `revision` is what the next write expects to find. */
export type Found<T> =
  | { readonly type: "nothing"; readonly revision: number }
  | { readonly type: "result"; readonly revision: number; readonly result: T }
  | { readonly type: "claim"; readonly revision: number; readonly leftMs: number };

/** A result, or the claim of somebody who is about to have one. */
export type Entry<T> = { readonly result: T } | { readonly claimMs: number };

/** Keeps what is recorded of attempts. */
export interface ResultRecords<T> {
  /** What is recorded; a claim that has expired is nothing. */
  find(key: ResultKey): Promise<Found<T>>;
  /** Records something in place of the revision that was found. The new revision; `undefined` where it has changed. */
  write(key: ResultKey, entry: Entry<T>, revision: number): Promise<number | undefined>;
}

/** How an attempt is run through the cache. */
export interface ThroughOptions {
  /** Nobody can have run this attempt before. */
  readonly isFirst: boolean;
  /** Nobody wants the result any more: ends the waiting for somebody else's. */
  isStopped(): boolean;
}

/** Runs attempts, or knows how they ended. */
export interface Results<T> {
  /** The recorded result of an attempt, or else the one that `run` gives, which is recorded. */
  through(key: ResultKey, options: ThroughOptions, run: () => Promise<T>): Promise<T>;
}

/** No cache: everything is run. */
export const UNCACHED: Results<never> = { through: (_key, _options, run) => run() };

/** What a cache is made of. */
export interface ResultCacheOptions<T> {
  readonly records: ResultRecords<T>;
  /** How long a claim holds after it was made or renewed, in milliseconds. */
  readonly claimMs: number;
  /** Does something again until it is answered; `undefined` where it is stopped before. Once, where absent. */
  untilAnswered?<R>(run: () => Promise<R>, isStopped: () => boolean): Promise<R | undefined>;
  /** Whether a recorded result can still be used; it is run again where not. */
  isUsable?(result: T): Promise<boolean>;
  /** A result could not be recorded, or a claim not renewed or given back. */
  failed(key: ResultKey, error: unknown): void;
}

const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 500;

/** Runs each attempt once, as far as its records are seen by all who would run it. */
export class ResultCache<T> implements Results<T> {
  readonly #options: ResultCacheOptions<T>;
  readonly #calls = new Map<string, Promise<T>>();

  /** Creates a cache over records that others may share. No I/O. */
  constructor(options: ResultCacheOptions<T>) {
    this.#options = options;
  }

  /** The recorded result of an attempt, or else the one that `run` gives, which is recorded. */
  through(key: ResultKey, options: ThroughOptions, run: () => Promise<T>): Promise<T> {
    const name = `${key.name}@${key.born}`;
    let call = this.#calls.get(name);
    if (call === undefined) {
      call = this.#call(key, options, run).finally(() => this.#calls.delete(name));
      this.#calls.set(name, call);
    }
    return call;
  }

  async #call(key: ResultKey, { isFirst, isStopped }: ThroughOptions, run: () => Promise<T>): Promise<T> {
    if (isFirst) return await this.#record(key, await run(), 0);
    const { records, claimMs, untilAnswered = (ask) => ask() } = this.#options;
    for (let pause = FIRST_PAUSE_MS; !isStopped(); pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      const found = await untilAnswered(() => this.#find(key), isStopped);
      if (found === undefined) break;
      if (found.type === "result") return found.result;
      if (found.type === "claim") {
        await new Promise((resolve) => setTimeout(resolve, Math.min(pause, found.leftMs)));
        continue;
      }
      const revision = await untilAnswered(() => records.write(key, { claimMs }, found.revision), isStopped);
      if (revision !== undefined) return await this.#claimed(key, run, revision);
    }
    throw new Error("aborted while somebody else was at this attempt");
  }

  async #claimed(key: ResultKey, run: () => Promise<T>, revision: number): Promise<T> {
    const claim = new Claim(this.#options, key, revision);
    let result: T;
    try {
      result = await run();
    } catch (error) {
      await claim.release();
      throw error;
    }
    return await this.#record(key, result, await claim.end());
  }

  /** Records a result, unless another was recorded first: that one counts (C3). */
  async #record(key: ResultKey, result: T, revision: number): Promise<T> {
    try {
      for (let expected = revision;;) {
        if (await this.#options.records.write(key, { result }, expected) !== undefined) return result;
        const found = await this.#find(key);
        if (found.type === "result") return found.result;
        expected = found.revision;
      }
    } catch (error) {
      this.#options.failed(key, error);
      return result;
    }
  }

  async #find(key: ResultKey): Promise<Found<T>> {
    const found = await this.#options.records.find(key);
    if (found.type !== "result" || await this.#options.isUsable?.(found.result) !== false) return found;
    return { type: "nothing", revision: found.revision };
  }
}

/** A claim that is renewed until it is ended. */
class Claim<T> {
  readonly #options: ResultCacheOptions<T>;
  readonly #key: ResultKey;
  readonly #timer: ReturnType<typeof setInterval>;
  #revision: number;
  #renewing: Promise<void> | undefined;

  constructor(options: ResultCacheOptions<T>, key: ResultKey, revision: number) {
    this.#options = options;
    this.#key = key;
    this.#revision = revision;
    this.#timer = setInterval(() => this.#renew(), options.claimMs / 3);
  }

  /** Renews it no more. Returns the revision it has come to. */
  async end(): Promise<number> {
    clearInterval(this.#timer);
    await this.#renewing;
    return this.#revision;
  }

  /** Gives it back, so that nobody waits for it to expire. */
  async release(): Promise<void> {
    const revision = await this.end();
    await this.#write(0, revision);
  }

  #renew(): void {
    this.#renewing ??= this.#write(this.#options.claimMs, this.#revision).finally(() => this.#renewing = undefined);
  }

  async #write(claimMs: number, revision: number): Promise<void> {
    const { records, failed } = this.#options;
    try {
      this.#revision = await records.write(this.#key, { claimMs }, revision) ?? this.#revision;
    } catch (error) {
      failed(this.#key, error);
    }
  }
}

/**
 * Records of results: a key-value bucket with an entry for each attempt.
 *
 * - R8: what is decided on is read from the leader.
 * - R9: a lost compare-and-set means: look again.
 *
 * @module
 */

import { Kvm } from "@nats-io/kv";
import { StorageType } from "@nats-io/jetstream";
import { headers, nanos } from "@nats-io/nats-core";
import type { Entry, Found, ResultKey, ResultRecords } from "../invoker/cache.ts";
import { isConflict, isNotFound, type Nats, packtrailError, publish } from "../nats/client.ts";
import { byteLength } from "./result.ts";

/** An entry is not recorded: it is too large for one message. */
export class ResultTooLargeError extends Error {
  /** Creates the error. */
  constructor(size: number, limit: number) {
    super(`the result is ${size} bytes, the NATS server takes ${limit} (max_payload)`);
    this.name = "ResultTooLargeError";
  }
}

/** The server counts the headers of a message, too. */
const HEADER_BYTES = 256;

/** Makes the bucket where it is missing, and sets how long it keeps results. */
export async function provisionResults(nats: Nats, ttlMs: number, replicas: number): Promise<void> {
  const { names, js, jsm } = nats;
  const options = { replicas, storage: StorageType.File, ttl: ttlMs };
  try {
    await new Kvm(js).create(names.resultBucket, options);
    const { config } = await jsm.streams.info(`KV_${names.resultBucket}`);
    if (config.max_age === nanos(ttlMs)) return;
    const window = Math.min(config.duplicate_window, nanos(ttlMs));
    await jsm.streams.update(config.name, { max_age: nanos(ttlMs), duplicate_window: window });
  } catch (error) {
    throw packtrailError(error, "setting up the result cache");
  }
}

/** Keeps the results of a namespace. */
export class KvResults<T> implements ResultRecords<T> {
  readonly #nats: Nats;

  /** Creates them over the namespace's bucket. No I/O. */
  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /** What is recorded; a claim that has expired, and what is of an earlier execution of the same id, is nothing. */
  async find(key: ResultKey): Promise<Found<T>> {
    const { jsm, names, clock } = this.#nats;
    try {
      const message = await jsm.streams.getMessage(`KV_${names.resultBucket}`, { last_by_subj: this.#subject(key) });
      if (message === null) return { type: "nothing", revision: 0 };
      const revision = message.seq;
      const entry = parseEntry<T>(message.string());
      if (entry?.born !== key.born) return { type: "nothing", revision };
      if ("result" in entry) return { type: "result", revision, result: entry.result };
      const leftMs = message.time.getTime() + entry.claimMs - clock.now();
      return leftMs > 0 ? { type: "claim", revision, leftMs } : { type: "nothing", revision };
    } catch (error) {
      if (isNotFound(error)) return { type: "nothing", revision: 0 };
      throw packtrailError(error, `looking for a result of ${key.name}`);
    }
  }

  /** Records something in place of the revision that was found. The new revision; `undefined` where it has changed. */
  async write(key: ResultKey, entry: Entry<T>, revision: number): Promise<number | undefined> {
    const body = JSON.stringify({ born: key.born, ...entry });
    const limit = (this.#nats.nc.info?.max_payload ?? Infinity) - HEADER_BYTES;
    const size = byteLength(body, limit);
    if (size > limit) throw new ResultTooLargeError(size, limit);
    const fence = headers();
    fence.set("Nats-Expected-Last-Subject-Sequence", String(revision));
    try {
      return await publish(this.#nats, this.#subject(key), body, { headers: fence });
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw packtrailError(error, `recording a result of ${key.name}`);
    }
  }

  #subject(key: ResultKey): string {
    return `$KV.${this.#nats.names.resultBucket}.${key.name}`;
  }
}

type StoredEntry<T> = Entry<T> & { born: number };

function parseEntry<T>(text: string): StoredEntry<T> | undefined {
  try {
    const entry = JSON.parse(text) as StoredEntry<T> | null;
    const isEntry = typeof entry === "object" && entry !== null && ("result" in entry || "claimMs" in entry);
    return isEntry ? entry : undefined;
  } catch {
    return undefined;
  }
}

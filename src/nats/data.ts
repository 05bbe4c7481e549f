/**
 * Values too large for a head: stored once in the data stream, referred to by sequence, cached by the engine.
 *
 * A value is written before the head that refers to it. A head that loses its compare-and-set leaves the value behind;
 * `reconcile` removes it.
 *
 * @module
 */

import { type Load, MissingValues } from "../core/values.ts";
import type { Stored } from "../core/state.ts";
import { NotFoundError } from "../errors.ts";
import type { Json } from "../json.ts";
import { isNotFound, type Nats, packtrailError, publish } from "./client.ts";

/** How many bytes of values an engine keeps at hand. */
export const CACHE_BYTES: number = 64 * 1024 * 1024;

const PARALLEL_READS = 16;

/** A value that a head refers to is gone: the head that did is no longer the newest, or someone deleted the value. */
export class ValueGoneError extends NotFoundError {
  /** Creates the error. */
  constructor(ref: number) {
    super(`value ${ref} of the data stream is gone: it was deleted although an execution refers to it`);
  }
}

/** Stores and reads large values. */
export class DataStore implements Load {
  readonly #nats: Nats;
  readonly #writer: string;
  /** The least recently used first. */
  readonly #cache = new Map<number, string>();
  #cachedBytes = 0;
  /** Reads under way: whoever wants the same value waits for the same one. */
  readonly #reading = new Map<number, Promise<string>>();
  #writes = 0;

  /** `writer` tells this writer from all others. */
  constructor(nats: Nats, writer: string) {
    this.#nats = nats;
    this.#writer = writer;
  }

  /** Stores a value of an execution, given as JSON text. Returns what refers to it. */
  async put(id: string, text: string): Promise<{ ref: number; size: number }> {
    const write = `${this.#writer}-${(++this.#writes).toString(36)}`;
    try {
      const seq = await publish(this.#nats, this.#nats.names.data(id, write), text);
      this.#remember(seq, text);
      return { ref: seq, size: text.length };
    } catch (error) {
      throw packtrailError(error, `storing a value of execution ${id}`);
    }
  }

  /** Runs something that reads values, and loads what it misses, until it misses nothing. */
  async loading<T>(run: (load: Load) => T): Promise<T> {
    try {
      return run(this);
    } catch (error) {
      if (!(error instanceof MissingValues)) throw error;
    }
    const held = new Map<number, string>();
    await this.#fetchFor(run, held);
    return run(this.#holding(held));
  }

  /** Makes sure that what `run` reads is at hand. Returns a load that has it for as long as it is held. */
  async loadedFor(run: (load: Load) => unknown): Promise<Load> {
    const held = new Map<number, string>();
    await this.#fetchFor(run, held);
    return this.#holding(held);
  }

  /** Makes sure that values are at hand, for a while. Returns a load that has them for as long as it is held. */
  async loaded(refs: readonly number[]): Promise<Load> {
    const held = new Map<number, string>();
    await this.#fetch(refs, held);
    return this.#holding(held);
  }

  /** @throws {MissingValues} Where the value is not at hand. */
  value(ref: number): Json {
    return JSON.parse(this.#text(ref));
  }

  /** @throws {MissingValues} Where the results are not at hand. */
  chunk(ref: number): Readonly<Record<string, Stored>> {
    return JSON.parse(this.#text(ref));
  }

  /** Deletes values that nothing refers to any more. What fails is left to `reconcile`. */
  discard(refs: readonly number[]): void {
    for (const ref of refs) {
      this.#forget(ref);
      this.#nats.jsm.streams.deleteMessage(this.#nats.names.dataStream, ref, false).catch(() => {});
    }
  }

  /** Removes what an execution that is gone has left: its values up to the latest that it referred to. */
  async removeAll(id: string, refs: readonly number[]): Promise<void> {
    if (refs.length === 0) return;
    refs.forEach((ref) => this.#forget(ref));
    const { names, jsm } = this.#nats;
    try {
      await jsm.streams.purge(names.dataStream, { filter: names.dataOf(id), seq: Math.max(...refs) + 1 });
    } catch (error) {
      throw packtrailError(error, `removing the values of execution ${id}`);
    }
  }

  #text(ref: number, held?: Map<number, string>): string {
    const text = this.#cache.get(ref) ?? held?.get(ref);
    if (text === undefined) throw new MissingValues([ref]);
    held?.set(ref, text);
    return text;
  }

  #holding(held: Map<number, string>): Load {
    return {
      value: (ref) => JSON.parse(this.#text(ref, held)),
      chunk: (ref) => JSON.parse(this.#text(ref, held)),
    };
  }

  /** Fetches what `run` misses, until it misses nothing. */
  async #fetchFor(run: (load: Load) => unknown, held: Map<number, string>): Promise<void> {
    const load = this.#holding(held);
    for (;;) {
      try {
        run(load);
        return;
      } catch (error) {
        if (!(error instanceof MissingValues)) throw error;
        await this.#fetch(error.refs, held);
      }
    }
  }

  async #fetch(refs: readonly number[], held: Map<number, string>): Promise<void> {
    const missing = refs.filter((ref) => {
      const cached = this.#cache.get(ref);
      if (cached !== undefined) held.set(ref, cached);
      return cached === undefined && !held.has(ref);
    });
    for (let start = 0; start < missing.length; start += PARALLEL_READS) {
      await Promise.all(
        missing.slice(start, start + PARALLEL_READS).map(async (ref) => {
          held.set(ref, await this.#read(ref));
        }),
      );
    }
  }

  #read(ref: number): Promise<string> {
    let reading = this.#reading.get(ref);
    if (reading === undefined) {
      reading = this.#readStored(ref).finally(() => this.#reading.delete(ref));
      this.#reading.set(ref, reading);
    }
    return reading;
  }

  async #readStored(ref: number): Promise<string> {
    try {
      const message = await this.#nats.jsm.streams.getMessage(this.#nats.names.dataStream, { seq: ref });
      if (message === null) throw new ValueGoneError(ref);
      const text = message.string();
      this.#remember(ref, text);
      return text;
    } catch (error) {
      if (error instanceof ValueGoneError) throw error;
      if (isNotFound(error)) throw new ValueGoneError(ref);
      throw packtrailError(error, `reading value ${ref}`);
    }
  }

  #remember(ref: number, text: string): void {
    this.#forget(ref);
    this.#cache.set(ref, text);
    this.#cachedBytes += text.length;
    for (const oldest of this.#cache.keys()) {
      if (this.#cachedBytes <= CACHE_BYTES) break;
      this.#forget(oldest);
    }
  }

  #forget(ref: number): void {
    const text = this.#cache.get(ref);
    if (text === undefined) return;
    this.#cache.delete(ref);
    this.#cachedBytes -= text.length;
  }
}

/**
 * The registry of flows: the newest definition of each, and every definition by the hash of its content, so that an
 * execution keeps the definition it started with.
 *
 * @module
 */

import { type KV, Kvm } from "@nats-io/kv";
import { StorageType } from "@nats-io/jetstream";
import { PayloadTooLargeError } from "../errors.ts";
import { buildFlow } from "../flow/mod.ts";
import type { Flow, FlowDef } from "../flow/types.ts";
import { isNoResponders, isNotFound, type Nats, packtrailError, untilHeard } from "./client.ts";

/** A flow with the hash of its definition. */
export interface RegisteredFlow {
  /** The flow. */
  readonly flow: Flow;
  /** The hash of its definition. */
  readonly hash: string;
}

/** One version of a flow: a definition that is or was in use. */
export interface FlowVersion {
  /** The hash of its content: `definition` of the executions that run by it. */
  hash: string;
  /** The definition in its normal form: durations in milliseconds, defaults left out. */
  definition: FlowDef;
  /** Whether new executions start with it. */
  isNewest: boolean;
  /** When it was first registered; absent for one that only this instance has. */
  registeredAt?: Date;
}

/** The hash that names a definition: 128 bits of SHA-256 over its normal form, in hexadecimal. */
export async function definitionHash(definition: FlowDef): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(definition));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads and writes the registry. */
export class FlowRegistry {
  readonly #nats: Nats;
  readonly #known = new Map<string, RegisteredFlow>();
  readonly #loading = new Map<string, Promise<RegisteredFlow | undefined>>();
  #bucket: Promise<KV> | undefined;

  /** Creates the registry of a namespace. No I/O. */
  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /** Makes the bucket where it is missing. */
  async provision(replicas: number): Promise<void> {
    try {
      await new Kvm(this.#nats.js).create(this.#nats.names.flowBucket, { replicas, storage: StorageType.File });
    } catch (error) {
      throw packtrailError(error, "setting up the registry of flows");
    }
  }

  /**
   * Registers a flow: its definition by hash first, then as the newest of its name. Writes only what is new.
   *
   * @throws {PayloadTooLargeError} Where the definition is larger than a message of the NATS server may be.
   */
  async register({ flow, hash }: RegisteredFlow): Promise<void> {
    try {
      const bucket = await this.#open();
      await untilHeard(async () => {
        if (await bucket.get(definitionKey(hash)) === null) {
          await bucket.put(definitionKey(hash), this.#message(flow));
        }
        const newest = await bucket.get(flowKey(flow.name));
        if (newest?.string() !== hash) await bucket.put(flowKey(flow.name), hash);
      });
    } catch (error) {
      throw packtrailError(error, `registering flow ${flow.name}`);
    }
    this.remember({ flow, hash });
  }

  /** Makes a flow known here without asking the registry. */
  remember(registered: RegisteredFlow): void {
    this.#known.set(registered.hash, registered);
  }

  /** The flow of a definition's hash, where it is known here. */
  known(hash: string): RegisteredFlow | undefined {
    return this.#known.get(hash);
  }

  /** The flow of a definition's hash; `undefined` where the registry does not have it. */
  async byHash(hash: string): Promise<RegisteredFlow | undefined> {
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    let found = this.#loading.get(hash);
    if (found === undefined) {
      found = this.#load(hash).finally(() => this.#loading.delete(hash));
      this.#loading.set(hash, found);
    }
    const registered = await found;
    if (registered !== undefined) this.remember(registered);
    return registered;
  }

  /** The newest definition of a flow; `undefined` where the registry does not have it. */
  async newest(name: string): Promise<RegisteredFlow | undefined> {
    const hash = await this.#get(flowKey(name), `looking up flow ${name}`);
    return hash === undefined ? undefined : await this.byHash(hash);
  }

  /** The names of all registered flows, sorted. */
  async names(): Promise<string[]> {
    const stream = `KV_${this.#nats.names.flowBucket}`;
    const prefix = `$KV.${this.#nats.names.flowBucket}.${flowKey("")}`;
    try {
      const info = await this.#nats.jsm.streams.info(stream, { subjects_filter: `${prefix}*` });
      return Object.keys(info.state.subjects ?? {}).map((subject) => subject.slice(prefix.length)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw packtrailError(error, "listing flows");
    }
  }

  /** The definitions of a flow, the newest first. */
  async versions(name: string): Promise<FlowVersion[]> {
    const newest = (await this.newest(name))?.hash;
    const stream = `KV_${this.#nats.names.flowBucket}`;
    const prefix = `$KV.${this.#nats.names.flowBucket}.${definitionKey("")}`;
    const versions: FlowVersion[] = [];
    try {
      const info = await this.#nats.jsm.streams.info(stream, { subjects_filter: `${prefix}*` });
      for (const hash of Object.keys(info.state.subjects ?? {}).map((subject) => subject.slice(prefix.length))) {
        const found = await this.byHash(hash).catch(() => undefined); // one that this version of packtrail cannot read
        if (found?.flow.name !== name) continue;
        const entry = await (await this.#open()).get(definitionKey(hash));
        const { definition } = found.flow;
        versions.push({
          hash,
          definition,
          isNewest: hash === newest,
          ...(entry === null ? {} : { registeredAt: entry.created }),
        });
      }
    } catch (error) {
      if (!isMissing(error)) throw packtrailError(error, `listing the versions of flow ${name}`);
    }
    const rank = ({ isNewest, registeredAt }: FlowVersion) => isNewest ? Infinity : registeredAt?.getTime() ?? 0;
    return versions.sort((left, right) => rank(right) - rank(left));
  }

  async #load(hash: string): Promise<RegisteredFlow | undefined> {
    const text = await this.#get(definitionKey(hash), `reading definition ${hash}`);
    if (text === undefined) return undefined;
    return { flow: buildFlow(JSON.parse(text), { source: `definition ${hash}` }), hash };
  }

  async #get(key: string, action: string): Promise<string | undefined> {
    try {
      const entry = await (await this.#open()).get(key);
      return entry === null || entry.operation !== "PUT" ? undefined : entry.string();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw packtrailError(error, action);
    }
  }

  /** A definition as text that fits into a message. */
  #message({ name, definition }: Flow): string {
    const text = JSON.stringify(definition);
    const size = new TextEncoder().encode(text).length;
    const limit = this.#nats.nc.info?.max_payload ?? Infinity;
    if (size > limit) throw new PayloadTooLargeError(`the definition of flow ${name}`, size, limit);
    return text;
  }

  #open(): Promise<KV> {
    this.#bucket ??= new Kvm(this.#nats.js).open(this.#nats.names.flowBucket);
    return this.#bucket;
  }
}

function isMissing(error: unknown): boolean {
  return isNotFound(error) || isNoResponders(error);
}

function flowKey(name: string): string {
  return `flow.${name}`;
}

function definitionKey(hash: string): string {
  return `definition.${hash}`;
}

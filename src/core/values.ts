/**
 * The values of an execution: results, signals, the shared payload, and the context that expressions and invokers see.
 *
 * Values that live in the data stream are read through a {@linkcode Load}. It is synchronous: where a value is not at
 * hand it throws {@linkcode MissingValues}, the shell loads it and asks again. So `decide` stays pure and loads nothing
 * that it does not look at.
 *
 * @module
 */

import { getOwn, isJsonObject, type Json, type JsonObject, setOwn } from "../json.ts";
import type { Merge, PayloadSource, State, Stored } from "./state.ts";

/** Reads values of the data stream that are at hand. */
export interface Load {
  /** The value that was stored at a sequence. @throws {MissingValues} Where it is not at hand. */
  value(ref: number): Json;
  /** The results that were stored together at a sequence. @throws {MissingValues} Where they are not at hand. */
  chunk(ref: number): Readonly<Record<string, Stored>>;
}

/** Thrown by a {@linkcode Load}: the values must be loaded first. */
export class MissingValues extends Error {
  /** The sequences in the data stream. */
  readonly refs: readonly number[];

  /** Creates the error. */
  constructor(refs: readonly number[]) {
    super(`values ${refs.join(", ")} are not loaded`);
    this.name = "MissingValues";
    this.refs = refs;
  }
}

/** What expressions and invokers see of an execution. */
export interface Context {
  /** The payload of the start. */
  input: Json;
  /** The shared payload. */
  payload: Json;
  /** The latest output of each node, by node id. */
  results: Record<string, Json>;
  /** The payload of each consumed signal, by name. */
  signals: Record<string, Json>;
  /** The outputs of the branches of the current fan-out, by node id. */
  branches: Record<string, Json>;
  /** The node whose output came last. */
  lastNode?: string;
}

/** The value that is stored. */
export function valueOf(stored: Stored, load: Load): Json {
  return "ref" in stored ? load.value(stored.ref) : stored.value;
}

/** The latest output of a node, wherever it is stored. */
export function findResult(state: State, node: string, load: Load): Stored | undefined {
  const own = getOwn(state.results, node);
  if (own !== undefined || state.chunks === undefined) return own;
  for (let index = state.chunks.length - 1; index >= 0; index--) {
    const found = getOwn(load.chunk(state.chunks[index]!), node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The latest output of every node, wherever it is stored. */
export function allResults(state: State, load: Load): Record<string, Stored> {
  const all: Record<string, Stored> = {};
  for (const ref of state.chunks ?? []) {
    for (const [node, stored] of Object.entries(load.chunk(ref))) setOwn(all, node, stored);
  }
  for (const [node, stored] of Object.entries(state.results)) setOwn(all, node, stored);
  return all;
}

/** The shared payload: its source, and what fan-ins and signals merged into it since. */
export function payloadOf(state: State, load: Load): Json {
  const { from, merged } = state.payload;
  const base = from === undefined ? valueOf(state.input, load) : resultOf(state, from, load) ?? null;
  if (merged === undefined) return base;
  const payload: JsonObject = isJsonObject(base) ? { ...base } : { value: base };
  for (const merge of merged) {
    if ("branches" in merge) payload.branches = branchOutputs(state, merge.branches, load);
    else setOwn(payload, merge.signal, signalOf(state, merge.signal, load));
  }
  return payload;
}

/** The context of an execution. Each part is read when it is first looked at. */
export function contextOf(state: State, load: Load): Context {
  return lazy<Context>({
    input: () => valueOf(state.input, load),
    payload: () => payloadOf(state, load),
    results: () => lazyValues(allResults(state, load), load),
    signals: () => lazyValues(state.signals ?? {}, load),
    branches: () => branchOutputs(state, currentBranches(state), load),
    ...(state.lastNode === undefined ? {} : { lastNode: () => state.lastNode! }),
  });
}

/** The context under the names that choice expressions use. */
export function expressionContext(state: State, load: Load): Record<string, Json> {
  const context = contextOf(state, load);
  return lazy<Record<string, Json>>({
    input: () => context.input,
    payload: () => context.payload,
    results: () => context.results,
    signals: () => context.signals,
    branches: () => context.branches,
    last_node: () => context.lastNode ?? null,
  });
}

/** The sequences in the data stream of every value an invoker may look at. */
export function refsOf(state: State): number[] {
  const refs = [...state.chunks ?? []];
  for (const stored of [state.input, ...Object.values(state.results), ...Object.values(state.signals ?? {})]) {
    if ("ref" in stored) refs.push(stored.ref);
  }
  return refs;
}

/** Whether a state refers to anything in the data stream. */
export function hasRefs({ input, results, signals, chunks }: State): boolean {
  if (chunks !== undefined || "ref" in input) return true;
  for (const node in results) if ("ref" in results[node]!) return true;
  for (const name in signals) if ("ref" in signals[name]!) return true;
  return false;
}

/** The shared payload after something was merged into it. */
export function mergedPayload(payload: PayloadSource, merge: Merge): PayloadSource {
  const earlier = (payload.merged ?? []).filter((other) => mergedKey(other) !== mergedKey(merge));
  return { ...payload, merged: [...earlier, merge] };
}

function mergedKey(merge: Merge): string {
  return "branches" in merge ? "branches" : merge.signal;
}

function signalOf(state: State, name: string, load: Load): Json {
  const stored = getOwn(state.signals ?? {}, name);
  return stored === undefined ? null : valueOf(stored, load);
}

function resultOf(state: State, node: string, load: Load): Json | undefined {
  const stored = findResult(state, node, load);
  return stored === undefined ? undefined : valueOf(stored, load);
}

function currentBranches(state: State): string[] {
  return Object.keys(state.branches ?? {}).filter((name) => state.branches![name]!.status === "completed");
}

function branchOutputs(state: State, names: readonly string[], load: Load): JsonObject {
  const outputs: JsonObject = {};
  for (const name of names) {
    const output = resultOf(state, name, load);
    if (output !== undefined) setOwn(outputs, name, output);
  }
  return outputs;
}

function lazyValues(stored: Readonly<Record<string, Stored>>, load: Load): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const [name, item] of Object.entries(stored)) {
    if ("ref" in item) defineLazy(values, name, () => load.value(item.ref));
    else setOwn(values, name, item.value);
  }
  return values;
}

function lazy<T extends object>(fields: { [K in keyof T]: () => T[K] }): T {
  const object = {} as T;
  for (const name of Object.keys(fields) as (keyof T & string)[]) defineLazy(object, name, fields[name]);
  return object;
}

function defineLazy<T extends object>(object: T, name: string, read: () => unknown): void {
  Object.defineProperty(object, name, {
    enumerable: true,
    configurable: true,
    get() {
      const value = read();
      Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      return value;
    },
  });
}

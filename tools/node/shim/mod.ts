/**
 * What the tests use of `Deno`, and of newer JavaScript, on a runtime that has neither. It is for the tests alone: the
 * package is given nothing of it, no global is set.
 *
 * @module
 */

import process from "node:process";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Command } from "./command.ts";
import { files } from "./files.ts";
import { errors, net } from "./net.ts";
import { test } from "./test.ts";

const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows" };

/** Stands in for `Deno` in the tests. */
export const DenoShim = {
  ...files,
  ...net,
  args: process.argv.slice(2) as readonly string[],
  build: { os: SYSTEMS[process.platform] ?? process.platform },
  Command,
  env: { get: (name: string): string | undefined => process.env[name] },
  errors,
  execPath: (): string => process.execPath,
  exit: (code?: number): never => process.exit(code),
  inspect: (value: unknown, options: { depth?: number } = {}): string => inspect(value, options),
  memoryUsage: (): { heapUsed: number } => process.memoryUsage(),
  stdin: {
    get readable(): ReadableStream<Uint8Array> {
      return Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
    },
  },
  test,
};

/** Stands in for `import.meta.main`. */
export function isMain(url: string): boolean {
  return process.argv[1] === fileURLToPath(url);
}

/** Stands in for `Promise.withResolvers`. */
export function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: PromiseWithResolvers<T>["resolve"];
  let reject!: PromiseWithResolvers<T>["reject"];
  const promise = new Promise<T>((done, failed) => [resolve, reject] = [done, failed]);
  return { promise, resolve, reject };
}

/** Stands in for `Array.fromAsync`. */
export async function fromAsync<T, U = T>(
  items: AsyncIterable<T> | Iterable<T>,
  map?: (item: T) => U,
): Promise<U[]> {
  const all: U[] = [];
  for await (const item of items) all.push(map === undefined ? item as unknown as U : map(item));
  return all;
}

/** Stands in for `Map.groupBy`. */
export function groupBy<T, Key>(items: Iterable<T>, keyOf: (item: T, index: number) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    groups.set(key, [...groups.get(key) ?? [], item]);
  }
  return groups;
}

/** Stands in for `Promise.try`. */
export async function promiseTry<T>(run: () => T | Promise<T>): Promise<T> {
  return await run();
}

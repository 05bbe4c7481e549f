/** The files of `Deno`, over `node:fs`. @module */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Entry {
  name: string;
  isFile: boolean;
  isDirectory: boolean;
  isSymlink: boolean;
}

interface Dirent {
  name: string;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function entryOf(entry: Dirent): Entry {
  const [isFile, isDirectory, isSymlink] = [entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()];
  return { name: entry.name, isFile, isDirectory, isSymlink };
}

/** What the tests use of `Deno` to work with files. */
export const files = {
  chmod,
  copyFile,
  makeTempDir: ({ prefix = "" }: { prefix?: string } = {}): Promise<string> => mkdtemp(join(tmpdir(), prefix || "t-")),
  makeTempFile: async ({ prefix = "" }: { prefix?: string } = {}): Promise<string> => {
    const path = join(tmpdir(), `${prefix}${crypto.randomUUID()}`);
    await writeFile(path, "");
    return path;
  },
  mkdir: async (path: string | URL, options: { recursive?: boolean } = {}): Promise<void> => {
    await mkdir(path, options);
  },
  async *readDir(path: string | URL): AsyncGenerator<Entry> {
    for (const entry of await readdir(path, { withFileTypes: true })) yield entryOf(entry);
  },
  readDirSync: (path: string | URL): Entry[] => readdirSync(path, { withFileTypes: true }).map(entryOf),
  readFile: (path: string | URL): Promise<Uint8Array> => readFile(path),
  readTextFile: (path: string | URL): Promise<string> => readFile(path, "utf8"),
  readTextFileSync: (path: string | URL): string => readFileSync(path, "utf8"),
  realPath: (path: string | URL): Promise<string> => realpath(path),
  remove: (path: string | URL, options: { recursive?: boolean } = {}): Promise<void> => rm(path, options),
  stat: async (path: string | URL): Promise<{ isFile: boolean; isDirectory: boolean; size: number }> => {
    const found = await stat(path);
    return { isFile: found.isFile(), isDirectory: found.isDirectory(), size: found.size };
  },
  writeTextFileSync: (path: string | URL, text: string): void => writeFileSync(path, text),
  writeTextFile: (path: string | URL, text: string): Promise<void> => writeFile(path, text),
};

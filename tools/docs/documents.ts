/**
 * The Markdown files of the repository.
 *
 * @module
 */

import { join } from "node:path";
import { type Markdown, readMarkdown } from "./markdown.ts";

/** A Markdown file that was read. */
export interface Document extends Markdown {
  /** Its path, relative to the root. */
  readonly path: string;
}

const LEFT_OUT: ReadonlySet<string> = new Set(["node_modules", "coverage", "dist", ".cache", ".git"]);

/** Reads every Markdown file below a folder, by path. */
export async function readDocuments(root: string): Promise<Document[]> {
  const paths = (await Array.fromAsync(walk(root, ""))).sort();
  return await Promise.all(
    paths.map(async (path) => ({ path, ...readMarkdown(await Deno.readTextFile(join(root, path))) })),
  );
}

/** Whether a document is one that users read: its code is checked. */
export function isGuide({ path }: Document): boolean {
  return path === "README.md" || path.startsWith("docs/");
}

async function* walk(root: string, folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory && !LEFT_OUT.has(name)) yield* walk(root, path);
    else if (name.endsWith(".md")) yield path;
  }
}

/**
 * Checks that what the documents link to is there.
 *
 * @module
 */

import { dirname, join, normalize } from "node:path";
import type { Document } from "./documents.ts";

/** What is wrong with the links of some documents: `docs/flows.md:12: …`. */
export async function checkLinks(root: string, documents: readonly Document[]): Promise<string[]> {
  const byPath = new Map(documents.map((document) => [document.path, document]));
  const faults: string[] = [];
  for (const document of documents) {
    for (const { path, anchor, line } of document.links) {
      const target = path === "" ? document.path : normalize(join(dirname(document.path), decodeURI(path)));
      const fault = await faultOf(root, target.replaceAll("\\", "/"), anchor, byPath);
      if (fault !== undefined) faults.push(`${document.path}:${line}: ${fault}`);
    }
  }
  return faults;
}

async function faultOf(
  root: string,
  target: string,
  anchor: string | undefined,
  byPath: ReadonlyMap<string, Document>,
): Promise<string | undefined> {
  if (target.startsWith("..") || target.startsWith("/")) return `links out of the repository, to ${target}`;
  const isThere = await Deno.stat(join(root, target)).then(() => true, () => false);
  if (!isThere) return `links to ${target}, which is not there`;
  if (anchor === undefined) return undefined;
  const document = byPath.get(target);
  if (document === undefined) return `links to #${anchor} of ${target}, which has no headings`;
  return document.anchors.has(anchor) ? undefined : `links to #${anchor}, which ${target} does not have`;
}

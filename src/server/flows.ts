/**
 * The flows of a server: loaded from a folder and from the options.
 *
 * @module
 */

import { readdir, readFile } from "node:fs/promises";
import { ValidationError } from "../errors.ts";
import { buildFlow, parseFlow } from "../flow/mod.ts";
import type { Flow } from "../flow/types.ts";
import { definitionHash, type RegisteredFlow } from "../nats/registry.ts";
import type { CheckedOptions } from "./options.ts";

/** Loads and checks all flows. @throws {ValidationError} Where one is not valid, or two have the same name. */
export async function loadFlows(options: CheckedOptions, kinds: ReadonlySet<string>): Promise<RegisteredFlow[]> {
  const loaded: { flow: Flow; source: string }[] = [];
  for (const { path, text } of await readFolder(options.flowsDir)) {
    loaded.push({ flow: parseFlow(text, { file: path, kinds }), source: path });
  }
  options.flows.forEach((flow, index) => {
    const source = `options.flows[${index}]`;
    const built = typeof flow === "string"
      ? parseFlow(flow, { file: source, kinds })
      : buildFlow(flow, { source, kinds });
    loaded.push({ flow: built, source });
  });
  checkUnique(loaded);
  return await Promise.all(loaded.map(async ({ flow }) => ({ flow, hash: await definitionHash(flow.definition) })));
}

async function readFolder(folder: string | undefined): Promise<{ path: string; text: string }[]> {
  if (folder === undefined) return [];
  const files: { path: string; text: string }[] = [];
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory() || !/\.ya?ml$/.test(entry.name)) continue;
      const path = `${folder.replace(/\/+$/, "")}/${entry.name}`;
      files.push({ path, text: await readFile(path, "utf8") });
    }
  } catch (cause) {
    const message = `flows cannot be read from ${folder}: ${(cause as Error).message}`;
    throw new ValidationError(message, [{ path: "flowsDir", message }], { cause });
  }
  return files.sort((left, right) => left.path < right.path ? -1 : 1);
}

function checkUnique(loaded: readonly { flow: Flow; source: string }[]): void {
  const sources = new Map<string, string>();
  for (const { flow, source } of loaded) {
    const other = sources.get(flow.name);
    if (other !== undefined) {
      const message = `flow ${flow.name} is defined twice, in ${other} and in ${source}: rename one`;
      throw new ValidationError(message, [{ path: source, message }]);
    }
    sources.set(flow.name, source);
  }
}

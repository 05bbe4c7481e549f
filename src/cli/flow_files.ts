/**
 * Flows in files: found, read and checked.
 *
 * @module
 */

import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { validateFlow, ValidationError, type ValidationIssue, type ValidFlow } from "../../mod.ts";
import { CommandError, EXIT } from "./failure.ts";

/** A file with a flow in it, valid or not. */
export interface FlowFile {
  /** The path. */
  readonly path: string;
  /** The text. */
  readonly text: string;
  /** The flow, where it is valid. */
  readonly flow?: ValidFlow;
  /** What is wrong with it. */
  readonly issues: readonly ValidationIssue[];
}

/** The text of a file that is to hold a flow. */
export type FlowText = Pick<FlowFile, "path" | "text">;

/**
 * Reads files and the `*.yaml` and `*.yml` files of folders, in the order given, and checks each.
 *
 * @param kinds The kinds of invoker there are; any kind is fine where absent.
 * @throws {CommandError} Where a path cannot be read, or a folder has no flow.
 */
export async function readFlowFiles(paths: readonly string[], kinds?: readonly string[]): Promise<FlowFile[]> {
  return checkTexts(await readTexts(paths), kinds);
}

/**
 * Reads files and the `*.yaml` and `*.yml` files of folders, in the order given: each once, however often it is named.
 *
 * @throws {CommandError} Where a path cannot be read, or a folder has no flow.
 */
export async function readTexts(paths: readonly string[]): Promise<FlowText[]> {
  const found = new Map<string, string>();
  for (const path of paths) {
    for (const file of await expand(path)) if (!found.has(resolve(file))) found.set(resolve(file), file);
  }
  const texts: FlowText[] = [];
  for (const path of found.values()) texts.push({ path, text: await read(path, () => readFile(path, "utf8")) });
  return texts;
}

/** Checks the flows of files; `kinds` are the kinds of invoker there are, any kind is fine where absent. */
export function checkTexts(texts: readonly FlowText[], kinds?: readonly string[]): FlowFile[] {
  return withDuplicates(texts.map((text) => checkText(text, kinds)));
}

/** Where in a file something is wrong: `flows/a.yaml:3:5`, as far as that is known. */
export function shownPlace(file: string, { line, column }: Pick<ValidationIssue, "line" | "column">): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}

/** The paths given, or the folder `flows` where none is. */
export function pathsOrDefault(paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? ["flows"] : paths;
}

/** @throws {CommandError} Where one of some paths leads to nothing. */
export async function checkPaths(paths: readonly string[]): Promise<void> {
  for (const path of paths) await read(path, () => stat(path));
}

/** Whether a path is that of a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then((info) => info.isDirectory(), () => false);
}

async function expand(path: string): Promise<string[]> {
  const info = await read(path, () => stat(path));
  if (!info.isDirectory()) return [path];
  const entries = await read(path, () => readdir(path, { withFileTypes: true }));
  const found = entries.filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name));
  if (found.length === 0) throw new CommandError(EXIT.usage, `there is no *.yaml or *.yml file in ${path}`);
  return found.map(({ name }) => join(path, name)).sort();
}

function checkText({ path, text }: FlowText, kinds: readonly string[] | undefined): FlowFile {
  try {
    const flow = validateFlow(text, { file: path, ...(kinds === undefined ? {} : { kinds }) });
    return { path, text, flow, issues: [] };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return { path, text, issues: error.issues };
  }
}

async function read<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file or folder" : message;
    throw new CommandError(EXIT.usage, `cannot read ${path}: ${why}`, undefined, { cause });
  }
}

/** A namespace has one flow of a name. */
function withDuplicates(files: readonly FlowFile[]): FlowFile[] {
  const first = new Map<string, string>();
  return files.map((file) => {
    const name = file.flow?.definition.name;
    if (name === undefined) return file;
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, file.path);
      return file;
    }
    const line = file.text.split("\n").findIndex((text) => /^["']?name["']?\s*:/.test(text)) + 1;
    const issue = { path: "name", ...(line > 0 ? { line, column: 1 } : {}), message: `is the name of ${other} too` };
    return { path: file.path, text: file.text, issues: [issue] };
  });
}

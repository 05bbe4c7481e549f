/** The documents, as tests read them: blocks of code, tables after a mark. @module */

import { assert } from "@std/assert";
import { dirname, join } from "node:path";

/** The checkout. */
export const ROOT: string = dirname(dirname(import.meta.dirname!));

/** The text of a document, by its path in the checkout. */
export function readDocument(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path));
}

/** README.md and every page of docs/. */
export async function guidePages(): Promise<{ path: string; text: string }[]> {
  const paths = ["README.md"];
  for (const folder of ["docs", "docs/recipes", "docs/operations"]) {
    for await (const { name } of Deno.readDir(join(ROOT, folder))) {
      if (name.endsWith(".md")) paths.push(`${folder}/${name}`);
    }
  }
  return await Promise.all(paths.map(async (path) => ({ path, text: await readDocument(path) })));
}

/** The code blocks of a language, in order; those after a mark, where one is named. */
export function blocks(language: string, text: string, mark?: string): string[] {
  const part = mark === undefined ? text : after(mark, text);
  return [...part.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1]!);
}

/** What stands between a mark such as `<!-- the test -->` and the next heading or mark. */
export function after(mark: string, text: string): string {
  const start = text.indexOf(`<!-- ${mark} -->`);
  assert(start >= 0, `there is no mark "${mark}"`);
  const end = text.slice(start + 1).search(/\n#|\n<!-- /);
  return text.slice(start, end === -1 ? undefined : start + 1 + end);
}

/** The rows of the table after a mark, without its head: cells without blanks around them. */
export function rows(mark: string, text: string): string[][] {
  const [, table = ""] = /\n\n((?:\|.*\|(?:\n|$))+)/.exec(after(mark, text)) ?? [];
  const lines = [...table.matchAll(/^\|(.*)\|$/gm)].slice(2);
  return lines.map(([, line]) => line!.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")));
}

/** The first cells of the table after a mark, without its head and without backticks. */
export function firstCells(mark: string, text: string): string[] {
  return rows(mark, text).map(([first]) => first!.replaceAll("`", ""));
}

/**
 * Checks the documentation: every public symbol of the entry points in `deno.json` is documented with types that can
 * be read, and the code blocks of `src/`, of README.md and of docs/*.md compile.
 *
 * @module
 */

import { dirname, join } from "node:path";

const ROOT = dirname(import.meta.dirname!);

async function main(): Promise<number> {
  const entries = await readEntries();
  const documents = await listDocuments();
  const linted = await runDeno(["doc", "--lint", ...entries]);
  const compiled = await runDeno(["check", "--doc", ...entries, "src"]);
  const blocks = documents.length === 0 || await runDeno(["check", "--doc-only", ...documents]);
  if (!linted) console.error("docs: public symbols lack documentation or readable types, see above (deno doc --lint)");
  if (!compiled) console.error("docs: the public API or an @example of it does not compile, see above");
  if (!blocks) console.error(`docs: a code block does not compile, see above (${documents.join(", ")})`);
  const good = linted && compiled && blocks;
  if (good) console.error(`docs: in order (${[...entries, ...documents].join(", ")})`);
  return good ? 0 : 1;
}

async function readEntries(): Promise<string[]> {
  const { exports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  return typeof exports === "string" ? [exports] : Object.values(exports);
}

async function listDocuments(): Promise<string[]> {
  const documents = (await listFiles(".")).filter((name) => name === "README.md");
  const docs = (await listFiles("docs")).filter((name) => name.endsWith(".md")).sort();
  return [...documents, ...docs.map((name) => `docs/${name}`)];
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(join(ROOT, folder)), (entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Runs Deno; what it prints is passed on only where it fails. */
async function runDeno(args: string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (success) return true;
  await Deno.stderr.write(stdout);
  await Deno.stderr.write(stderr);
  return false;
}

if (import.meta.main) Deno.exit(await main());

/**
 * Checks the documentation:
 *
 * - every public symbol of the entry points in `deno.json` is documented with types that can be read;
 * - the TypeScript of `src/`'s examples, of README.md and of everything in docs/ compiles, and no block is left out;
 * - every block of YAML there is a valid flow, or is marked as something else (`tools/docs/yaml_blocks.ts`);
 * - every link in a Markdown file leads to a file, and an anchor, that is there.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { type Document, isGuide, readDocuments } from "./docs/documents.ts";
import { checkLinks } from "./docs/links.ts";
import { checkYaml } from "./docs/yaml_blocks.ts";

const ROOT = dirname(import.meta.dirname!);

/** What Deno compiles in a Markdown file. */
const COMPILED: ReadonlySet<string> = new Set("ts typescript tsx mts cts js javascript jsx mjs cjs".split(" "));

async function main(): Promise<number> {
  const entries = await readEntries();
  const linted = await runDeno(["doc", "--lint", ...entries]);
  const compiled = await runDeno(["check", "--doc", ...entries, "src"]);
  if (!linted) console.error("docs: public symbols lack documentation or readable types, see above (deno doc --lint)");
  if (!compiled) console.error("docs: the public API or an @example of it does not compile, see above");
  const { faults, counts } = await checkDocuments(ROOT);
  for (const fault of faults) console.error(`docs: ${fault}`);
  const good = linted && compiled && faults.length === 0;
  if (good) console.error(`docs: in order (${entries.join(", ")}; ${counts})`);
  return good ? 0 : 1;
}

async function readEntries(): Promise<string[]> {
  const { exports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  return typeof exports === "string" ? [exports] : Object.values(exports);
}

/** What is wrong with the Markdown files below a folder, and how much there is of what was checked. */
export async function checkDocuments(root: string): Promise<{ faults: string[]; counts: string }> {
  const documents = await readDocuments(root);
  const guides = documents.filter(isGuide);
  const yaml = checkYaml(guides);
  const blocks = guides.flatMap((guide) => guide.blocks).filter(({ language }) => COMPILED.has(language)).length;
  const faults = [
    ...documents.flatMap(({ path, faults }) => faults.map(({ line, message }) => `${path}:${line}: ${message}`)),
    ...guides.flatMap(hiddenBlocks),
    ...yaml.faults,
    ...await checkLinks(root, documents),
  ];
  if (!guides.some(({ path }) => path === "README.md")) faults.push("there is no README.md");
  const paths = guides.map(({ path }) => join(root, path));
  if (paths.length > 0 && !await runDeno(["check", "--config", join(ROOT, "deno.json"), "--doc-only", ...paths])) {
    faults.push("a code block of the documents does not compile, see above");
  }
  const links = documents.reduce((sum, { links }) => sum + links.length, 0);
  const counts = `${guides.length} documents with ${blocks} blocks of TypeScript, ${yaml.flows} flows, ` +
    `${yaml.refused} refused ones, ${links} links`;
  return { faults, counts };
}

/** Blocks that Deno would not compile though they look as if it did. */
function hiddenBlocks({ path, blocks }: Document): string[] {
  return blocks.flatMap(({ language, marks, line }) =>
    COMPILED.has(language) && marks.length > 0
      ? [`${path}:${line}: a block of ${language} is marked ${marks.join(" ")}: all are compiled`]
      : []
  );
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

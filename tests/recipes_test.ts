/** Every recipe of the guide is run as it stands, on a server of its own, and prints what it says. */

import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "node:path";
import { startNatsServer } from "../tools/nats.ts";
import { readMarkdown } from "../tools/docs/markdown.ts";
import { runShell } from "./support/shell.ts";

const ROOT = dirname(import.meta.dirname!);
const RECIPES = join(ROOT, "docs", "recipes");

/** What a recipe is made of, by the comments before its blocks. */
interface Recipe {
  /** Its files, by name. */
  files: Map<string, string>;
  /** Its commands, and what each prints, where it says so. */
  runs: { command: string; prints?: string }[];
}

function readRecipe(text: string): Recipe {
  const lines = text.split("\n");
  const recipe: Recipe = { files: new Map(), runs: [] };
  for (const block of readMarkdown(text).blocks) {
    const [, mark, name] = /^<!-- (file|run|prints)(?:: (\S+))? -->$/.exec(lines[block.line - 3] ?? "") ?? [];
    if (mark === "file") recipe.files.set(name!, block.text);
    if (mark === "run") recipe.runs.push({ command: block.text });
    if (mark === "prints") recipe.runs.at(-1)!.prints = block.text;
  }
  return recipe;
}

async function tryRecipe(name: string, url: string): Promise<void> {
  const { files, runs } = readRecipe(await Deno.readTextFile(join(RECIPES, name)));
  assert(files.size > 0 && runs.length > 0, `${name} has no files, or runs nothing`);
  const folder = await Deno.makeTempDir();
  for (const [file, text] of files) await Deno.writeTextFile(join(folder, file), text);
  for (const { command, prints } of runs) {
    const { code, stdout, stderr } = await runShell(command, { cwd: folder, env: { NATS_URL: url } });
    assertEquals(code, 0, `${name}: ${stdout}\n${stderr}`);
    if (prints !== undefined) assertEquals(withoutLog(stdout), prints.trimEnd(), name);
  }
}

/** What was printed, but for the engine's own log. */
function withoutLog(output: string): string {
  return output.split("\n").filter((line) => !line.startsWith('{"time":')).join("\n").trimEnd();
}

Deno.test("every recipe runs as it stands, and prints what it says", async (t) => {
  const names = (await Array.fromAsync(Deno.readDir(RECIPES), ({ name }) => name)).filter((name) =>
    name.endsWith(".md") && name !== "README.md"
  );
  assert(names.length >= 9, "there are fewer recipes than there were");
  await using nats = await startNatsServer();
  for (const name of names.sort()) await t.step(name, () => tryRecipe(name, nats.url));
});

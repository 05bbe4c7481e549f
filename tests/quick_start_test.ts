/** The quick start of the README, as a newcomer goes through it: every file saved, every command run, in order. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { type CodeBlock, readMarkdown } from "../tools/docs/markdown.ts";
import { readDocument, ROOT } from "./support/documents.ts";
import { type GoingShell, runShell, type ShellOptions, startShell } from "./support/shell.ts";

const LEFT_OUT: ReadonlySet<string> = new Set([".git", "node_modules", "coverage", "dist", ".cache", "hello"]);

/** A checkout as a clone has it, with nothing that was made in it. */
async function copyCheckout(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (LEFT_OUT.has(name)) continue;
    if (isDirectory) await copyCheckout(join(from, name), join(to, name));
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** One thing to do: save a file, run commands, or run one that goes on once it has printed something. */
type Step =
  | { type: "file"; path: string; text: string }
  | { type: "run"; commands: string }
  | { type: "goes on"; command: string; printed: string };

function readSteps(text: string): Step[] {
  const start = text.indexOf("## Quick start");
  const section = text.slice(start, text.indexOf("\n## ", start));
  const lines = section.split("\n");
  return readMarkdown(section).blocks.flatMap((block) => stepOf(block, lines[block.line - 3] ?? ""));
}

function stepOf({ language, text }: CodeBlock, before: string): Step[] {
  const [, mark, value = ""] = /^<!-- (file|goes on): (.+) -->$/.exec(before) ?? [];
  if (mark === "file") return [{ type: "file", path: value, text }];
  if (language !== "sh") return [];
  return [mark === "goes on" ? { type: "goes on", command: text, printed: value } : { type: "run", commands: text }];
}

Deno.test("the quick start works from the first command to the last, in a clean folder", async () => {
  const readme = await readDocument("README.md");
  const steps = readSteps(readme);
  assertEquals(
    steps.map((step) => step.type === "file" ? step.path : step.type),
    ["hello/welcome.yaml", "goes on", "hello/worker.ts", "goes on", "run", "hello/service.ts", "run"],
  );
  const folder = await Deno.makeTempDir();
  await copyCheckout(ROOT, folder);
  const surroundings: ShellOptions = { cwd: folder, env: { NATS_URL: "" }, isCheckout: true };
  const outputs: string[] = [];
  await using stack = new AsyncDisposableStack();
  for (const step of steps) {
    if (step.type === "file") await save(join(folder, step.path), step.text);
    else if (step.type === "goes on") await goOn(step, surroundings, stack);
    else outputs.push(await complete(step.commands, surroundings));
  }
  const [byCommand, byService] = outputs as [string, string];
  assertStringIncludes(byCommand, `"greeting": "Hello, Ada!"`);
  assertStringIncludes(byCommand, `"by": "mail"`);
  const promised = /It ends with `(\{ greeting.*\})`/.exec(readme)![1]!;
  assertStringIncludes(byService, promised);
  assertEquals(byService.split("\n").filter((line) => / is /.test(line)), [
    "greet is running",
    "confirmed is waiting",
    "open is running",
    "open is completed",
  ]);
});

async function save(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

/** Starts a command; `dev` on free ports, since others may use those of the README here. */
async function goOn(
  { command, printed }: Step & { type: "goes on" },
  surroundings: ShellOptions,
  stack: AsyncDisposableStack,
): Promise<GoingShell> {
  const isDev = /packtrail dev/.test(command);
  const going = stack.use(startShell(isDev ? `${command.trim()} --port 0 --ui-port 0` : command, surroundings));
  await going.printed(printed);
  if (isDev) surroundings.env!.NATS_URL = (await going.printed(/NATS +(nats:\S+)/))[1]!;
  return going;
}

async function complete(commands: string, surroundings: ShellOptions): Promise<string> {
  const { code, stdout, stderr } = await runShell(commands, surroundings);
  assert(code === 0, `${commands}: ${stdout}\n${stderr}`);
  return stdout;
}

/**
 * What `deno task compile` makes, as far as it can be tested where the runtime of compiled programs cannot be had: its
 * modules, its files, the source with the permissions that are baked in. The binary itself is not run.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isOlder } from "./support/deno_version.ts";
import { ended, inSpace, until } from "./support/mod.ts";

const ROOT = dirname(import.meta.dirname!);
const { tasks, publish } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));

/** The words of the task after `deno compile`. */
const WORDS: string[] = tasks.compile.command.split(" ").slice(2);
const MAIN = WORDS.at(-1)!;
const INCLUDED = WORDS.filter((_word, index) => WORDS[index - 1] === "--include");

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(args: string[], env: Record<string, string> = {}): Promise<Run> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env: { ...env, NO_COLOR: "1" }, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function flowFiles(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(join(ROOT, "flows")), ({ name }) => name);
  return names.filter((name) => name.endsWith(".yaml")).sort();
}

interface ModuleGraph {
  modules: { specifier: string; error?: string }[];
  redirects: Record<string, string>;
}

Deno.test("what `deno task compile` compiles is whole: local files that are published, npm and Node modules", async () => {
  const { code, stdout, stderr } = await run(["info", "--json", MAIN]);
  assertEquals(code, 0, stderr);
  const { modules, redirects } = JSON.parse(stdout) as ModuleGraph;
  assertEquals(modules.filter(({ error }) => error !== undefined), []);
  const places: string[] = [...publish.include, "examples", "tools/links"];
  let local = 0;
  for (const { specifier } of modules) {
    if (/^(?:npm|node):/.test(specifier)) continue;
    assertMatch(specifier, /^file:/);
    const path = relative(ROOT, fileURLToPath(specifier)).replaceAll("\\", "/");
    assert(places.some((place) => path === place || path.startsWith(`${place}/`)), `${path} is not published`);
    local++;
  }
  assert(local > 50, `only ${local} local modules`);
  for (const target of Object.values(redirects)) assertMatch(target, /^(?:file|npm|node):/);
});

Deno.test("the binary holds the flows and the modules, and no test", {
  ignore: isOlder("2.8.0"), // it has no `--exclude-unused-npm`
}, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const output = join(folder, "worker");
    const words = WORDS.map((word, index) => WORDS[index - 1] === "--output" ? output : word);
    // Another program in place of the runtime: what is appended to it is the same, but the result cannot be run.
    const { code, stderr } = await run(["compile", ...words], { DENORT_BIN: Deno.execPath() });
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /── flows\/\*/);
    assertStringIncludes(stderr, "── compiled_worker.ts");
    const listed = stderr.slice(stderr.indexOf("Embedded Files"));
    for (const name of ["_test.ts", "fast-check", "playwright"]) assert(!listed.includes(name), listed);
    const binary = Buffer.from((await Deno.readFile(output)).buffer);
    for (const name of await flowFiles()) {
      const text = await Deno.readFile(join(ROOT, "flows", name));
      assert(binary.includes(Buffer.from(text)), `${name} is not in the binary`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("compiled_worker.ts does its work with the permissions that the binary has", () =>
  inSpace(async (space) => {
    const granted = WORDS.filter((word) => word.startsWith("--allow-"));
    // A binary may read what is embedded in it without being told.
    const args = ["run", "--no-prompt", ...granted, `--allow-read=${INCLUDED.join(",")}`, MAIN];
    const env = { NATS_URL: space.url, PACKTRAIL_NAMESPACE: space.namespace };
    const options = { args, cwd: ROOT, env, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    const child = new Deno.Command(Deno.execPath(), options).spawn();
    let printed = "";
    const reading = (async () => {
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) printed += text;
    })();
    const errors = new Response(child.stderr).text();
    const server = await space.server();
    await until(() => printed.includes("engine started") || undefined, "the worker to start");
    const flows = (await flowFiles()).map((name) => name.replace(/\.yaml$/, ""));
    assertStringIncludes(printed, `ready: ${flows.join(", ")} in namespace ${space.namespace}`);
    const id = await server.start("agent-pipeline", { text: "it does not print" });
    const { status } = await ended(server, id);
    child.kill("SIGTERM");
    const { code } = await child.status;
    await reading;
    assertEquals([status, code, await errors], ["completed", 0, ""], printed);
    assert(printed.endsWith("stopped\n"), printed);
  }));

/** The word of README.md and docs/ is kept: programs run, flows are valid, tables and blocks say what the code does. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { permissionsBlock, type Role } from "../mod.ts";
import { EXIT, EXIT_HELP } from "../src/cli/failure.ts";
import { createProgram } from "../src/cli/program.ts";
import { compile } from "../src/expr/mod.ts";
import { parseFlow } from "../src/flow/mod.ts";
import { findRoute } from "../src/ui/routes.ts";
import { decodeTaskRequest, decodeTaskResponse, encodeTaskRequest, encodeTaskResponse } from "../src/protocol/mod.ts";

const ROOT = dirname(import.meta.dirname!);
const README = await Deno.readTextFile(join(ROOT, "README.md"));

/** The README's code blocks of a language, in order. */
function blocks(language: string, text = README): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1]!);
}

/** What stands between a mark such as `<!-- the quick start -->` and the next heading. */
function after(mark: string, text = README): string {
  const start = text.indexOf(`<!-- ${mark} -->`);
  assert(start >= 0, `there is no mark "${mark}"`);
  const end = text.indexOf("\n#", start);
  return text.slice(start, end === -1 ? undefined : end);
}

/** The first cells of the table after a mark, without its head and without backticks. */
function firstCells(mark: string, text: string): string[] {
  return [...after(mark, text).matchAll(/^\| (.+?) +\|/gm)].slice(2).map((match) => match[1]!.replaceAll("`", ""));
}

function readDocument(name: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, "docs", name));
}

Deno.test("the quick start runs as it stands, and ends as the README says", async () => {
  const [program] = blocks("ts", after("the quick start"));
  const namespace = `readme-${crypto.randomUUID()}`;
  assertStringIncludes(program!, "{ flows: [flow] }");
  const folder = await Deno.makeTempDir();
  const file = join(folder, "hello.ts");
  await Deno.writeTextFile(file, program!.replace("{ flows: [flow] }", `{ flows: [flow], namespace: "${namespace}" }`));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", join(ROOT, "deno.json"), file],
    env: { NO_COLOR: "1", FORCE_COLOR: "" },
    stdin: "null",
  }).output();
  await Deno.remove(folder, { recursive: true });
  const output = new TextDecoder().decode(stdout);
  assertEquals(code, 0, `${output}\n${new TextDecoder().decode(stderr)}`);
  const promised = /It ends with `(\{.*\})`/.exec(README)![1]!;
  assertStringIncludes(output, promised);
  assertEquals(output.split("\n").filter((line) => / is /.test(line)), [
    "greet is running",
    "confirmed is waiting",
    "open is running",
    "open is completed",
  ]);
});

Deno.test("the flows in the README are valid", () => {
  const flows = blocks("yaml").map((text) => parseFlow(text, { file: "README.md" }));
  assertEquals(flows.map((flow) => flow.name), ["claim"]);
});

Deno.test("every example of the table of expressions compiles, and is true", () => {
  const payload = { kind: "a", items: [{ id: 7 }], n: 5, done: false, name: "Ada", score: 90 };
  const context = { payload, input: {}, results: {}, signals: {}, branches: {}, last_node: null };
  const rows = [...after("the expressions").matchAll(/^\| (\w+) .* `([^`]+)` +\|$/gm)];
  assertEquals(rows.length, 11);
  for (const [, what, example] of rows) {
    assert(compile(example!.replaceAll("\\|", "|")).test(context), `${what}: ${example} is not true`);
  }
});

Deno.test("the permission blocks in the README are those of permissionsBlock", () => {
  const roles = ["client", "worker", "async-worker", "observer", "engine"] as const satisfies Role[];
  for (const role of roles) {
    const options = role === "async-worker" ? { asyncKinds: ["agent"] } : {};
    assertStringIncludes(README, `\`\`\`\n${permissionsBlock(role, options)}\n\`\`\``);
  }
  const command = createProgram().commands.find((command) => command.name() === "permissions")!;
  const choices = command.options.find(({ long }) => long === "--role")!.argChoices!;
  assertEquals([...choices].sort(), [...roles].sort());
});

Deno.test("the JSON of the wire contract is what is read and written", () => {
  const [request, replies] = blocks("json");
  const line = JSON.stringify(JSON.parse(request!)); // the formatter gives it line breaks
  assertEquals(new TextDecoder().decode(encodeTaskRequest(decodeTaskRequest(line))), line);
  const lines = replies!.trim().split("\n");
  assertEquals(lines.length, 3);
  for (const reply of lines) {
    assertEquals(new TextDecoder().decode(encodeTaskResponse(decodeTaskResponse(reply))), reply);
  }
});

Deno.test("the test in the README passes", async () => {
  const [program] = blocks("ts", after("the test"));
  const folder = await Deno.makeTempDir();
  const file = join(folder, "approval_test.ts");
  await Deno.writeTextFile(file, program!);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--config", join(ROOT, "deno.json"), file],
    env: { NO_COLOR: "1", FORCE_COLOR: "" },
    stdin: "null",
  }).output();
  await Deno.remove(folder, { recursive: true });
  const output = new TextDecoder().decode(stdout);
  assertEquals(code, 0, `${output}\n${new TextDecoder().decode(stderr)}`);
  assertStringIncludes(output, "1 passed");
});

Deno.test("docs/cli.md lists the commands that there are, with their arguments, and every exit code", async () => {
  const text = await readDocument("cli.md");
  const commands = createProgram().commands.map((command) => {
    const names = command.registeredArguments.map((argument) => {
      const name = argument.name();
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    return [command.name(), ...names].join(" ");
  });
  assertEquals(firstCells("the commands", text).sort(), commands.sort());
  const codes = [...after("the exit codes", text).matchAll(/^\| (\d) +\| (.+?) +\|$/gm)].map(([, code, what]) =>
    `  ${code}  ${what}`
  );
  assertEquals(["Exit codes:", ...codes].join("\n"), EXIT_HELP);
  assertEquals(codes.length, Object.keys(EXIT).length);
});

Deno.test("docs/dashboard.md lists the HTTP API and the metrics that there are", async () => {
  const text = await readDocument("dashboard.md");
  const routes = await Deno.readTextFile(join(ROOT, "src", "ui", "routes.ts"));
  const known = [...routes.matchAll(/\["(GET|POST)", "((?:\/api\/|\/metrics|\/healthz)[^"]*)"/g)]
    .map(([, method, path]) => `${method} ${path}`);
  assertEquals(firstCells("the routes", text).sort(), known.sort());
  for (const row of known) {
    const [method, path] = row.split(" ");
    const isThere = (allowActions: boolean) => {
      const handlers = findRoute(path!.replaceAll(/:\w+/g, "x"), allowActions)?.handlers ?? {};
      return Object.keys(handlers).includes(method!);
    };
    assert(isThere(true), row);
    assertEquals(isThere(false), method === "GET", row);
  }
  const metrics = await Deno.readTextFile(join(ROOT, "src", "ui", "metrics.ts"));
  const names = new Set([...metrics.matchAll(/"(packtrail_\w+)"/g)].map((match) => match[1]!));
  assertEquals(firstCells("the metrics", text).sort(), [...names].sort());
});

Deno.test("every file that the documents link to is there", async () => {
  const names = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
  for await (const { name } of Deno.readDir(join(ROOT, "docs"))) if (name.endsWith(".md")) names.push(`docs/${name}`);
  for (const name of names) {
    const text = await Deno.readTextFile(join(ROOT, name));
    for (const [, target] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      await Deno.stat(join(ROOT, dirname(name), target!)).catch(() => assert(false, `${name} links to ${target}`));
    }
  }
});

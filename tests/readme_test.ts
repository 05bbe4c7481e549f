/** The README's word is kept: its program runs, its flows are valid, its tables and blocks say what the code does. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { permissionsBlock, type Role } from "../mod.ts";
import { compile } from "../src/expr/mod.ts";
import { parseFlow } from "../src/flow/mod.ts";
import { decodeTaskRequest, decodeTaskResponse, encodeTaskRequest, encodeTaskResponse } from "../src/protocol/mod.ts";

const ROOT = dirname(import.meta.dirname!);
const README = await Deno.readTextFile(join(ROOT, "README.md"));

/** The README's code blocks of a language, in order. */
function blocks(language: string, text = README): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1]!);
}

/** What stands between a mark such as `<!-- the quick start -->` and the next heading. */
function after(mark: string): string {
  const start = README.indexOf(`<!-- ${mark} -->`);
  assert(start >= 0, `the README has no mark "${mark}"`);
  const end = README.indexOf("\n#", start);
  return README.slice(start, end === -1 ? undefined : end);
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
  for (const role of ["client", "worker", "observer", "engine"] satisfies Role[]) {
    assertStringIncludes(README, `\`\`\`\n${permissionsBlock(role)}\n\`\`\``);
  }
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

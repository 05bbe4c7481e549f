/** The word of README.md is kept: its test passes, its lists are whole. The quick start has a test of its own. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { Server } from "../src/server.ts";
import { Observer } from "../src/server/observer.ts";
import { blocks, readDocument } from "./support/documents.ts";

const ROOT = dirname(import.meta.dirname!);
const README = await readDocument("README.md");

Deno.test("the test in the README passes", async () => {
  const [program] = blocks("ts", README, "the test");
  const folder = await Deno.makeTempDir();
  const file = join(folder, "approval_test.ts");
  await Deno.writeTextFile(file, program!);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-check", "--config", join(ROOT, "deno.json"), file],
    env: { NO_COLOR: "1", FORCE_COLOR: "" },
    stdin: "null",
  }).output();
  await Deno.remove(folder, { recursive: true });
  const output = new TextDecoder().decode(stdout);
  assertEquals(code, 0, `${output}\n${new TextDecoder().decode(stderr)}`);
  assertStringIncludes(output, "1 passed");
});

Deno.test("the API at a glance names every method of a server, and no other", () => {
  const start = README.indexOf("## API at a glance");
  const table = README.slice(start, README.indexOf("| beside it", start));
  const named = [...table.matchAll(/^\| [\w ]+\| (.*)\|$/gm)].slice(1)
    .flatMap(([, cells]) => [...cells!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  const methods = [Server.prototype, Observer.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype))
    .filter((name) => name !== "constructor");
  assertEquals([...named].sort(), [...new Set(methods)].sort());
});

Deno.test("the README is short, leads to every page of the guide, and shows the dashboard twice", async () => {
  const shown = README.replaceAll(/<details>.*?<\/details>\n/gs, "");
  assert(shown.split("\n").length <= 450, "reference material belongs in docs/");
  const pictures = [...README.matchAll(/!\[[^\]]+\]\((docs\/images\/\w+\.png)\)/g)].map((match) => match[1]!);
  assertEquals(pictures.length, 2);
  for (const picture of pictures) {
    const signature = (await Deno.readFile(join(ROOT, picture))).subarray(1, 4);
    assertEquals(new TextDecoder().decode(signature), "PNG", picture);
  }
  const guide = README.slice(README.indexOf("## The guide"), README.indexOf("## The idea"));
  for (const folder of ["docs", "docs/recipes", "docs/operations"]) {
    for await (const { name } of Deno.readDir(join(ROOT, folder))) {
      if (name.endsWith(".md")) assertStringIncludes(guide, `(${folder}/${name})`);
    }
  }
});

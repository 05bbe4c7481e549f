/** The checks of the documentation fail where they have to: each is shown something that is wrong. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { checkDocuments } from "./check_docs.ts";
import { readMarkdown, slugOf } from "./docs/markdown.ts";

const FLOW = "name: one\nnodes:\n  - { id: a, type: task, subject: tasks.a }\n";

/** What is wrong with some documents. */
async function faultsOf(documents: Record<string, string>): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries({ "README.md": "# It\n", ...documents })) {
      await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
      await Deno.writeTextFile(join(folder, path), text);
    }
    return (await checkDocuments(folder)).faults;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function block(info: string, text: string): string {
  return `\`\`\`${info}\n${text}\`\`\`\n`;
}

Deno.test("documents in order have no faults", async () => {
  const ts = 'import type { Json } from "@packtrail/core";\nexport const value: Json = 1;\n';
  const links =
    "# One two\n\n[here](#one-two) [there](docs/deep/a.md#the-end) [out](https://example.org/#x) `[no](link)`\n";
  assertEquals(
    await faultsOf({ "README.md": links + block("ts", ts), "docs/deep/a.md": `## The end!\n${block("yaml", FLOW)}` }),
    [],
  );
});

Deno.test("TypeScript that does not compile is found in sub-folders, and none can be left out", async () => {
  const faults = await faultsOf({
    "docs/deep/a.md": `text\n${block("ts", "export const one: string = 1;\n")}`,
    "docs/b.md": block("ts ignore", "export const one: string = 1;\n"),
  });
  assertEquals(faults, [
    "docs/b.md:1: a block of ts is marked ignore: all are compiled",
    "a code block of the documents does not compile, see above",
  ]);
});

Deno.test("a flow that is not valid is found, and so is a mark that nobody knows", async () => {
  const [invalid, unknown, broken, ...others] = await faultsOf({
    "docs/a.md": block("yaml", FLOW.replace("subject", "subjekt")) + block("yaml fragmnet", "a: 1\n") +
      block("yaml fragment", "a: [\n") + block("yaml fragment", "a: 1\n"),
  });
  assertStringIncludes(invalid!, "docs/a.md:1: the flow is not valid:");
  assertStringIncludes(unknown!, 'docs/a.md:6: "yaml fragmnet" is not known; there are refused, fragment,');
  assertStringIncludes(broken!, "docs/a.md:9: is not YAML");
  assertEquals(others, []);
});

Deno.test("a refused flow has the words that are written after it", async () => {
  const refused = block("yaml refused kinds=http", "name: one\nnodes:\n  - { id: a, type: task, invoker: htp }\n");
  const said =
    'flow.yaml:3:35: nodes[0].invoker: no invoker of kind "htp" is registered; there are: http, nats-task; did you mean "http"?\n';
  assertEquals(await faultsOf({ "docs/a.md": refused + block("text", said) }), []);
  const [other] = await faultsOf({ "docs/a.md": refused + block("text", "flow.yaml: it is bad\n") });
  assertStringIncludes(other!, "another thing is said");
  const [missing] = await faultsOf({ "docs/a.md": refused });
  assertStringIncludes(missing!, "is not followed by a text block");
  const [valid] = await faultsOf({ "docs/a.md": block("yaml refused", FLOW) + block("text", said) });
  assertStringIncludes(valid!, "is said to be refused, and is valid");
});

Deno.test("links to nothing are found: files, anchors, and what is outside of the repository", async () => {
  const faults = await faultsOf({
    "docs/a.md":
      "[a](b.md)\n[b](../README.md#not)\n[c](#nowhere)\n[d](../../x.md)\n![e](images/x.png)\n[f](../README.md#it)\n",
  });
  assertEquals(faults, [
    "docs/a.md:1: links to docs/b.md, which is not there",
    "docs/a.md:2: links to #not, which README.md does not have",
    "docs/a.md:3: links to #nowhere, which docs/a.md does not have",
    "docs/a.md:4: links out of the repository, to ../x.md",
    "docs/a.md:5: links to docs/images/x.png, which is not there",
  ]);
});

Deno.test("a code block that the checks would pass by is a fault", async () => {
  assertEquals(await faultsOf({ "docs/a.md": "- a list\n\n  ```json\n  {}\n  ```\n" }), [
    "docs/a.md:3: the code block is indented: its checks would pass it by",
  ]);
  assertEquals(readMarkdown("```ts\n1\n").faults, [{ line: 1, message: "the code block is not closed" }]);
});

Deno.test("anchors are those of GitHub", () => {
  const { anchors } = readMarkdown(
    "# Workers in any language: `nats-task`\n## Why?\n## Why?\n# [A link](b.md), really\n",
  );
  assertEquals([...anchors], ["workers-in-any-language-nats-task", "why", "why-1", "a-link-really"]);
  assertEquals(slugOf("R1 to R9 & more_or less"), "r1-to-r9--more_or-less");
});

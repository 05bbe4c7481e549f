/** The npm package on Node, in short: `deno task node` runs all tests that apply. */

import { assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "node:path";
import { isOlder } from "./support/deno_version.ts";

const ROOT = dirname(import.meta.dirname!);

/** What is missing to run this test; `undefined` where nothing is. */
async function missing(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "a shell";
  if (isOlder("2.8.0")) return "`deno pack`, which Deno 2.8 brought";
  for (const program of ["node", "npm"]) {
    const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdin: "null" }).output();
    if (!success) return program;
  }
  return undefined;
}

const lack = await missing();
if (lack !== undefined) console.error(`tests/node_test.ts: the npm package is not tested, there is no ${lack}`);

Deno.test({
  name: "the package that `deno pack` makes runs a flow on Node, from its start to its end, without anything of Deno",
  ignore: lack !== undefined,
  fn: async () => {
    // A process of its own, which may do more than tests may: npm installs into a folder for temporary files.
    const args = ["run", "-A", "--no-prompt", join(ROOT, "tools", "node.ts"), "--smoke"];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env: { NO_COLOR: "1" }, stdin: "null" });
    const { code, stdout, stderr } = await command.output();
    const printed = new TextDecoder().decode(stdout);
    assertEquals(code, 0, `${printed}\n${new TextDecoder().decode(stderr)}`);
    assertMatch(printed, /^smoke: a flow ran from its start to its end on Node \d+\.\d+\.\d+$/m);
  },
});

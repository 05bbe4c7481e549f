/**
 * Runs the engine's own tests on Node (or Bun) from the npm package that `deno pack` makes: `deno task node`.
 *
 *     deno task node                             all that apply
 *     deno task node tests/signals_test.ts       some files
 *     deno task node --smoke                     one flow only, on the package alone
 *     deno task node --runtime bun               on Bun, which npm installs for it
 *
 * The package is installed by npm into a temporary folder with the dependencies that it names, and left as it is. The
 * tests are transpiled beside it, with a shim in place of `Deno`; the last line is `N passed, N failed`.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { ensureNatsServer, startNatsServer } from "./nats.ts";
import { writeCheckout } from "./node/checkout.ts";
import { FILES, TESTS } from "./node/not_applicable.ts";
import { installPackage, run, versionOf } from "./node/package.ts";
import { type FileResult, runFile } from "./node/run_file.ts";

const ROOT = dirname(import.meta.dirname!);
const AT_ONCE = 2;

/** What the tests and their transpilation need, besides what the package brings. */
const TEST_PACKAGES = [
  "ajv@^8.17.1",
  "esbuild@^0.25.0",
  "fast-check@^4.10.2",
  "typescript@^5.9.0",
  "@types/node@^20.0.0",
];

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { runtime: { type: "string", default: "node" }, smoke: { type: "boolean", default: false } },
  });
  for (const program of ["node", "npm"]) {
    if (await versionOf(program) === undefined) {
      console.log(`skipped: there is no ${program}`);
      return 0;
    }
  }
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "packtrail-node-" }));
  try {
    return await inFolder(folder, positionals, values);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Choice {
  runtime: string;
  smoke: boolean;
}

async function inFolder(folder: string, given: string[], { runtime, smoke }: Choice): Promise<number> {
  const isBun = runtime === "bun";
  const more = [...smoke ? [] : TEST_PACKAGES, ...isBun ? ["bun@^1.3.0"] : []];
  const installed = await installPackage(ROOT, folder, more);
  const program = isBun ? join(folder, "node_modules", ".bin", "bun") : "node";
  console.log(`${isBun ? "Bun" : "Node"} ${await versionOf(program)}`);
  await Deno.copyFile(join(ROOT, "tools", "node", "smoke.js"), join(folder, "smoke.js"));
  Deno.env.set("NATS_SERVER_BIN", await ensureNatsServer());
  console.log((await run(program, ["smoke.js"], folder)).trim());
  if (smoke) return 0;
  await checkTypes(folder);
  const { tests, omitted } = await chooseFiles(given);
  const checkout = join(folder, "checkout");
  await writeCheckout(ROOT, checkout, { installed, tests });
  await using nats = await startNatsServer({ storeDir: join(folder, "nats") });
  const env = {
    NATS_URL: nats.url,
    PACKTRAIL_NODE_CHECKOUT: checkout,
    PACKTRAIL_NODE_PACKAGE: installed.path,
    NO_COLOR: "1",
    NODE_NO_WARNINGS: "1", // some tests compare all that a command says
  };
  return await runFiles(tests, { program, checkout, env }, omitted);
}

/** Compiles what a user would write, with the types of the package. */
async function checkTypes(folder: string): Promise<void> {
  await Deno.copyFile(join(ROOT, "tools", "node", "types.mts"), join(folder, "types.mts"));
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "false"];
  const target = ["--target", "es2022", "--lib", "es2023,esnext.disposable,dom", "--module", "nodenext"];
  await run(join(folder, "node_modules", ".bin", "tsc"), [...flags, ...target, "types.mts"], folder);
  console.log("types: a program that uses all entry points compiles");
}

/** The files to run, and those that do not apply. */
async function chooseFiles(given: string[]): Promise<{ tests: string[]; omitted: string[] }> {
  const all = [...await testsIn("tests"), ...await testsIn("src"), "tools/nats_test.ts"].sort();
  const unknown = given.filter((file) => !all.includes(file));
  if (unknown.length > 0) throw new Error(`no such file of tests: ${unknown.join(", ")}`);
  const wanted = given.length === 0 ? all : given;
  const omitted = wanted.filter((file) => FILES[file] !== undefined);
  return { tests: wanted.filter((file) => !omitted.includes(file)), omitted };
}

async function testsIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    if (isDirectory) found.push(...await testsIn(`${folder}/${name}`));
    else if (name.endsWith("_test.ts")) found.push(`${folder}/${name}`);
  }
  return found;
}

interface Surroundings {
  program: string;
  checkout: string;
  env: Record<string, string>;
}

async function runFiles(tests: string[], { program, checkout, env }: Surroundings, omitted: string[]): Promise<number> {
  const count = { passed: 0, failed: 0, ignored: 0 };
  const runner = join(checkout, "tools", "node", "shim", "run.js");
  const queue = [...tests];
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const path = join(checkout, file.replace(/\.ts$/, ".js"));
      const result = await runFile({ program, runner, file: path, omitted: Object.keys(TESTS[file] ?? {}), env });
      show(file, result);
      for (const { result: how } of result.told) count[how]++;
      if (result.problem !== undefined) count.failed++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const left = tests.flatMap((file) =>
    Object.entries(TESTS[file] ?? {}).map(([name, why]) => `${file}: ${name}: ${why}`)
  );
  for (const file of omitted) console.log(`not applicable: ${file}: ${FILES[file]}`);
  for (const line of left) console.log(`not applicable: ${line}`);
  console.log(`${omitted.length} files and ${left.length} tests not applicable, ${count.ignored} ignored`);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0 && count.passed > 0 ? 0 : 1;
}

function show(file: string, { told, problem, output }: FileResult): void {
  const failed = told.filter(({ result }) => result === "failed");
  const isGood = failed.length === 0 && problem === undefined;
  console.log(`${isGood ? "ok" : "FAILED"} ${file} (${told.length - failed.length} of ${told.length})`);
  for (const { name, error } of failed) console.log(`  FAILED ${name}\n${error}`);
  if (problem !== undefined) console.log(`  ${problem}\n${output}`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));

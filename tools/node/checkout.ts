/**
 * The tests for another runtime: transpiled one file to one file, with `Deno` of the shim and with the modules of the
 * installed package in place of ours. Nothing in the package is touched.
 *
 * @module
 */

import { cp } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { type Installed, run } from "./package.ts";

/** What the tests read besides modules. */
const DATA = ["deno.json", "flow.schema.json", "flows", "docs", "README.md"];

const SHIM = "tools/node/shim/mod.ts";

/** What the shim stands in for. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  "Deno": "DenoShim",
  "Promise.withResolvers": "withResolvers",
  "Array.fromAsync": "fromAsync",
  "Promise.try": "promiseTry",
  "Map.groupBy": "groupBy",
};

/** A relative import in what esbuild writes. */
const RELATIVE_IMPORT = /(\bfrom |\bimport |\bimport\()"(\.{1,2}\/[^"]+)"/g;

/** Writes the tests of the checkout `root` into `folder`, with all that they import and the package does not have. */
export async function writeCheckout(
  root: string,
  folder: string,
  options: { installed: Installed; tests: readonly string[] },
): Promise<void> {
  const { installed, tests } = options;
  const world = new World(root, folder, installed.path);
  const files = await world.collect([...tests, SHIM, "tools/node/shim/run.ts"]);
  const esbuild = join(installed.folder, "node_modules", ".bin", "esbuild");
  const flags = ["--format=esm", "--target=node20", "--log-level=error", `--outdir=${folder}`, `--outbase=${root}`];
  const defines = Object.entries(DEFINITIONS).map(([what, by]) => `--define:${what}=${by}`);
  await run(esbuild, [...files.map((file) => join(root, file)), ...flags, ...defines], root);
  for (const file of files) await world.finish(file);
  for (const name of DATA) await cp(join(root, name), join(folder, name), { recursive: true });
}

class World {
  readonly #root: string;
  readonly #folder: string;
  readonly #package: string;

  constructor(root: string, folder: string, path: string) {
    this.#root = root;
    this.#folder = folder;
    this.#package = path;
  }

  /** The files that are needed, and not in the package. Processes that tests start count as imported. */
  async collect(start: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    const queue = [...start];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (found.has(file)) continue;
      found.add(file);
      const text = await Deno.readTextFile(join(this.#root, file));
      const specifiers = text.matchAll(/(?:\bfrom |\bimport |\bimport\(|new URL\()"(\.{1,2}\/[^"]+\.ts)"/g);
      for (const [, specifier] of specifiers) {
        const target = this.#resolve(file, specifier!);
        if (!await isFile(this.#inPackage(target)) && await isFile(join(this.#root, target))) queue.push(target);
      }
      if (text.includes(`"@std/assert"`)) queue.push("tools/links/assert/mod.ts");
    }
    return [...found];
  }

  /** Points the imports of a transpiled file to where things are, and gives it the shim. */
  async finish(file: string): Promise<void> {
    const path = join(this.#folder, file.replace(/\.ts$/, ".js"));
    let text = await Deno.readTextFile(path);
    const targets = new Map<string, string>();
    for (const [, , specifier] of text.matchAll(RELATIVE_IMPORT)) {
      const target = this.#resolve(file, specifier!);
      const inPackage = this.#inPackage(target);
      targets.set(specifier!, await isFile(inPackage) ? inPackage : join(this.#folder, target.replace(/\.ts$/, ".js")));
    }
    text = text
      .replaceAll(RELATIVE_IMPORT, (_all, how, specifier) => `${how}"${between(path, targets.get(specifier)!)}"`)
      .replaceAll(`"@std/assert"`, `"${between(path, join(this.#folder, "tools/links/assert/mod.js"))}"`)
      .replaceAll(`"@nats-io/transport-deno"`, `"@nats-io/transport-node"`)
      .replaceAll("import.meta.main", "isMain(import.meta.url)");
    const isShim = file.startsWith(dirname(SHIM));
    const names = [...Object.values(DEFINITIONS), "isMain"].filter((name) => new RegExp(`\\b${name}\\b`).test(text));
    const shim = between(path, join(this.#folder, SHIM.replace(/\.ts$/, ".js")));
    if (!isShim && names.length > 0) text = `import { ${names.join(", ")} } from "${shim}";\n${text}`;
    await Deno.writeTextFile(path, text);
  }

  #resolve(from: string, specifier: string): string {
    return relative(this.#root, resolve(this.#root, dirname(from), specifier)).replaceAll(sep, "/");
  }

  #inPackage(file: string): string {
    return join(this.#package, file.replace(/\.ts$/, ".js"));
  }
}

function between(from: string, to: string): string {
  const path = relative(dirname(from), to).replaceAll(sep, "/");
  return path.startsWith(".") ? path : `./${path}`;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

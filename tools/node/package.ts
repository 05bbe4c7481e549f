/** The npm package: made by `deno pack`, installed by npm into a folder of its own. @module */

import { join } from "node:path";

/** A folder with the package installed. */
export interface Installed {
  /** The folder. */
  folder: string;
  /** Where the package is in it. */
  path: string;
}

/** Makes the package of a checkout, and installs it with its dependencies and some more packages. */
export async function installPackage(root: string, folder: string, more: readonly string[] = []): Promise<Installed> {
  const tarball = join(folder, "packtrail.tgz");
  await run(Deno.execPath(), ["pack", "--allow-dirty", "--output", tarball], root);
  await Deno.writeTextFile(join(folder, "package.json"), `{ "private": true, "type": "module" }\n`);
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", ...flags, tarball, ...more], folder);
  return { folder, path: join(folder, "node_modules", "@packtrail", "core") };
}

/** Runs a program to its end. @throws {Error} Where it fails, with what it said. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], cwd, stdin: "null", env: { NO_COLOR: "1" } });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(
    `${program} ${args.slice(0, 2).join(" ")} failed:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`,
  );
}

/** The version that a program prints; `undefined` where it is not there. */
export async function versionOf(program: string): Promise<string | undefined> {
  try {
    return (await run(program, ["--version"], ".")).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

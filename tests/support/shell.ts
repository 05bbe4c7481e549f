/** The guide's shell commands, run as a reader would: by a shell, in a folder, with `deno` at hand. @module */

import { dirname, join } from "node:path";
import { PATIENCE_MS } from "./until.ts";

const ROOT = dirname(dirname(import.meta.dirname!));

/** How commands ended. */
export interface ShellResult {
  /** The exit code. */
  code: number;
  /** What was printed. */
  stdout: string;
  /** What was said on standard error. */
  stderr: string;
}

/** Where commands run. */
export interface ShellOptions {
  /** The folder. */
  cwd: string;
  /** Variables. */
  env?: Record<string, string>;
}

/** A shell that is about to run commands; `deno run` and `deno test` there know the package by its name. */
export function shell(commands: string, { cwd, env = {} }: ShellOptions): Deno.Command {
  const config = join(ROOT, "deno.json");
  const script = [
    "set -e",
    `deno() { first=$1; shift; case $first in run|test) set -- --config '${config}' "$@";; esac;`,
    `  '${Deno.execPath()}' "$first" "$@"; }`,
    commands,
  ].join("\n");
  return new Deno.Command("sh", {
    args: ["-c", script],
    cwd,
    env: { NO_COLOR: "1", FORCE_COLOR: "", NATS_CONTEXT: "", NATS_CREDS: "", PACKTRAIL_NAMESPACE: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs commands to their end. */
export async function runShell(commands: string, options: ShellOptions): Promise<ShellResult> {
  const child = shell(commands, options).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const { code, stdout, stderr } = await child.output().finally(() => clearTimeout(timer));
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

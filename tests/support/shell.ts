/** The guide's shell commands, run as a reader would: by a shell, in a folder, with `deno` at hand. @module */

import { dirname, join } from "node:path";
import { PATIENCE_MS, until } from "./until.ts";

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
  /** Whether the folder is a checkout; otherwise `deno run` and `deno test` are told of this one's configuration. */
  isCheckout?: boolean;
}

/** Commands that go on until they are ended. */
export interface GoingShell extends AsyncDisposable {
  /** Waits until something is printed. */
  printed(text: string | RegExp): Promise<RegExpExecArray>;
}

/** `deno` is this one. Types are not checked: `deno task docs` does that for every block. */
function prelude(isCheckout: boolean): string[] {
  if (isCheckout) return [`PATH='${dirname(Deno.execPath())}':"$PATH"`, "export PATH"];
  const config = join(ROOT, "deno.json");
  return [
    `deno() { first=$1; shift; case $first in run|test) set -- --no-check --config '${config}' "$@";; esac;`,
    `  '${Deno.execPath()}' "$first" "$@"; }`,
  ];
}

function shell(commands: string, { cwd, env = {}, isCheckout = false }: ShellOptions): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", ["set -e", ...prelude(isCheckout), commands].join("\n")],
    cwd,
    env: { NO_COLOR: "1", FORCE_COLOR: "", NATS_CONTEXT: "", NATS_CREDS: "", PACKTRAIL_NAMESPACE: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs commands to their end. */
export async function runShell(commands: string, options: ShellOptions): Promise<ShellResult> {
  const child = shell(commands, options);
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const { code, stdout, stderr } = await child.output().finally(() => clearTimeout(timer));
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts a command that goes on; it is ended as Ctrl-C would, with what it has started. */
export function startShell(command: string, options: ShellOptions): GoingShell {
  const child = shell(`exec ${command.trim()}`, options);
  let output = "";
  let hasEnded = false;
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  });
  const status = child.status.finally(() => hasEnded = true);
  return {
    printed: (text) =>
      until(() => {
        const found = (typeof text === "string" ? new RegExp(RegExp.escape(text)) : text).exec(output);
        if (found === null && hasEnded) throw new Error(`${command.trim()} has ended: ${output}`);
        return found;
      }, `${text} from ${command.trim()}`),
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      await status.finally(() => clearTimeout(timer));
      await Promise.all(reading);
    },
  };
}

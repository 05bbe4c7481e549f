import { spawn } from "node:child_process";
import process from "node:process";

/** How a program ended. */
export interface Ended {
  /** Its exit code; `null` where a signal ended it. */
  code: number | null;
  /** What it printed. */
  stdout: string;
  /** What it said on standard error. */
  stderr: string;
  /** Whether it was ended for taking too long. */
  timedOut: boolean;
}

/**
 * Runs a program to its end, with messages in English.
 *
 * @throws {Error} Where it cannot be started, or is not installed.
 */
export function execute(
  program: string,
  args: readonly string[],
  options: { cwd?: string; timeout: number },
): Promise<Ended> {
  const { timeout, ...place } = options;
  const env = { ...inheritedEnvironment(), LC_ALL: "C" };
  const child = spawn(program, [...args], { ...place, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended: Ended = { code: null, stdout: "", stderr: "", timedOut: false };
  const timer = setTimeout(() => {
    ended.timedOut = true;
    child.kill("SIGKILL");
  }, timeout);
  return new Promise<Ended>((resolve, reject) => {
    child.on("close", (code) => resolve({ ...ended, code }));
    child.on("error", (cause: NodeJS.ErrnoException) => {
      reject(cause.code === "ENOENT" ? new Error(`${program} is not installed`, { cause }) : cause);
    });
    for (const name of ["stdout", "stderr"] as const) {
      // A program that cannot be started may have no streams.
      child[name]?.setEncoding("utf8").on("data", (text: string) => ended[name] += text);
    }
  }).finally(() => clearTimeout(timer));
}

/** The environment for a child process: all of ours; in Deno, what of it may be read. */
export function inheritedEnvironment(): Record<string, string | undefined> {
  try {
    return { ...process.env };
  } catch { // Deno, without the permission to read it
    return {};
  }
}

import { chmod, copyFile, mkdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { execute } from "./execute.ts";
import { checkVersion } from "./version.ts";

/** Whether this machine runs Windows. */
export const IS_WINDOWS: boolean = process.platform === "win32";

/** The file name of the server's binary on this machine. */
export const BINARY_NAME: string = IS_WINDOWS ? "nats-server.exe" : "nats-server";

/** The value of an environment variable; `undefined` where it is unset, empty, or may not be read. */
export function environment(name: string): string | undefined {
  try {
    return process.env[name] || undefined;
  } catch { // Deno without the permission for it
    return undefined;
  }
}

/** The folder where packtrail keeps what it provisioned; inside the checkout where the user has no cache folder. */
export function cacheFolder(): string {
  const home = environment("HOME") ?? environment("USERPROFILE");
  const base = environment("XDG_CACHE_HOME") ?? (home === undefined ? undefined : underHome(home));
  return base === undefined ? join(import.meta.dirname ?? ".", "..", "..", ".cache") : join(base, "packtrail");
}

function underHome(home: string): string {
  if (process.platform === "darwin") return join(home, "Library", "Caches");
  if (IS_WINDOWS) return environment("LOCALAPPDATA") ?? join(home, "AppData", "Local");
  return join(home, ".cache");
}

/** Whether a path is a file that can be seen. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * Copies a new binary to where it is kept. The last step is a rename, so another process that does the same, or
 * already runs the old one, sees a whole file at any time.
 */
export async function installBinary(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const draft = join(dirname(to), `.${crypto.randomUUID()}-${BINARY_NAME}`);
  try {
    await copyFile(from, draft);
    if (!IS_WINDOWS) await chmod(draft, 0o755);
    await checkVersion(draft);
    await rename(draft, to);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Makes a temporary folder that only this user can look into. */
export async function makeTempFolder(prefix: string): Promise<string> {
  // `mkdtemp` would do the same, but Deno asks for a permission that `mkdir` does without.
  const folder = join(tempFolder(), `${prefix}${crypto.randomUUID()}`);
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

function tempFolder(): string {
  try {
    return tmpdir();
  } catch { // Deno without the permission to read TMPDIR
    return "/tmp";
  }
}

/** Removes a folder and what is in it; one that is gone already is fine. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Whether an error of the file system has one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Runs a step in a temporary folder that is removed afterwards. */
export async function withTempFolder<T>(step: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makeTempFolder("packtrail-");
  try {
    return await step(folder);
  } finally {
    await removeFolder(folder);
  }
}

/**
 * Runs a program to its end.
 *
 * @throws {Error} Where it is not installed, takes longer than `timeout` milliseconds, or fails; with the last lines
 * it printed.
 */
export async function runProgram(
  program: string,
  args: string[],
  options: { cwd?: string; timeout?: number } = {},
): Promise<void> {
  const { cwd, timeout = 120_000 } = options;
  const { code, stdout, stderr, timedOut } = await execute(program, args, { timeout, ...(cwd && { cwd }) });
  if (timedOut) throw new Error(`${program} took longer than ${timeout / 1_000} s`);
  if (code === 0) return;
  const lines = (stderr || stdout).trim().split("\n").filter((line) => !line.startsWith("W: "));
  throw new Error(`\`${program} ${args.at(-2)} ${args.at(-1)}\` failed: ${lines.slice(-3).join("; ")}`);
}

import { dirname, join } from "node:path";
import { checkVersion } from "./version.ts";

/** The file name of the server's binary on this machine. */
export const BINARY_NAME: string = Deno.build.os === "windows" ? "nats-server.exe" : "nats-server";

/** The value of an environment variable; `undefined` where it is unset, empty, or may not be read. */
export function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** The folder where packtrail keeps what it provisioned; inside the checkout where the user has no cache folder. */
export function cacheFolder(): string {
  const home = environment("HOME") ?? environment("USERPROFILE");
  const base = environment("XDG_CACHE_HOME") ?? (home === undefined ? undefined : underHome(home));
  return base === undefined ? join(import.meta.dirname ?? ".", "..", "..", ".cache") : join(base, "packtrail");
}

function underHome(home: string): string {
  if (Deno.build.os === "darwin") return join(home, "Library", "Caches");
  if (Deno.build.os === "windows") return environment("LOCALAPPDATA") ?? join(home, "AppData", "Local");
  return join(home, ".cache");
}

/** Whether a path is a file that can be seen. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/**
 * Copies a new binary to where it is kept. The last step is a rename, so another process that does the same, or
 * already runs the old one, sees a whole file at any time.
 */
export async function installBinary(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  const draft = join(dirname(to), `.${crypto.randomUUID()}-${BINARY_NAME}`);
  try {
    await Deno.copyFile(from, draft);
    if (Deno.build.os !== "windows") await Deno.chmod(draft, 0o755);
    await checkVersion(draft);
    await Deno.rename(draft, to);
  } finally {
    await Deno.remove(draft).catch(ignoreNotFound);
  }
}

/** A rejection handler for removals: what is gone already is fine. */
export function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Runs a step in a temporary folder that is removed afterwards. */
export async function withTempFolder<T>(step: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "packtrail-" });
  try {
    return await step(folder);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(ignoreNotFound);
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
  const signal = AbortSignal.timeout(timeout);
  const command = new Deno.Command(program, { args, stdin: "null", signal, env: { LC_ALL: "C" }, ...(cwd && { cwd }) });
  let output: Deno.CommandOutput;
  try {
    output = await command.output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error(`${program} is not installed`, { cause: error });
    throw error;
  }
  if (output.success) return;
  if (signal.aborted) throw new Error(`${program} took longer than ${timeout / 1_000} s`);
  const text = new TextDecoder().decode(output.stderr) || new TextDecoder().decode(output.stdout);
  const lines = text.trim().split("\n").filter((line) => !line.startsWith("W: "));
  throw new Error(`\`${program} ${args.at(-2)} ${args.at(-1)}\` failed: ${lines.slice(-3).join("; ")}`);
}

/**
 * What the command learns from its surroundings: variables, files, terminals.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";

/** The value of an environment variable; `undefined` where it is unset, empty, or may not be read. */
export function environment(name: string): string | undefined {
  try {
    return process.env[name] || undefined;
  } catch { // Deno without the permission for it
    return undefined;
  }
}

/** The text of a file; `undefined` where there is none. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** A signal that is aborted when the user interrupts the command, or ends it; the second time it ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const end = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const signal of ["SIGINT", process.platform === "win32" ? "SIGBREAK" : "SIGTERM"] as const) {
    process.on(signal, end);
  }
  return controller.signal;
}

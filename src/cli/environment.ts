/**
 * What the command learns from its surroundings: variables, files, terminals.
 *
 * @module
 */

/** The value of an environment variable; `undefined` where it is unset, empty, or may not be read. */
export function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** The text of a file; `undefined` where there is none. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** A signal that is aborted when the user interrupts the command, or ends it; the second time it ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const end = () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort();
  };
  for (const signal of ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"] as const) {
    Deno.addSignalListener(signal, end);
  }
  return controller.signal;
}

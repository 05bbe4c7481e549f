/** Engines in processes of their own. @module */

import type { FlowDef } from "../mod.ts";

/** What an engine process is told. */
export interface EngineSettings {
  /** The NATS server. */
  readonly url: string;
  /** The namespace. */
  readonly namespace: string;
  /** The flows; their tasks are of kind `noop`. */
  readonly flows: FlowDef[];
}

/** An engine in a process of its own. */
export interface EngineProcess extends AsyncDisposable {
  /** The process id. */
  readonly pid: number;
}

const MAIN = new URL("./engine_main.ts", import.meta.url);
const ROOT = new URL("../", import.meta.url);

/** Starts an engine in a process of its own, which ends with this one. Resolves when it has set up. */
export async function startEngine(settings: EngineSettings): Promise<EngineProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN.href, JSON.stringify(settings)],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const first = await reader.read();
  if (first.done) throw new Error(`the engine process ended with code ${(await child.status).code}`);
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
      await reader.cancel();
    },
  };
}

/** Engines in processes of their own. @module */

import type { FlowDef } from "../mod.ts";
import { RunningProgram } from "../tests/support/process.ts";

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

/** Starts an engine in a process of its own, which ends with this one. Resolves when it has set up. */
export async function startEngine(settings: EngineSettings): Promise<EngineProcess> {
  const program = RunningProgram.start(MAIN, { settings, permissions: "all", stdout: "piped" });
  await program.line();
  return {
    pid: program.pid,
    async [Symbol.asyncDispose]() {
      await program.stop();
    },
  };
}

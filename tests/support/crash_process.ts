/** Engines, and workers of async invokers, in processes of their own that can be killed at a certain point. @module */

import type { FlowDef, ServeAsyncOptions } from "../../mod.ts";
import { type EngineProcess, startProcess } from "./engine_process.ts";
import type { Space } from "./space.ts";

/** What the process is told. Every attempt is answered by the test, see {@linkcode RemoteInvoker}. */
export interface CrashProcessOptions {
  /** An engine: its tasks are of kind `remote`, or of these async kinds, whose jobs it does itself or does not. */
  engine?: { flows: FlowDef[]; leaseTtl?: string; resultCache?: boolean; hosted?: string[]; elsewhere?: string[] };
  /** A worker of an async invoker. */
  worker?: Omit<ServeAsyncOptions, "invoker" | "namespace" | "logger">;
  /**
   * Holds back what it would write, heads or commands for the inbox, from the moment on that its first attempt has been
   * answered, or its first job been queued.
   */
  holds?: "exec" | "in";
}

const MAIN = new URL("./crash_main.ts", import.meta.url);

/** Starts a process; it ends with the test's. Resolves when it has set up. */
export async function startCrashProcess(space: Space, options: CrashProcessOptions): Promise<EngineProcess> {
  return await startProcess(space, MAIN, options);
}

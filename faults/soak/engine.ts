/** Engine processes of the soak. @module */

import { RunningProgram } from "../../tests/support/process.ts";
import { within } from "../../tests/support/until.ts";
import type { EngineSettings } from "./engine_main.ts";

/** An engine in a process of its own. */
export interface SoakEngine {
  /** The process id. */
  readonly pid: number;
  /** Kills it, as a crash would. */
  kill(): Promise<void>;
  /** Lets it drain. */
  stop(): Promise<void>;
}

const MAIN = new URL("./engine_main.ts", import.meta.url);

/** Starts one. Resolves when it takes work. */
export async function startEngine(settings: EngineSettings): Promise<SoakEngine> {
  const program = RunningProgram.start(MAIN, { settings, permissions: "all", stdout: "piped" });
  await within(program.line(), "an engine process to start");
  return {
    pid: program.pid,
    kill: () => program.kill(),
    async stop() {
      await program.stop();
    },
  };
}

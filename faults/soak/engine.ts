/** Engine processes of the soak. @module */

import { within } from "../../tests/support/until.ts";
import { linesOf } from "../lines.ts";
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
const ROOT = new URL("../../", import.meta.url);

/** Starts one. Resolves when it takes work. */
export async function startEngine(settings: EngineSettings): Promise<SoakEngine> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN.href, JSON.stringify(settings)],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(child.stdout);
  const { done } = await within(lines.next(), "an engine process to start");
  if (done) throw new Error(`the engine process ended with code ${(await child.status).code}`);
  const ended = async () => {
    await child.status;
    await lines.return(undefined);
  };
  return {
    pid: child.pid,
    async kill() {
      child.kill("SIGKILL");
      await ended();
      await child.stdin.close().catch(() => {});
    },
    async stop() {
      await child.stdin.close();
      await ended();
    },
  };
}

/** An engine process that is stopped and continued (SIGSTOP, SIGCONT). @module */

import { startInSpace } from "../tests/support/engine_process.ts";
import type { EngineProcessOptions, Space } from "../tests/support/mod.ts";
import type { RunningProgram } from "../tests/support/process.ts";

const MAIN = new URL("../tests/support/engine_main.ts", import.meta.url);

/** A process with an engine; tasks are of kind `remote`. */
export class StoppedProcess implements AsyncDisposable {
  /** Its owner id. */
  readonly owner: string;
  readonly #program: RunningProgram;

  private constructor(owner: string, program: RunningProgram) {
    this.owner = owner;
    this.#program = program;
  }

  /** Starts it. Resolves when it has set up. */
  static async start(space: Space, options: EngineProcessOptions): Promise<StoppedProcess> {
    const { owner, program } = await startInSpace(space, MAIN, options);
    return new StoppedProcess(owner, program);
  }

  /** Stops it where it is. */
  stop(): void {
    this.#program.signal("SIGSTOP");
  }

  /** Lets it go on. */
  go(): void {
    this.#program.signal("SIGCONT");
  }

  /** Kills it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }
}

/** An engine process that is stopped and continued (SIGSTOP, SIGCONT). @module */

import { type EngineProcessOptions, type Space, within } from "../tests/support/mod.ts";
import { readySubject } from "../tests/support/engine_process.ts";

const MAIN = new URL("../tests/support/engine_main.ts", import.meta.url);
const ROOT = new URL("../", import.meta.url);

/** A process with an engine; tasks are of kind `remote`. */
export class StoppedProcess implements AsyncDisposable {
  /** Its owner id. */
  readonly owner: string;
  readonly #child: Deno.ChildProcess;
  #hasEnded = false;

  private constructor(owner: string, child: Deno.ChildProcess) {
    this.owner = owner;
    this.#child = child;
    void child.status.then(() => this.#hasEnded = true);
  }

  /** Starts it. Resolves when it has set up. */
  static async start(space: Space, options: EngineProcessOptions): Promise<StoppedProcess> {
    const owner = `p-${crypto.randomUUID()}`;
    const settings = JSON.stringify({ ...options, url: space.url, namespace: space.namespace, ownerId: owner });
    const ready = Promise.withResolvers<void>();
    space.nc.subscribe(readySubject(space.namespace, owner), { callback: () => ready.resolve(), max: 1 });
    await space.nc.flush();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--permission-set=test", "--no-prompt", MAIN.pathname, settings],
      cwd: ROOT,
      stdin: "piped",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const process = new StoppedProcess(owner, child);
    await within(ready.promise, "an engine process to start");
    return process;
  }

  /** Stops it where it is. */
  stop(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Lets it go on. */
  go(): void {
    this.#child.kill("SIGCONT");
  }

  /** Kills it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
  }
}

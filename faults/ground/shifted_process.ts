/** An engine in a process of its own whose clock can be set. @module */

import type { ServerOptions } from "../../mod.ts";
import { readySubject } from "../../tests/support/engine_process.ts";
import { type Space, within } from "../../tests/support/mod.ts";

const MAIN = new URL("./clock_main.ts", import.meta.url);
const ROOT = new URL("../../", import.meta.url);

/** What such an engine is told: what JSON can say of a server's options, and how wrong its clock is at first. */
export interface ShiftedOptions extends Pick<ServerOptions, "flows" | "leaseTtl" | "resultCache" | "maxDeliver"> {
  /** By how many milliseconds its clock is ahead. */
  shift: number;
}

/** A process with an engine; its tasks are of kind `f`. */
export class ShiftedProcess implements AsyncDisposable {
  readonly #space: Space;
  readonly #owner: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(space: Space, owner: string, child: Deno.ChildProcess) {
    this.#space = space;
    this.#owner = owner;
    this.#child = child;
    this.#input = child.stdin.getWriter();
  }

  /** Starts it. Resolves when it has set up. */
  static async start(space: Space, options: ShiftedOptions): Promise<ShiftedProcess> {
    const owner = `c-${crypto.randomUUID()}`;
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
    const process = new ShiftedProcess(space, owner, child);
    await within(ready.promise, "an engine process to start");
    return process;
  }

  /** Sets its clock, so many milliseconds ahead of the true time. Returns what it then takes for the time. */
  async set(shiftMs: number): Promise<number> {
    const told = Promise.withResolvers<number>();
    const subject = `${readySubject(this.#space.namespace, this.#owner)}.clock`;
    this.#space.nc.subscribe(subject, { callback: (_error, msg) => told.resolve(Number(msg.string())), max: 1 });
    await this.#space.nc.flush();
    await this.#input.write(new TextEncoder().encode(`${shiftMs}\n`));
    return await within(told.promise, "an engine's clock to be set");
  }

  /** Lets it drain. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.#child.status.finally(() => clearTimeout(timer));
  }
}

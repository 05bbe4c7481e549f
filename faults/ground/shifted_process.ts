/** An engine in a process of its own whose clock can be set. @module */

import type { ServerOptions } from "../../mod.ts";
import { readySubject, startInSpace } from "../../tests/support/engine_process.ts";
import { type Space, within } from "../../tests/support/mod.ts";
import type { RunningProgram } from "../../tests/support/process.ts";

const MAIN = new URL("./clock_main.ts", import.meta.url);

/** What such an engine is told: what JSON can say of a server's options, and how wrong its clock is at first. */
export interface ShiftedOptions extends Pick<ServerOptions, "flows" | "leaseTtl" | "resultCache" | "maxDeliver"> {
  /** By how many milliseconds its clock is ahead. */
  shift: number;
}

/** A process with an engine; its tasks are of kind `f`. */
export class ShiftedProcess implements AsyncDisposable {
  readonly #space: Space;
  readonly #owner: string;
  readonly #program: RunningProgram;

  private constructor(space: Space, owner: string, program: RunningProgram) {
    this.#space = space;
    this.#owner = owner;
    this.#program = program;
  }

  /** Starts it. Resolves when it has set up. */
  static async start(space: Space, options: ShiftedOptions): Promise<ShiftedProcess> {
    const { owner, program } = await startInSpace(space, MAIN, options);
    return new ShiftedProcess(space, owner, program);
  }

  /** Sets its clock, so many milliseconds ahead of the true time. Returns what it then takes for the time. */
  async set(shiftMs: number): Promise<number> {
    const told = Promise.withResolvers<number>();
    const subject = `${readySubject(this.#space.namespace, this.#owner)}.clock`;
    this.#space.nc.subscribe(subject, { callback: (_error, msg) => told.resolve(Number(msg.string())), max: 1 });
    await this.#space.nc.flush();
    await this.#program.write(`${shiftMs}\n`);
    return await within(told.promise, "an engine's clock to be set");
  }

  /** Lets it drain. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => void this.#program.kill(), 10_000);
    await this.#program.stop().finally(() => clearTimeout(timer));
  }
}

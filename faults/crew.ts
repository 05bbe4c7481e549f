/** The engines of a namespace, on connections that fail, each replaced when it has died. @module */

import { assert } from "@std/assert";
import { type ServerOptions, UnavailableError } from "../mod.ts";
import { type Space, until } from "../tests/support/mod.ts";
import { FrailConnection } from "./frail_connection.ts";

interface Member {
  readonly frail: FrailConnection;
  readonly done: Promise<void>;
}

/** Some engines. */
export class Crew {
  readonly #space: Space;
  readonly #options: ServerOptions;
  readonly #members: Member[] = [];
  #hires = 0;

  /** Has nobody yet. */
  constructor(space: Space, options: ServerOptions) {
    this.#space = space;
    this.#options = options;
  }

  /** How many engines there have been. */
  get hires(): number {
    return this.#hires;
  }

  /** Starts one more. */
  async hire(): Promise<void> {
    this.#members.push(await this.#start());
  }

  /** The connection of one of them. */
  connection(index: number): FrailConnection {
    return this.#members[index]!.frail;
  }

  /** Starts another one in the place of one that is dead. */
  async replace(index: number): Promise<void> {
    const { frail, done } = this.#members[index]!;
    frail.die();
    this.#members[index] = await this.#start();
    await done;
  }

  /** Ends all of them. */
  async dismiss(): Promise<void> {
    for (const { frail } of this.#members) frail.die();
    await Promise.all(this.#members.map(({ done }) => done));
  }

  async #start(): Promise<Member> {
    const real = await until(() => this.#space.connect().catch(() => undefined), "a connection for an engine");
    const frail = new FrailConnection(real);
    const ownerId = `engine-${this.#hires++}`;
    const server = await this.#space.server({ ...this.#options, ownerId }, frail.nc);
    const done = server.run().catch((error) => assert(error instanceof UnavailableError, `${error}`));
    done.catch(() => {});
    return { frail, done };
  }
}

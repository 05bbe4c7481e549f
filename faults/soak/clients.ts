/** What comes from outside while the soak goes on: starts, evenly spread, and signals. @module */

import { jetstream, type JetStreamClient } from "@nats-io/jetstream";
import type { Server } from "../../mod.ts";
import { type Space, until } from "../../tests/support/mod.ts";
import { idOf, kindOf } from "./flows.ts";

const TICK_MS = 50;

/** Starts under way at once: more wait for their turn. */
const MAX_UNDER_WAY = 500;

/** When the signal of an approval is sent after its start: before it is waited for, about then, and late. */
const SIGNAL_DELAYS_MS = [0, 1_000, 4_000];

/** Starts executions and signals them. */
export class Clients {
  readonly #server: Server;
  readonly #js: JetStreamClient;
  readonly #space: Space;
  readonly #signals: Promise<void>[] = [];
  #underWay = 0;
  #error: unknown;
  /** Starts that were acknowledged. */
  started = 0;
  /** Signals that were acknowledged. */
  signalled = 0;
  /** Calls that were made again because it was not known what had become of them. */
  retries = 0;

  /** `server` is a client's: it runs no engine. */
  constructor(space: Space, server: Server) {
    this.#space = space;
    this.#server = server;
    this.#js = jetstream(space.nc);
  }

  /** Starts so many, evenly over a time. Resolves when all starts and signals were acknowledged. */
  async run(executions: number, seconds: number): Promise<void> {
    const begin = performance.now();
    for (let next = 0; next < executions;) {
      const elapsed = (performance.now() - begin) / 1_000;
      const due = Math.min(executions, Math.ceil(elapsed / seconds * executions));
      for (; next < due && this.#underWay < MAX_UNDER_WAY; next++) void this.#begin(next);
      if (this.#error !== undefined) throw this.#error;
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await until(() => this.#underWay === 0, "all starts to be acknowledged");
    await Promise.all(this.#signals);
    if (this.#error !== undefined) throw this.#error;
  }

  async #begin(n: number): Promise<void> {
    this.#underWay++;
    try {
      await this.#acknowledged(() => this.#start(n));
      this.started++;
      const { signal } = kindOf(n);
      if (signal !== undefined) this.#signals.push(this.#signal(n, signal));
    } catch (error) {
      this.#error ??= error;
    } finally {
      this.#underWay--;
    }
  }

  /** Every fourth start is a plain publish to the inbox, as from a client in another language. */
  async #start(n: number): Promise<void> {
    const { name } = kindOf(n);
    if (n % 4 !== 3) await this.#server.start(name, { n }, { id: idOf(n) });
    else await this.#js.publish(this.#space.names.command("start", name, idOf(n)), JSON.stringify({ n }));
  }

  async #signal(n: number, name: string): Promise<void> {
    try {
      const delay = SIGNAL_DELAYS_MS[n % SIGNAL_DELAYS_MS.length]!;
      await new Promise((resolve) => setTimeout(resolve, delay));
      await this.#acknowledged(() =>
        this.#server.signal(idOf(n), name, { by: "client" }, { id: `${idOf(n)}-${name}` })
      );
      this.signalled++;
    } catch (error) {
      this.#error ??= error;
    }
  }

  /** Makes a call until it is acknowledged. */
  async #acknowledged(call: () => Promise<void>): Promise<void> {
    for (let attempt = 0;; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (attempt === 9) throw error;
        this.retries++;
      }
    }
  }
}

/** I2: each version of an execution has one writer, as far as the servers announce it. @module */

import { assertEquals } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Names } from "../../src/names.ts";

/** Sees the writes of a namespace. It may miss some, and see some twice: servers change who leads. */
export class WriterWatch {
  readonly #writers = new Map<string, string>();
  readonly #broken: string[] = [];

  /** Watches on a connection, until that is closed. */
  constructor(nc: NatsConnection, names: Names) {
    nc.subscribe(names.events(), {
      callback: (error, msg) => {
        const head = error === null ? names.parseHead(msg.subject) : undefined;
        const note = msg.headers?.get("Packtrail-Head");
        if (head === undefined || head.phase === "due" || !note) return;
        const { v, w } = JSON.parse(note) as { v: number; w: string };
        const other = this.#writers.get(`${head.id} ${v}`);
        if (other !== undefined && other !== w) this.#broken.push(`${other} and ${w} wrote version ${v} of ${head.id}`);
        this.#writers.set(`${head.id} ${v}`, w);
      },
    });
  }

  /** @throws Where a version had two writers. */
  check(): void {
    assertEquals(this.#broken, []);
  }
}

/** What every benchmark works with: one NATS server in a temporary folder of its own, and a yardstick on it. @module */

import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import type { ServerOptions } from "../mod.ts";
import { type NatsServer, startNatsServer } from "../tools/nats.ts";
import { medianBy } from "./finding.ts";
import { chain, noop } from "./flows.ts";
import { Space } from "./space.ts";
import { Yardstick } from "./yardstick.ts";

/** A figure, and its share of the yardstick that was measured before and after it. */
export interface Sample {
  /** The figure. */
  readonly value: number;
  /** Its share. */
  readonly ratio: number;
}

/** The ground that is measured on. */
export class Ground implements AsyncDisposable {
  /** The NATS server. */
  readonly nats: NatsServer;
  /** The yardstick on it. */
  readonly yardstick: Yardstick;
  /** Whether everything is measured at its full scale, which takes long. */
  readonly isFull: boolean;
  readonly #nc: NatsConnection;

  private constructor(nats: NatsServer, nc: NatsConnection, yardstick: Yardstick, isFull: boolean) {
    this.nats = nats;
    this.yardstick = yardstick;
    this.isFull = isFull;
    this.#nc = nc;
  }

  /** Starts a server and sets the yardstick up. */
  static async create(isFull: boolean): Promise<Ground> {
    const nats = await startNatsServer();
    const nc = await connect({ servers: nats.url });
    const yardstick = await Yardstick.create(nc, await headBytes(nats.url));
    await yardstick.raw(); // warms the process up
    yardstick.raws.length = 0;
    return new Ground(nats, nc, yardstick, isFull);
  }

  /** The version of the NATS server. */
  get natsVersion(): string {
    return this.#nc.info!.version;
  }

  /** A namespace on the server. */
  space(options: ServerOptions): Promise<Space> {
    return Space.create(this.nats.url, options);
  }

  /** A namespace on the server whose engine runs in this process. */
  async engine(options: ServerOptions): Promise<Space> {
    const space = await this.space(options);
    space.run();
    return space;
  }

  /** Measures something several times. Returns the sample whose share of raw publishes is the middle one. */
  async ofRaw(repeats: number, measure: () => Promise<number>): Promise<Sample> {
    const samples: Sample[] = [];
    let before = await this.yardstick.raw();
    for (let repeat = 0; repeat < repeats; repeat++) {
      const value = await measure();
      const after = await this.yardstick.raw();
      samples.push({ value, ratio: value / ((before + after) / 2) });
      before = after;
    }
    return medianBy(samples, ({ ratio }) => ratio);
  }

  /** Ends the server and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nc.close();
    await this.nats.stop();
  }
}

/** The mean size of the bodies of a 10-task execution's heads. The event of a head says how large its body is. */
async function headBytes(url: string): Promise<number> {
  await using space = await Space.create(url, { flows: [chain("ten", 10, { invoker: "noop" })], invokers: { noop } });
  const nc = await connect({ servers: url });
  const sizes: number[] = [];
  const done = Promise.withResolvers<void>();
  nc.subscribe(`${space.namespace}.events.>`, {
    callback: (_error, msg) => {
      sizes.push(Number(msg.headers!.get("Nats-Msg-Size")));
      if (msg.subject.startsWith(`${space.namespace}.events.completed.`)) done.resolve();
    },
  });
  await nc.flush();
  space.run();
  await space.server.start("ten");
  await done.promise;
  await nc.close();
  return Math.round(sizes.reduce((sum, size) => sum + size) / sizes.length);
}

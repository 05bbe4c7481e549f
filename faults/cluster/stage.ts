/** What the scenarios of a cluster play on: three servers, engines on each of them, and a load. @module */

import type { NatsConnection } from "@nats-io/nats-core";
import { until } from "../../tests/support/mod.ts";
import { Random } from "../random.ts";
import { Load, type LoadReport } from "./load.ts";
import { ProxiedCluster } from "./proxied_cluster.ts";
import { ReplyFaults } from "./reply_faults.ts";

/** How a stage is set. */
export interface StageOptions {
  readonly seed: number;
  /** Tells what happens. */
  readonly log?: (line: string) => void;
  /** Executions under way at once. */
  readonly alive?: number;
}

/** Three servers under load. */
export class Stage implements AsyncDisposable {
  /** The servers. */
  readonly cluster: ProxiedCluster;
  /** Executions that are under way all the time. */
  readonly load: Load;
  /** What happens to answers on their way to the engines and to the client. */
  readonly replies: ReplyFaults;
  /** Decides what the seed has to decide. */
  readonly random: Random;
  /** How often each fault was injected. */
  readonly faults: Record<string, number> = {};
  readonly #log: (line: string) => void;
  readonly #connections: readonly NatsConnection[];
  readonly #startedAt = performance.now();

  private constructor(
    parts: { cluster: ProxiedCluster; load: Load; replies: ReplyFaults; connections: readonly NatsConnection[] },
    { seed, log = () => {} }: StageOptions,
  ) {
    this.cluster = parts.cluster;
    this.load = parts.load;
    this.replies = parts.replies;
    this.random = new Random(seed);
    this.#connections = parts.connections;
    this.#log = log;
  }

  /** Starts everything: an engine on the first server, one on the second, and a client that may use any. */
  static async open(options: StageOptions): Promise<Stage> {
    const { seed, alive } = options;
    const cluster = await ProxiedCluster.start();
    const connections: NatsConnection[] = [];
    try {
      const replies = new ReplyFaults(new Random(seed));
      const { judges } = replies;
      for (const nodes of [[0], [1], [0, 1, 2]]) connections.push(await cluster.connect({ nodes, judges }));
      const [one, other, client] = connections as [NatsConnection, NatsConnection, NatsConnection];
      const load = await Load.start({ seed, client, engines: [one, other], ...(alive === undefined ? {} : { alive }) });
      return new Stage({ cluster, load, replies, connections }, options);
    } catch (error) {
      for (const nc of connections) await nc.close();
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The connection of one of the two engines. */
  engine(index: 0 | 1): NatsConnection {
    return this.#connections[index]!;
  }

  /** The stream of the load's executions. */
  get stream(): string {
    return this.load.space.names.executionStream();
  }

  /** Counts a fault, and tells of it. */
  inject(fault: string, detail = ""): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    this.tell(`${fault} ${detail}`);
  }

  /** Tells what happens. */
  tell(line: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1);
    this.#log(`${seconds} s, ${this.load.settled} ended: ${line.trim()}`);
  }

  /** The place of the server that leads the executions. */
  async leader(): Promise<number> {
    // The first server's place is 0: inside an object it counts as found.
    const found = await until(async () => {
      const place = await this.cluster.leaderOf(this.load.space.nc, this.stream);
      return place === undefined ? undefined : { place };
    }, "a leader of the executions");
    return found.place;
  }

  /** Waits until a time has passed: faults that last. */
  async last(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** No more faults; all comes to its end and is checked. */
  async finish(): Promise<LoadReport> {
    this.replies.rates = {};
    this.cluster.heal();
    await this.cluster.ready();
    this.tell("healed");
    const report = await this.load.finish((line) => this.tell(line));
    this.tell("checked");
    return report;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.load.close().catch((error) => this.tell(`the load did not close: ${error}`));
    for (const nc of this.#connections) await nc.close();
    await this.cluster[Symbol.asyncDispose]();
  }
}

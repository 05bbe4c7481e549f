/**
 * The yardsticks: what the hardware, the NATS server and nats.js allow, measured beside every case.
 *
 * A publish here is what a step cannot do without: a compare-and-set on the last sequence of its subject, a body of the
 * size of a head, acknowledged by the stream. File storage, default sync.
 *
 * @module
 */

import { jetstream, JetStreamApiError, type JetStreamClient, jetstreamManager, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { median } from "./finding.ts";

const IN_FLIGHT = 64;
const WARM_UP_MS = 150;
const RAW_MS = 1_000;
const RTT_SAMPLES = 400;

/**
 * A refusal of nats-server 2.15 where streams have copies: it holds the last publish to a subject for under way in the
 * moment after it has acknowledged it. Once in some 100,000 publishes; every writer has to make such a one again.
 */
const STILL_UNDER_WAY = 10164;

/** Measures raw publishes on one NATS server. */
export class Yardstick {
  /** Every measurement of raw publishes per second. */
  readonly raws: number[] = [];
  /** Every measurement of the time of one publish alone, in milliseconds. */
  readonly rtts: number[] = [];
  readonly #js: JetStreamClient;
  readonly #body: Uint8Array;
  readonly #sequences: number[];

  private constructor(js: JetStreamClient, bytes: number, sequences: number[]) {
    this.#js = js;
    this.#body = new TextEncoder().encode("x".repeat(bytes));
    this.#sequences = sequences;
  }

  /** The size of the body of its publishes. */
  get bytes(): number {
    return this.#body.length;
  }

  /** Sets the yardstick's own stream up. */
  static async create(nc: NatsConnection, bytes: number, replicas = 1): Promise<Yardstick> {
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({
      name: "yardstick",
      subjects: ["yardstick.*"],
      storage: StorageType.File,
      max_msgs_per_subject: 1,
      num_replicas: replicas,
    });
    return new Yardstick(jetstream(nc), bytes, new Array<number>(IN_FLIGHT).fill(0));
  }

  /** Compare-and-set publishes per second with their acknowledgements, 64 in flight. */
  async raw(): Promise<number> {
    const from = performance.now() + WARM_UP_MS;
    const to = from + RAW_MS;
    let count = 0;
    await Promise.all(this.#sequences.map(async (_, lane) => {
      for (let now = performance.now(); now < to; now = performance.now()) {
        await this.#publish(lane);
        if (now >= from) count++;
      }
    }));
    const raw = count / ((performance.now() - from) / 1_000);
    this.raws.push(raw);
    return raw;
  }

  /** The median time of one such publish alone, in milliseconds. */
  async rtt(): Promise<number> {
    const times: number[] = [];
    for (let sample = 0; sample < RTT_SAMPLES; sample++) times.push(await this.#timed());
    const rtt = median(times);
    this.rtts.push(rtt);
    return rtt;
  }

  /** The median time of lone publishes between the runs of something else, in milliseconds. */
  async rttBetween(runs: number, run: () => Promise<void>): Promise<number> {
    const times: number[] = [];
    for (let count = 0; count < runs; count++) {
      await run();
      await this.#publish(0); // what the run has left to do is done beside this one
      times.push(await this.#timed(), await this.#timed());
    }
    const rtt = median(times);
    this.rtts.push(rtt);
    return rtt;
  }

  async #timed(): Promise<number> {
    const began = performance.now();
    await this.#publish(0);
    return performance.now() - began;
  }

  async #publish(lane: number): Promise<void> {
    const expect = { lastSubjectSequence: this.#sequences[lane]! };
    for (;;) {
      try {
        const { seq } = await this.#js.publish(`yardstick.${lane}`, this.#body, { expect });
        this.#sequences[lane] = seq;
        return;
      } catch (error) {
        if (!(error instanceof JetStreamApiError && error.code === STILL_UNDER_WAY)) throw error;
      }
    }
  }
}

/**
 * The soak: executions of several kinds for a long time, two engine processes of which one is killed again and again,
 * and a look at the memory of all.
 *
 * One engine lives from the beginning to the end, so that its memory says something; the other is killed (SIGKILL) every
 * 20 seconds and started again at once.
 *
 * @module
 */

import { jetstreamManager } from "@nats-io/jetstream";
import { memoryMiB } from "../../bench/process.ts";
import type { Server } from "../../mod.ts";
import { inSpace, type Space } from "../../tests/support/mod.ts";
import { type NatsServer, startNatsServer } from "../../tools/nats.ts";
import { checkAll, type Checked, countEnded } from "./checks.ts";
import { Clients } from "./clients.ts";
import { Effects } from "./effects.ts";
import { type SoakEngine, startEngine } from "./engine.ts";
import { KINDS } from "./flows.ts";
import { quarters, type Sample, slope } from "./samples.ts";

/** How long, and how much. */
export interface SoakOptions {
  /** How long executions are started for. */
  readonly minutes: number;
  /** How many there are. */
  readonly executions: number;
  /** Tells how it goes. */
  readonly log?: (line: string) => void;
}

/** What a soak came to. */
export interface SoakReport {
  readonly date: string;
  readonly minutes: number;
  /** How long it took until everything had ended and was checked, in seconds. */
  readonly seconds: number;
  readonly executions: number;
  readonly signals: number;
  /** Calls of clients that were made again. */
  readonly retries: number;
  /** Tasks that were done, and how many of them once more. */
  readonly effects: number;
  readonly repeats: number;
  readonly kills: number;
  readonly checked: Checked;
  /** Memory of the engine that lived on, in MiB: the medians of the quarters, and the last by the second. */
  readonly engine: { readonly quarters: readonly number[]; readonly ratio: number };
  /** Memory of the server in MiB: the medians of the quarters, and what 1,000 ended executions more take. */
  readonly server: { readonly quarters: readonly number[]; readonly perThousand: number };
  readonly samples: readonly Sample[];
}

const KILL_EVERY_MS = 20_000;
const SAMPLE_EVERY_MS = 5_000;

/** The engine's memory may be this much more in the last quarter than in the second: it is flat. */
const MAX_RATIO = 1.2;

/** A short run is all warming up: its memory says nothing. */
const SHORT_MINUTES = 10;

/** Soaks. @throws Where something is lost, left over, or memory is not flat. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  let report: SoakReport | undefined;
  await using server = await startNatsServer();
  await inSpace(async (space) => {
    const run = new Soak(space, server, options);
    try {
      report = await run.run();
    } finally {
      await run.end();
    }
  }, { url: server.url, namespace: "soak" });
  return report!;
}

class Soak {
  readonly #space: Space;
  readonly #nats: NatsServer;
  readonly #options: SoakOptions;
  readonly #effects: Effects;
  readonly #samples: Sample[] = [];
  readonly #begin = performance.now();
  #engine: SoakEngine | undefined;
  #victim: SoakEngine | undefined;
  #kills = 0;
  #isOver = false;

  constructor(space: Space, nats: NatsServer, options: SoakOptions) {
    this.#space = space;
    this.#nats = nats;
    this.#options = options;
    this.#effects = new Effects(options.executions);
  }

  async run(): Promise<SoakReport> {
    const { minutes, executions } = this.#options;
    const flows = KINDS.map(({ flow }) => flow);
    const client = await this.#space.server({ flows });
    await client.init();
    await this.#effects.serve(client);
    this.#engine = await this.#start("lives");
    this.#victim = await this.#start("dies-0");
    const clients = new Clients(this.#space, client);
    const around = Promise.all([this.#killing(), this.#sampling(client, clients)]);
    around.catch(() => {});
    await Promise.race([clients.run(executions, minutes * 60), around.then(() => {})]);
    this.#log("all are started");
    this.#isOver = true;
    await around;
    const checked = await checkAll(this.#space, client, this.#effects, executions);
    await this.#sample(client, clients);
    return this.#report(clients, checked);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all([this.#engine?.stop(), this.#victim?.stop()]);
  }

  /** Kills the one engine every now and then, and starts another in its place. */
  async #killing(): Promise<void> {
    while (await this.#isTime((this.#kills + 1) * KILL_EVERY_MS)) {
      const dying = this.#victim!;
      this.#victim = undefined;
      await dying.kill();
      this.#victim = await this.#start(`dies-${++this.#kills}`);
    }
  }

  async #sampling(server: Server, clients: Clients): Promise<void> {
    while (await this.#isTime(this.#samples.length * SAMPLE_EVERY_MS)) await this.#sample(server, clients);
  }

  async #sample(server: Server, clients: Clients): Promise<void> {
    const { names, nc } = this.#space;
    const jsm = await jetstreamManager(nc);
    const { state } = await jsm.streams.info(names.executionStream());
    const inbox = (await jsm.streams.info(names.inboxStream)).state.messages;
    const victim = this.#victim === undefined
      ? undefined
      : await memoryMiB(this.#victim.pid, "now").catch(() => undefined);
    const sample: Sample = {
      at: Math.round((performance.now() - this.#begin) / 100) / 10,
      engine: round(await memoryMiB(this.#engine!.pid, "now")),
      ...(victim === undefined ? {} : { victim: round(victim) }),
      server: round(await memoryMiB(this.#nats.pid, "now")),
      started: clients.started,
      ended: await countEnded(server),
      messages: state.messages,
      bytes: state.bytes,
      inbox,
    };
    this.#samples.push(sample);
    if (this.#samples.length % 12 === 0) this.#log(JSON.stringify(sample));
  }

  /** Waits until a time since the beginning. Whether it is not over by then. */
  async #isTime(ms: number): Promise<boolean> {
    while (!this.#isOver && performance.now() - this.#begin < ms) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return !this.#isOver;
  }

  #start(ownerId: string): Promise<SoakEngine> {
    const { url, namespace } = this.#space;
    return startEngine({ url, namespace, ownerId });
  }

  #log(line: string): void {
    this.#options.log?.(line);
  }

  #report({ signalled, retries }: Clients, checked: Checked): SoakReport {
    const { minutes, executions } = this.#options;
    const samples = this.#samples;
    const engine = quarters(samples, minutes * 60, ({ engine }) => engine);
    const ratio = engine[3]! / engine[1]!;
    if (minutes >= SHORT_MINUTES && !(ratio <= MAX_RATIO)) {
      throw new Error(`the engine's memory is not flat: the quarters' medians are ${engine} MiB`);
    }
    const late = samples.filter(({ at }) => at > minutes * 15 && at <= minutes * 60).map(({ ended, server }) =>
      [ended, server] as const
    );
    return {
      date: new Date().toISOString().slice(0, 10),
      minutes,
      seconds: Math.round((performance.now() - this.#begin) / 1_000),
      executions,
      signals: signalled,
      retries,
      effects: this.#effects.count,
      repeats: this.#effects.repeats,
      kills: this.#kills,
      checked,
      engine: { quarters: engine, ratio: Math.round(ratio * 1_000) / 1_000 },
      server: {
        quarters: quarters(samples, minutes * 60, ({ server }) => server),
        perThousand: Math.round(slope(late) * 1_000 * 1_000) / 1_000,
      },
      samples,
    };
  }
}

function round(mebibytes: number | undefined): number {
  return Math.round((mebibytes ?? 0) * 10) / 10;
}

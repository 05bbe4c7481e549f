/**
 * A crowd: executions of random flows under scripts, with engines at work on them, in one namespace. Somebody else makes
 * the ground under them hostile; afterwards everything is checked.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Server, ServerOptions } from "../../mod.ts";
import { interpret, type Outcome } from "../../src/core/testing/reference.ts";
import type { Script } from "../../src/core/testing/script.ts";
import { type RunningEngine, type Space, within } from "../../tests/support/mod.ts";
import {
  checkAttempts,
  checkDeadLetters,
  checkNothingLeft,
  checkVersions,
  comesTo,
  WriteWatch,
} from "../invariants.ts";
import { Random } from "../random.ts";
import { ScriptedWorld } from "../scripted_world.ts";
import { randomFlows, randomScript, type TamedFlow } from "../tame_flows.ts";

/** How large a crowd is, and where its engines are. */
export interface CrowdOptions {
  /** What decides flows and scripts. */
  readonly seed: number;
  /** How many flows. */
  readonly flows: number;
  /** How many executions of each. */
  readonly executions: number;
  /** The connections of the engines, one each; none where they are elsewhere. */
  readonly engines: readonly NatsConnection[];
  /** What engines are told beside their flows. */
  readonly options?: ServerOptions;
}

/** What a crowd did. */
export interface CrowdReport {
  /** Executions that came to what the reference interpreter says. */
  readonly executions: number;
  /** Invocations, repeated attempts counted each time. */
  readonly invocations: number;
  /** Heads that were written. */
  readonly transitions: number;
}

interface Member {
  readonly id: string;
  readonly of: TamedFlow;
  readonly script: Script;
  readonly outcome: Outcome;
}

const INPUT = { n: 1, kind: "input" };
const PATIENCE_MS = 120_000;

/** Executions, and who works on them. */
export class Crowd {
  /** The world outside. */
  readonly world: ScriptedWorld;
  /** A server without an engine. */
  readonly client: Server;
  /** The definitions. */
  readonly flows: readonly TamedFlow[];
  readonly #space: Space;
  readonly #members: readonly Member[];
  readonly #writes: WriteWatch;
  readonly #engines: RunningEngine[] = [];
  #started = 0;

  private constructor(space: Space, client: Server, flows: readonly TamedFlow[], members: readonly Member[]) {
    this.#space = space;
    this.client = client;
    this.flows = flows;
    this.#members = members;
    this.world = new ScriptedWorld(client);
    this.#writes = new WriteWatch(space.nc, space.names, true);
  }

  /** Sets the namespace up and starts the engines. */
  static async open(space: Space, options: CrowdOptions): Promise<Crowd> {
    const random = new Random(options.seed);
    const flows = randomFlows(random, options.flows, 0);
    const definitions = flows.map(({ definition }) => definition);
    const client = await space.server({ flows: definitions, invokers: { f: () => ({ status: "ok" }) } });
    await client.init();
    const members = flows.flatMap((of, flow) =>
      Array.from({ length: options.executions }, (_, nth): Member => {
        const script = { ...randomScript(random, of), resumes: [] };
        return { id: `e${flow}-${nth}`, of, script, outcome: interpret(of.flow, script, INPUT) };
      })
    );
    const crowd = new Crowd(space, client, flows, members);
    for (const { id, script } of members) crowd.world.expect(id, script);
    const invokers = { f: crowd.world.invoke };
    for (const nc of options.engines) {
      const engine = { leaseTtl: "2s", drainTimeout: "2s", ...options.options, flows: definitions, invokers };
      const running = await space.engine(engine, nc);
      crowd.#engines.push(running);
      await running.server.init();
    }
    return crowd;
  }

  /** How many starts have been acknowledged. */
  get started(): number {
    return this.#started;
  }

  /** Starts and signals everything, each until it is acknowledged. */
  async run(pauseMs = 20): Promise<void> {
    await Promise.all(this.#members.map(async ({ id, of, script }, index) => {
      await new Promise((resolve) => setTimeout(resolve, pauseMs * index));
      await this.world.acknowledged(() => this.client.start(of.definition.name, INPUT, { id }));
      this.#started++;
      for (const { name, payload } of script.signals) await this.world.signal(id, name, payload);
    }));
  }

  /**
   * When everything that was asked for has been acknowledged and the ground is firm again: the invariants.
   *
   * @param others Executions that somebody else has started in the namespace.
   */
  async check(others: readonly string[] = []): Promise<CrowdReport> {
    const { client, world } = this;
    const { nc, names } = this.#space;
    let transitions = 0;
    for (const { id, outcome } of this.#members) await comesTo(client, id, outcome, PATIENCE_MS);
    await checkNothingLeft(nc, names, client);
    await checkDeadLetters(client, this.#hopeless());
    for (const { id, outcome } of this.#members) {
      transitions += await checkVersions(nc, names, client, id);
      await comesTo(client, id, outcome, 1_000);
      checkAttempts(id, world.attempts.get(id)!, outcome);
    }
    this.#writes.check();
    assertEquals([world.refused, world.strangers], [[], []]);
    assertEquals(await client.list(), [...this.#members.map(({ id }) => id), ...others].sort());
    return { executions: this.#members.length, invocations: world.invocations, transitions };
  }

  /** Stops the engines, and nothing more is done. */
  async close(): Promise<void> {
    await within(this.world.end(), "the world to end");
    await Promise.all(this.#engines.map((engine) => engine.stop()));
  }

  /** The subjects of the signals that were sent although no node of their flow waits for them. */
  #hopeless(): string[] {
    return this.#members.flatMap(({ id, of: { flow }, script }) => {
      const known = new Set([...flow.nodes.values()].map((node) => node.type === "signal" ? node.signal : undefined));
      const names = new Set(script.signals.map(({ name }) => name).filter((name) => !known.has(name)));
      return [...names].map((name) => this.#space.names.command("signal", id, name));
    });
  }
}

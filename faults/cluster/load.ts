/**
 * A load: random tame flows whose executions are started one after the other, as many at once as are wanted, while
 * faults are injected by others. In the end, the invariants of all of them are checked.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import {
  type FlowDef,
  type InvokeRequest,
  type Result,
  type Server,
  type ServerOptions,
  StateError,
  UnavailableError,
} from "../../mod.ts";
import { interpret, type Outcome } from "../../src/core/testing/reference.ts";
import type { Script } from "../../src/core/testing/script.ts";
import { newNamespace, Space, until } from "../../tests/support/mod.ts";
import { shortenInbox } from "../crash_points.ts";
import { checkAttempts, checkDeadLetters, checkNothingLeft, checkVersions, comesTo, shows } from "../invariants.ts";
import { Random } from "../random.ts";
import { ScriptedWorld } from "../scripted_world.ts";
import { randomFlows, randomScript, type TamedFlow } from "../tame_flows.ts";
import { WriterWatch } from "./writer_watch.ts";

/** How a load is made. */
export interface LoadOptions {
  readonly seed: number;
  /** The connection of those who start executions, send signals and look. */
  readonly client: NatsConnection;
  /** The connections of the engines, one each. */
  readonly engines: readonly NatsConnection[];
  /** How many flows. @default {4} */
  readonly flows?: number;
  /** How many executions are under way at once. @default {6} */
  readonly alive?: number;
  /** Copies of each stream. @default {3} */
  readonly replicas?: number;
}

/** What a load has gone through. */
export interface LoadReport {
  readonly executions: number;
  readonly invocations: number;
  readonly transitions: number;
}

const LEASE_MS = 2_000;
const PATIENCE_MS = 60_000;
const CHECKS_AT_ONCE = 16;
const INPUT = { n: 1, kind: "a" };

/** By how much an invocation may follow a record of its result: it was looked for before it was there. */
const RECORD_GRACE_MS = 1_000;

/** A flow beside the others, for whoever wants to see whether work is done. */
const PROBE: FlowDef = { name: "probe", nodes: [{ id: "only", type: "task", invoker: "probe" }] };

/** An execution, and what is to come of it. */
interface Subject {
  readonly id: string;
  readonly of: TamedFlow;
  readonly script: Script;
  readonly outcome: Outcome;
}

/** Executions under way, and those who take part in them. */
export class Load {
  /** What the load works with. */
  readonly space: Space;
  /** A server that runs no engine. */
  readonly client: Server;
  /** The options of every server of the load. */
  readonly options: ServerOptions;
  readonly #world: ScriptedWorld;
  readonly #flows: readonly TamedFlow[];
  readonly #seed: number;
  readonly #subjects: Subject[] = [];
  readonly #writers: WriterWatch;
  readonly #invocations: { readonly key: string; readonly at: number }[] = [];
  readonly #closing = new AbortController();
  #running: Promise<unknown>[] = [];
  #failure: unknown;
  #settled = 0;
  #isEnding = false;

  private constructor(
    space: Space,
    { client, options, world, flows, seed }: {
      client: Server;
      options: ServerOptions;
      world: ScriptedWorld;
      flows: readonly TamedFlow[];
      seed: number;
    },
  ) {
    this.space = space;
    this.client = client;
    this.#world = world;
    this.#flows = flows;
    this.#seed = seed;
    const f = (request: InvokeRequest) => this.#invoke(request);
    this.options = { ...options, invokers: { ...options.invokers, f } };
    this.#writers = new WriterWatch(space.nc, space.names);
  }

  /** Sets a namespace up, starts its engines, and the first executions. */
  static async start(options: LoadOptions): Promise<Load> {
    const { seed, client: nc, engines, replicas = 3, alive = 6 } = options;
    const space = new Space("", nc, newNamespace());
    const flows = randomFlows(new Random(seed), options.flows ?? 4, 0);
    const common: ServerOptions = {
      flows: [...flows.map(({ definition }) => definition), PROBE],
      invokers: { f: () => ({ status: "ok" }), probe: () => ({ status: "ok" }) },
      replicas,
      leaseTtl: LEASE_MS,
      maxDeliver: 1_000,
      drainTimeout: 1_000,
      resultCache: true,
    };
    const client = await space.server(common);
    await provision(client);
    const load = new Load(space, { client, options: common, world: new ScriptedWorld(client), flows, seed });
    for (const [index, engine] of engines.entries()) {
      await space.engine({ ...load.options, ownerId: `engine-${index}` }, engine);
    }
    load.#running = [...Array.from({ length: alive }, () => load.#keepGoing()), load.#shortenInbox()];
    return load;
  }

  /** The flow of those who want to see whether work is done: its executions are no part of the load. */
  get probe(): string {
    return PROBE.name;
  }

  /** How many executions have come to their end. */
  get settled(): number {
    return this.#settled;
  }

  /** Waits until so many more executions have come to their end. */
  async progress(count: number, patienceMs = PATIENCE_MS): Promise<void> {
    const goal = this.#settled + count;
    await until(
      () => {
        if (this.#failure !== undefined) throw this.#failure;
        return this.#settled >= goal;
      },
      `${count} more executions to end`,
      patienceMs,
    );
  }

  /** Starts no more, waits for those under way, and checks all. */
  async finish(tell: (line: string) => void = () => {}): Promise<LoadReport> {
    const { space, client } = this;
    this.#isEnding = true;
    await Promise.all(this.#running.slice(0, -1));
    if (this.#failure !== undefined) throw this.#failure;
    tell("all have come to their end");
    await this.#checkNothingLeft();
    tell("nothing is left");
    await checkDeadLetters(client, this.#hopeless());
    const left = [...this.#subjects];
    let transitions = 0;
    const checkNext = async () => {
      for (let subject = left.pop(); subject !== undefined; subject = left.pop()) {
        const { id, outcome } = subject;
        const versions = await checkVersions(space.nc, space.names, client, id);
        transitions += versions;
        await comesTo(client, id, outcome, PATIENCE_MS);
        checkAttempts(id, this.#world.attempts.get(id)!, outcome);
      }
    };
    await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, checkNext));
    await this.#checkRecords();
    this.#writers.check();
    assertEquals(this.#world.refused, []);
    assertEquals(this.#world.strangers, []);
    const probes = new Set(await client.byFlow(PROBE.name));
    assertEquals(new Set((await client.byStatus("completed")).filter((id) => probes.has(id))), probes);
    assertEquals((await client.list()).filter((id) => !probes.has(id)), this.#subjects.map(({ id }) => id).sort());
    return { executions: this.#subjects.length, invocations: this.#world.invocations, transitions };
  }

  /** Ends all. */
  async close(): Promise<void> {
    this.#isEnding = true;
    this.#closing.abort();
    await this.#world.end();
    await Promise.allSettled(this.#running);
    await this.space.end();
  }

  #invoke(request: InvokeRequest): Promise<Result> {
    this.#invocations.push({ key: request.idempotencyKey, at: Date.now() });
    return this.#world.invoke(request);
  }

  async #keepGoing(): Promise<void> {
    while (!this.#isEnding && this.#failure === undefined) {
      const subject = this.#next();
      try {
        await this.#live(subject);
        this.#settled++;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#failure ??= new Error(`${(error as Error).message}\n${await this.#story(subject)}`, { cause: error });
      }
    }
  }

  #next(): Subject {
    const nth = this.#subjects.length;
    const of = this.#flows[nth % this.#flows.length]!;
    const script = randomScript(new Random(this.#seed + 7_919 * (nth + 1)), of);
    const subject = { id: `e${nth}`, of, script, outcome: interpret(of.flow, script, INPUT) };
    this.#subjects.push(subject);
    this.#world.expect(subject.id, script);
    return subject;
  }

  /** All that comes from outside to one execution. Resolves when it has come to its end. */
  async #live({ id, of, script, outcome }: Subject): Promise<void> {
    await this.#world.acknowledged(() => this.client.start(of.definition.name, INPUT, { id }));
    for (const { name, payload } of script.signals) await this.#world.signal(id, name, payload);
    for (let left = script.resumes.length; left > 0; left--) {
      if (await this.#failedOr(id, outcome) !== "failed") break;
      await this.#resume(id);
    }
    await comesTo(this.client, id, outcome, PATIENCE_MS);
  }

  /** Waits until an execution has failed, or has come to another status that it is to end with. */
  #failedOr(id: string, outcome: Outcome): Promise<string> {
    return until(
      async () => {
        const { status } = await this.#asked(id);
        if (status === "failed") return status;
        return status === outcome.status && await shows(this.client, id, outcome) ? status : undefined;
      },
      `execution ${id} to fail, or to come to ${outcome.status}`,
      PATIENCE_MS,
    );
  }

  /** Resumes once: when the answer is lost, whether it was resumed is looked up. */
  async #resume(id: string): Promise<void> {
    const { generation } = await this.#asked(id);
    await this.#world.acknowledged(async () => {
      const now = await this.client.get(id);
      if (now.status !== "failed" || now.generation !== generation) return;
      await this.client.resume(id).catch((error) => {
        // Its answer was lost, and the execution has moved on since: it cannot be told from another's resume.
        if (!(error instanceof StateError)) throw error;
      });
    });
  }

  async #asked(id: string): Promise<Awaited<ReturnType<Server["get"]>>> {
    let answer: Awaited<ReturnType<Server["get"]>> | undefined;
    await this.#world.acknowledged(async () => answer = await this.client.get(id));
    assert(answer !== undefined, "the load is over");
    return answer;
  }

  /** The subjects of the signals that were sent although no node of their flow waits for them. */
  #hopeless(): string[] {
    return this.#subjects.flatMap(({ id, of: { flow }, script }) => {
      const known = new Set([...flow.nodes.values()].map((node) => node.type === "signal" ? node.signal : undefined));
      const names = script.signals.map(({ name }) => name).filter((name) => !known.has(name));
      return names.map((name) => this.space.names.command("signal", id, name));
    });
  }

  async #checkNothingLeft(): Promise<void> {
    const { nc, names } = this.space;
    try {
      await checkNothingLeft(nc, names, this.client);
    } catch (error) {
      const jsm = await jetstreamManager(nc);
      const { state } = await jsm.streams.info(names.inboxStream, { subjects_filter: names.inboxSubjects() });
      const consumer = await jsm.consumers.info(names.inboxStream, "inbox").catch(String);
      const warnings = this.space.log.filter(({ level }) => level !== "info").slice(-15);
      const story = JSON.stringify({ state, consumer, warnings }, null, 1);
      throw new Error(`${(error as Error).message}: ${story}`, { cause: error });
    }
  }

  /** I3, with the result cache: an attempt whose result is recorded is not run again. */
  async #checkRecords(): Promise<void> {
    const jsm = await jetstreamManager(this.space.nc);
    const bucket = this.space.names.resultBucket;
    const count = Map.groupBy(this.#invocations, ({ key }) => key);
    for (const [key, calls] of count) {
      if (calls.length < 2) continue;
      const query = { last_by_subj: `$KV.${bucket}.engine.${key}` };
      const record = await jsm.streams.getMessage(`KV_${bucket}`, query).catch(() => null);
      if (record === null || !("result" in record.json<Record<string, unknown>>())) continue;
      const again = calls.filter(({ at }) => at > record.time.getTime() + RECORD_GRACE_MS);
      assertEquals(
        again.map(({ at }) => at - record.time.getTime()),
        [],
        `${key} was run after its result was recorded`,
      );
    }
  }

  /** What has become of an execution, for messages. */
  async #story({ id, of }: Subject): Promise<string> {
    try {
      const execution = await this.client.get(id);
      const events = await this.client.history(id);
      const history = events.map(({ node, status, attempt, revision, error }) =>
        `${revision} ${node} ${status} ${attempt} ${error ?? ""}`
      );
      const jsm = await jetstreamManager(this.space.nc);
      const { names } = this.space;
      const infos = [
        await jsm.consumers.info(names.executionStream(), names.flowConsumer(of.flow.name)),
        await jsm.consumers.info(names.inboxStream, "inbox"),
      ];
      const consumers = infos.map(({ delivered, ack_floor, num_pending, num_ack_pending, num_waiting, cluster }) => (
        { delivered, ack_floor, num_pending, num_ack_pending, num_waiting, leader: cluster?.leader }
      ));
      const heads = await jsm.streams.info(names.executionStream(), { subjects_filter: names.headsOf("*", id) });
      const mail = await jsm.streams.info(names.executionStream(), { subjects_filter: names.mailOf(id) });
      const warnings = this.space.log.filter(({ level }) => level !== "info").slice(-15);
      const kept = { heads: heads.state.subjects, mail: mail.state.subjects };
      return JSON.stringify({ execution, history, kept, consumers, warnings }, null, 1);
    } catch (error) {
      return `and its story cannot be told: ${error}`;
    }
  }

  async #shortenInbox(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      // The consumer is deleted, the server is away: later, then.
      await shortenInbox(this.space, this.#closing.signal).catch(() => {});
      if (!this.#closing.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Sets a namespace up. The servers of a young cluster may not have found each other yet. */
export async function provision(server: Server): Promise<void> {
  const setUp = async () => {
    try {
      await server.init();
      return true;
    } catch (error) {
      if (error instanceof UnavailableError) return false;
      throw error;
    }
  };
  await until(setUp, "the namespace to be set up");
}

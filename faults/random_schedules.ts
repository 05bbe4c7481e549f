/**
 * Random schedules: random flows, on engines and a server to which bad things happen, all from one seed.
 *
 * A round has a NATS server of its own and two namespaces on it, with flows and executions of the same names (I8), and
 * two engines in each. While their executions run, engines die and freeze at random effects, answers and acks are lost,
 * consumers are deleted, the server is killed and restarted, and commands are sent twice. Then everything heals, and
 * the invariants are checked.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { NotFoundError, type Server } from "../mod.ts";
import { interpret, type Outcome } from "../src/core/testing/reference.ts";
import type { Script } from "../src/core/testing/script.ts";
import { type NatsServer, startNatsServer } from "../tools/nats.ts";
import { inSpace, type Space, until } from "../tests/support/mod.ts";
import { shortenInbox } from "./crash_points.ts";
import { Crew } from "./crew.ts";
import {
  checkAttempts,
  checkDeadLetters,
  checkNothingLeft,
  checkVersions,
  comesTo,
  shows,
  WriteWatch,
} from "./invariants.ts";
import { Random } from "./random.ts";
import { ScriptedWorld } from "./scripted_world.ts";
import { randomFlows, randomScript, type TamedFlow } from "./tame_flows.ts";

/** How large a round is. */
export interface RoundOptions {
  readonly seed: number;
  /** Flows in each namespace. */
  readonly flows: number;
  /** Executions of each flow. */
  readonly executions: number;
  /** Faults that are injected. */
  readonly faults: number;
  /** How often the server is killed. */
  readonly serverKills: number;
  /** Tells what happens. */
  readonly log?: (line: string) => void;
}

/** What a round has gone through. */
export interface RoundReport {
  readonly executions: number;
  readonly compared: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly invocations: number;
  readonly engines: number;
  readonly transitions: number;
}

const LEASE_MS = 1_000;
const PATIENCE_MS = 45_000;
const INPUT = { n: 1, kind: "a" };

/** One execution, and what is to come of it. */
interface Subject {
  readonly id: string;
  readonly of: TamedFlow;
  readonly script: Script;
  /** What the reference says; nothing where the outcome depends on time. */
  readonly outcome?: Outcome;
  isCancelled: boolean;
}

/** Plays a round. @throws Where an invariant is broken; the message names the seed. */
export async function playRound(options: RoundOptions): Promise<RoundReport> {
  const random = new Random(options.seed);
  const storeDir = await Deno.makeTempDir({ prefix: "packtrail-faults-" });
  const site = { server: await startNatsServer({ storeDir }), storeDir };
  try {
    let report: RoundReport | undefined;
    const { url } = site.server;
    await inSpace((one) =>
      inSpace(async (other) => {
        report = await play([one, other], site, random, options);
        await other.end();
        await one.end();
      }, { url }), { url });
    return report!;
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    await site.server.kill();
    await Deno.remove(storeDir, { recursive: true });
  }
}

interface Site {
  server: NatsServer;
  readonly storeDir: string;
}

async function play(
  spaces: readonly Space[],
  site: Site,
  random: Random,
  options: RoundOptions,
): Promise<RoundReport> {
  const stages: Stage[] = [];
  for (const space of spaces) stages.push(await Stage.open(space, random, options));
  const faults: Record<string, number> = {};
  try {
    const playing = Promise.all(stages.map((stage) => stage.run()));
    playing.catch(() => {});
    await disturb(stages, site, random, options, faults);
    for (const stage of stages) await stage.heal();
    await playing;
    for (const stage of stages) await stage.check();
  } finally {
    for (const stage of stages) await stage.close();
  }
  const sum = (count: (stage: Stage) => number) => stages.reduce((total, stage) => total + count(stage), 0);
  return {
    executions: sum((stage) => stage.subjects.length),
    compared: sum((stage) => stage.subjects.filter(({ outcome }) => outcome !== undefined).length),
    faults,
    invocations: sum((stage) => stage.world.invocations),
    engines: sum((stage) => stage.crew.hires),
    transitions: sum((stage) => stage.transitions),
  };
}

/** Injects faults, one after another. */
async function disturb(
  stages: readonly Stage[],
  site: Site,
  random: Random,
  { faults, serverKills, log }: RoundOptions,
  counted: Record<string, number>,
): Promise<void> {
  const kills = new Set(Array.from({ length: serverKills }, () => random.below(faults)));
  for (let nth = 0; nth < faults; nth++) {
    await new Promise((resolve) => setTimeout(resolve, 50 + random.below(300)));
    const stage = random.pick(stages);
    const fault = kills.has(nth) ? "server-kill" : random.pick(FAULTS);
    counted[fault] = (counted[fault] ?? 0) + 1;
    log?.(`${stage.space.namespace.slice(0, 6)} ${fault}`);
    if (fault === "server-kill") await restart(site, random);
    else await stage.suffer(fault, random);
  }
}

async function restart(site: Site, random: Random): Promise<void> {
  const { port } = site.server;
  await site.server.kill();
  await new Promise((resolve) => setTimeout(resolve, random.below(1_500)));
  site.server = await startNatsServer({ storeDir: site.storeDir, port });
}

const FAULTS = [
  "die",
  "die",
  "freeze-before",
  "freeze-after",
  "lose-reply",
  "delete-flow-consumer",
  "delete-inbox-consumer",
  "command-twice",
] as const;

type Fault = typeof FAULTS[number];

/** A namespace, its engines, and the world outside. */
class Stage {
  readonly space: Space;
  readonly world: ScriptedWorld;
  readonly crew: Crew;
  readonly subjects: readonly Subject[];
  transitions = 0;
  readonly #client: Server;
  readonly #writes: WriteWatch;
  readonly #stopping = new AbortController();
  readonly #tasks: Promise<unknown>[] = [];

  private constructor(
    space: Space,
    { client, subjects, world, crew }: { client: Server; subjects: Subject[]; world: ScriptedWorld; crew: Crew },
  ) {
    this.space = space;
    this.world = world;
    this.crew = crew;
    this.subjects = subjects;
    this.#client = client;
    this.#writes = new WriteWatch(space.nc, space.names, true);
  }

  static async open(space: Space, random: Random, options: RoundOptions): Promise<Stage> {
    const tamed = randomFlows(random, options.flows, 0.25);
    const flows = tamed.map(({ definition }) => definition);
    const client = await space.server({ flows, invokers: { f: () => ({ status: "ok" }) } });
    await client.init();
    const world = new ScriptedWorld(client);
    const subjects = tamed.flatMap((of, flow) =>
      Array.from({ length: options.executions }, (_, nth): Subject => {
        const script = randomScript(random, of);
        const outcome = of.isWild ? {} : { outcome: interpret(of.flow, script, INPUT) };
        return { id: `e${flow}-${nth}`, of, script, ...outcome, isCancelled: false };
      })
    );
    for (const { id, script } of subjects) world.expect(id, script);
    const resultCache = random.next() < 0.5;
    const crew = new Crew(space, {
      flows,
      invokers: { f: world.invoke },
      leaseTtl: LEASE_MS,
      maxDeliver: 1_000,
      drainTimeout: 1_000,
      resultCache,
    });
    const stage = new Stage(space, { client, subjects, world, crew });
    await crew.hire();
    await crew.hire();
    stage.#tasks.push(stage.#shortenInbox());
    return stage;
  }

  /** Everything that comes from outside. Resolves when all of it was acknowledged and everything came to its end. */
  async run(): Promise<void> {
    await Promise.all(this.subjects.map((subject, index) => this.#live(subject, index)));
  }

  async suffer(fault: Fault, random: Random): Promise<void> {
    const jsm = await jetstreamManager(this.space.nc, { checkAPI: false });
    const { names } = this.space;
    const index = random.below(2);
    switch (fault) {
      case "delete-flow-consumer": {
        const { definition } = random.pick(this.subjects).of;
        await jsm.consumers.delete(names.executionStream(), names.flowConsumer(definition.name)).catch(() => {});
        return;
      }
      case "delete-inbox-consumer":
        await jsm.consumers.delete(names.inboxStream, "inbox").catch(() => {});
        return;
      case "command-twice": {
        const { id, of } = random.pick(this.subjects);
        await this.world.acknowledged(() => this.#client.start(of.definition.name, INPUT, { id }));
        return;
      }
      default:
        return await this.#fail(index, fault, random);
    }
  }

  /** Lets an engine fail at one of its next effects. */
  async #fail(index: number, kind: "die" | "freeze-before" | "freeze-after" | "lose-reply", random: Random) {
    const frail = this.crew.connection(index);
    frail.arm(kind, random.below(8));
    const isTooLate = new Promise((resolve) => setTimeout(resolve, 500));
    await Promise.race([frail.failed, isTooLate]);
    if (kind === "die") return await this.crew.replace(index);
    if (kind === "lose-reply") return;
    const frozenMs = random.below(2 * LEASE_MS);
    const thaw = new Promise((resolve) => setTimeout(resolve, frozenMs)).then(() => frail.thaw());
    this.#tasks.push(thaw);
  }

  /** No more faults: whoever is frozen goes on, and there are two healthy engines. */
  async heal(): Promise<void> {
    for (const index of [0, 1]) await this.crew.replace(index);
  }

  async check(): Promise<void> {
    const { space, world } = this;
    await checkNothingLeft(space.nc, space.names, this.#client);
    await checkDeadLetters(this.#client, this.#hopeless());
    for (const { id, outcome, isCancelled } of this.subjects) {
      this.transitions += await checkVersions(space.nc, space.names, this.#client, id);
      if (outcome !== undefined) {
        await comesTo(this.#client, id, outcome, 1_000);
        checkAttempts(id, world.attempts.get(id)!, outcome);
      } else if (isCancelled) {
        const { status } = await this.#client.get(id);
        assert(status !== "running" && status !== "waiting", `${id} was cancelled and is ${status}`);
      }
    }
    this.#writes.check();
    assertEquals(world.refused, []);
    assertEquals(world.strangers, [], "executions that nobody started here");
    assertEquals(await this.#client.list(), this.subjects.map(({ id }) => id).sort());
  }

  /** The subjects of the signals that were sent although no node of their flow waits for them. */
  #hopeless(): string[] {
    return this.subjects.flatMap(({ id, of: { flow }, script }) => {
      const known = new Set([...flow.nodes.values()].map((node) => node.type === "signal" ? node.signal : undefined));
      const names = new Set(script.signals.map(({ name }) => name).filter((name) => !known.has(name)));
      return [...names].map((name) => this.space.names.command("signal", id, name));
    });
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.world.end();
    await Promise.all(this.#tasks);
    await this.crew.dismiss();
  }

  async #live({ id, of, script, outcome }: Subject, index: number): Promise<void> {
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await pause(40 * index);
    await this.world.acknowledged(() => this.#client.start(of.definition.name, INPUT, { id }));
    for (const { name, payload } of script.signals) {
      // Some come early, some late, some twice: the second one is the same to the server.
      if (index % 3 === 0) await pause(500);
      await this.world.signal(id, name, payload);
      if (index % 2 === 0) await this.world.signal(id, name, payload);
    }
    if (script.cancelAt !== undefined && script.resumes.length === 0) {
      await pause(script.cancelAt / 40);
      await this.world.acknowledged(() => this.#client.cancel(id, "enough"));
      this.#cancelled(id);
    }
    await this.#resume(id, outcome, script.resumes.length);
  }

  #cancelled(id: string): void {
    for (const subject of this.subjects) if (subject.id === id) subject.isCancelled = true;
  }

  /** Resumes an execution each time it has failed, as often as the script says, until it has come to its end. */
  async #resume(id: string, outcome: Outcome | undefined, times: number): Promise<void> {
    for (let left = times; left > 0; left--) {
      const status = outcome === undefined ? await this.#settled(id) : await this.#failedOr(id, outcome);
      if (status !== "failed") break;
      await this.#resumed(id);
    }
    if (outcome === undefined) await this.#settled(id);
    else await comesTo(this.#client, id, outcome, PATIENCE_MS);
  }

  /** Waits until an execution has failed, or has come to another status that it is to end with. */
  async #failedOr(id: string, outcome: Outcome): Promise<string> {
    return await until(
      async () => {
        const { status } = await this.#asked(() => this.#client.get(id));
        if (status === "failed") return status;
        return status === outcome.status && await shows(this.#client, id, outcome) ? status : undefined;
      },
      `execution ${id} to fail, or to come to ${outcome.status}`,
      PATIENCE_MS,
    ).catch(async (error) => {
      throw new Error(`${error.message}: ${await this.#story(id)}`, { cause: error });
    });
  }

  /** What has become of an execution, for messages. */
  async #story(id: string): Promise<string> {
    const jsm = await jetstreamManager(this.space.nc);
    const { names } = this.space;
    const { flow } = this.subjects.find((subject) => subject.id === id)!.of;
    const filter = { subjects_filter: names.headsOf("*", id) };
    const { state } = await jsm.streams.info(names.executionStream(), filter);
    const mail = await jsm.streams.info(names.executionStream(), { subjects_filter: names.mailOf(id) });
    const left = await jsm.streams.info(names.inboxStream, { subjects_filter: names.inboxSubjects() });
    const kept = { mail: mail.state.subjects, inbox: left.state };
    const inbox = await jsm.consumers.info(names.inboxStream, "inbox").catch(() => undefined);
    const work = await jsm.consumers.info(names.executionStream(), names.flowConsumer(flow.name))
      .catch(() => undefined);
    const consumers = [work, inbox].map((info) =>
      info && {
        delivered: info.delivered.stream_seq,
        floor: info.ack_floor.stream_seq,
        pending: info.num_pending,
        inHand: info.num_ack_pending,
        waiting: info.num_waiting,
      }
    );
    const warnings = this.space.log.filter(({ level }) => level !== "info").slice(-10);
    const execution = await this.#client.get(id);
    const events = await this.#client.history(id);
    const history = events.map(({ node, status, attempt, revision }) => `${revision} ${node} ${status} ${attempt}`);
    return JSON.stringify(
      { execution, history, heads: state.subjects, kept, consumers, warnings, refused: this.world.refused },
      null,
      1,
    );
  }

  /** Resumes once: when the answer is lost, whether it was resumed is looked up. */
  async #resumed(id: string): Promise<void> {
    const { generation } = await this.#asked(() => this.#client.get(id));
    await this.world.acknowledged(async () => {
      const now = await this.#client.get(id);
      if (now.status === "failed" && now.generation === generation) await this.#client.resume(id);
    });
  }

  /** Waits until an execution has ended, or waits for something that will not come. */
  async #settled(id: string): Promise<string> {
    return await until(
      async () => {
        if (this.#stopping.signal.aborted) return "stopped";
        const { status, wait } = await this.#asked(() => this.#client.get(id));
        if (status === "running") return undefined;
        if (status !== "waiting") return status;
        const isForGood = wait?.until === undefined &&
          (wait?.kind === "signal" || wait?.kind === "activity" || wait?.kind === "join");
        return isForGood && await this.#isQuiet(id) ? status : undefined;
      },
      `execution ${id} to settle`,
      PATIENCE_MS,
    );
  }

  /** Whether an execution that waits has not changed for a while: what it waits for may be on its way. */
  async #isQuiet(id: string): Promise<boolean> {
    const { revision } = await this.#asked(() => this.#client.get(id));
    for (let look = 0; look < 20; look++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if ((await this.#asked(() => this.#client.get(id))).revision !== revision) return false;
    }
    return true;
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    let answer: T | undefined;
    await this.world.acknowledged(async () => answer = await ask());
    if (answer === undefined) throw new NotFoundError("the round is over");
    return answer;
  }

  async #shortenInbox(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // The consumer is deleted, the server is away: later, then.
      await shortenInbox(this.space, this.#stopping.signal).catch(() => {});
      if (!this.#stopping.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

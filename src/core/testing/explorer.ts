/**
 * Explores every order in which engines, commands, the server's schedules and crashes can meet, to the end.
 *
 * A configuration is the world and, for each process, the answers it was given: a process keeps nothing else, so its
 * past can be played again. Configurations that were seen before are not explored twice.
 *
 * @module
 */

import type { Flow } from "../../flow/types.ts";
import type { Attempt } from "../events.ts";
import { isSchedule, type Phase, type State } from "../state.ts";
import { type Answer, type Command, type Invoker, type Operation, type Process, Processes } from "./processes.ts";
import { acked, fire, handedOver, headAt, readHead, type World, worldOf, write } from "./stream.ts";

/** What is explored. */
export interface Scenario {
  readonly flow: Flow;
  readonly first: State;
  readonly invoker: Invoker;
  readonly engines: number;
  readonly commands: readonly Command[];
  readonly left: World["left"];
}

/** What was found. */
export interface Exploration {
  /** How many configurations there are. */
  readonly configurations: number;
  /** The worlds in which nothing more can happen. */
  readonly ends: readonly World[];
}

interface Running {
  readonly name: string;
  readonly command?: Command;
  readonly answers: readonly Answer[];
  /** A digest of them. */
  readonly past: string;
  /** What it asks for; nothing where it is done. */
  readonly operation: Operation | undefined;
}

interface Configuration {
  readonly world: World;
  readonly processes: readonly Running[];
  /** What led here, and from where. */
  readonly by: string;
  readonly from?: Configuration;
}

/** What a step leads to. */
interface Step {
  readonly world: World;
  readonly value: unknown;
}

/** More configurations than this mean that a scenario is too large. */
const MAX_CONFIGURATIONS = 400_000;

/**
 * Explores a scenario. `check` is shown every world there is, and whether nothing more has to happen in it; it throws
 * where the world is not as it must be, and the error then tells how it came to that.
 */
export function explore(scenario: Scenario, check: (world: World, isOver: boolean) => void): Exploration {
  const model = new Model(scenario);
  const seen = new Set<string>();
  const ends: World[] = [];
  const open: Configuration[] = [model.start()];
  for (let configuration = open.pop(); configuration !== undefined; configuration = open.pop()) {
    const key = keyOf(configuration);
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > MAX_CONFIGURATIONS) throw new Error("the scenario is too large to be explored");
    const { moves, isOver } = model.movesOf(configuration);
    try {
      check(configuration.world, isOver);
    } catch (error) {
      throw new Error(`${error}\nafter:\n${storyOf(configuration).join("\n")}`, { cause: error });
    }
    if (isOver) ends.push(configuration.world);
    open.push(...moves);
  }
  return { configurations: seen.size, ends };
}

class Model {
  readonly #scenario: Scenario;
  readonly #processes: Processes;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#processes = new Processes(scenario.flow, scenario.invoker);
  }

  start(): Configuration {
    const { engines, commands, first, left } = this.#scenario;
    const processes = [
      ...Array.from({ length: engines }, (_, index) => this.#played({ name: `engine ${index}` }, [])),
      ...commands.map((command, index) => this.#played({ name: `command ${index}`, command }, [])),
    ];
    return { world: worldOf(first, left), processes, by: "start" };
  }

  /** Where a configuration can go; it is over where nothing has to happen any more. */
  movesOf(configuration: Configuration): { moves: Configuration[]; isOver: boolean } {
    const { world, processes } = configuration;
    const moves: Configuration[] = [];
    for (const [index, process] of processes.entries()) {
      if (process.operation === undefined) continue;
      for (const { world: after, value } of perform(world, process)) {
        moves.push(this.#moved(configuration, { index, world: after, answer: { clock: after.clock, value } }));
      }
    }
    for (const phase of Object.keys(world.heads) as Phase[]) {
      const { state } = world.heads[phase]!;
      if (phase !== "due" && isSchedule(phase as State["phase"]) && isTimer(state)) {
        moves.push({ world: fire(world, phase), processes, by: `${phase} fires`, from: configuration });
      }
    }
    const isOver = moves.length === 0;
    return { moves: [...moves, ...this.#troubles(configuration)], isOver };
  }

  /** What need not happen, but may: crashes, and alarms that are there for safety. */
  #troubles(from: Configuration): Configuration[] {
    const { world, processes } = from;
    const troubles: Configuration[] = [];
    if (world.left.crash > 0) {
      const left = { ...world.left, crash: world.left.crash - 1 };
      for (const [index, process] of processes.entries()) {
        if (process.answers.length === 0) continue;
        const lost = world.work.filter((item) => item.holder === process.name);
        const after = lost.reduce((before, item) => handedOver(before, item.seq, undefined), { ...world, left });
        troubles.push({
          world: after,
          processes: processes.with(index, this.#played(process, [])),
          by: `${process.name} crashes`,
          from,
        });
        // It is only slow: its work is given to another while it goes on.
        if (lost.length > 0) troubles.push({ world: after, processes, by: `${process.name} is slow`, from });
      }
    }
    if (world.left.safety > 0) {
      const left = { ...world.left, safety: world.left.safety - 1 };
      for (const phase of ["active", "waiting"] as const) {
        const parked = world.heads[phase];
        if (parked !== undefined && !isTimer(parked.state)) {
          troubles.push({ world: fire({ ...world, left }, phase), processes, by: `${phase} fires early`, from });
        }
      }
    }
    return troubles;
  }

  #moved(from: Configuration, to: { index: number; world: World; answer: Answer }): Configuration {
    const { processes } = from;
    const process = processes[to.index]!;
    const by = `${process.name}: ${told(process.operation!)}`;
    const played = this.#played(process, [...process.answers, to.answer]);
    // An engine that is done with its work takes the next.
    const isIdle = played.operation === undefined && process.command === undefined;
    const next = processes.with(to.index, isIdle ? this.#played(process, []) : played);
    const moved = { world: to.world, processes: next, by, from };
    if (played.operation?.op !== "begin") return moved;
    // Nobody else sees that attempts are begun: it needs no step of its own.
    const world = begun(to.world, played.operation.attempts);
    return this.#moved(moved, { index: to.index, world, answer: { clock: world.clock, value: null } });
  }

  #played({ name, command }: Pick<Running, "name" | "command">, answers: readonly Answer[]): Running {
    const process: Process = command === undefined ? this.#processes.session() : this.#processes.command(command);
    let step = process.next();
    for (const answer of answers) step = process.next(answer);
    const base = { name, ...(command === undefined ? {} : { command }) };
    if (step.done) return { ...base, answers: [], past: "done", operation: undefined };
    return { ...base, answers, past: hash(JSON.stringify(answers, digested)), operation: step.value };
  }
}

/** Whether a schedule's alarm is a time limit or a delay, and not there for safety only. */
function isTimer({ phase, wait, branches }: State): boolean {
  if (phase === "active") return false;
  if (wait?.kind === "join") return Object.values(branches!).some((branch) => branch.until !== undefined);
  return wait !== undefined && wait.until !== undefined;
}

/** What an operation of a process can lead to; nothing where it has to wait. */
function perform(world: World, { name, operation }: Running): Step[] {
  const asked = operation!;
  switch (asked.op) {
    case "take":
      return world.work.filter(({ holder }) => holder === undefined).map(({ seq, phase, deliveries }) => ({
        world: handedOver(world, seq, name),
        value: { seq, deliveries: deliveries + 1, head: headAt(world, phase, seq) },
      }));
    case "read":
      return [{ world, value: readHead(world) }];
    case "write":
      return write(world, asked.next, asked.previous).map(({ world, head }) => ({ world, value: head }));
    case "begin":
      return [{ world: begun(world, asked.attempts), value: null }];
    case "wait":
      return waited(world, asked);
    case "mail":
      return [{ world, value: world.mail }];
    case "keep": {
      const isOld = (world.mail[asked.key]?.sequence ?? -1) >= asked.letter.sequence;
      return [{ world: isOld ? world : { ...world, mail: { ...world.mail, [asked.key]: asked.letter } }, value: null }];
    }
    case "remove": {
      const { [asked.key]: letter, ...mail } = world.mail;
      return [{ world: letter?.sequence === asked.sequence ? { ...world, mail } : world, value: null }];
    }
    case "ack":
      return [{ world: acked(world, asked.seq), value: null }];
  }
}

function begun(world: World, attempts: readonly Attempt[]): World {
  const begun = { ...world.begun };
  for (const { node, generation, attempt } of attempts) {
    const key = `${node}.${generation}.${attempt}`;
    begun[key] = (begun[key] ?? 0) + 1;
  }
  return { ...world, begun };
}

function waited(world: World, { running, wakeAt, fence }: Operation & { op: "wait" }): Step[] {
  const steps: Step[] = running.map((outcome) => ({ world, value: { outcome } }));
  if (wakeAt !== null) steps.push({ world: { ...world, clock: Math.max(world.clock, wakeAt) }, value: {} });
  const newest = readHead(world);
  if (newest.revision > fence) steps.push({ world, value: { doubted: newest } });
  return steps;
}

/** What happened up to a configuration. */
function storyOf(configuration: Configuration): string[] {
  const story: string[] = [];
  for (let at: Configuration | undefined = configuration; at !== undefined; at = at.from) {
    story.unshift(`${at.by} (head ${readHead(at.world).phase}, version ${readHead(at.world).state.version})`);
  }
  return story;
}

function told(operation: Operation): string {
  if (operation.op === "write") return `write version ${operation.next.version}, ${operation.next.phase}`;
  return operation.op === "begin" ? `begin ${operation.attempts.map(({ node }) => node)}` : operation.op;
}

/** The same for configurations that differ only in which engine is which. */
function keyOf({ world, processes }: Configuration): string {
  const names = new Map<string, string>();
  const engines = processes.filter(({ command }) => command === undefined);
  const sorted = engines.toSorted((one, other) => one.past < other.past ? -1 : one.past > other.past ? 1 : 0);
  for (const [index, { name }] of sorted.entries()) names.set(name, `engine ${index}`);
  const work = world.work.map((item) => item.holder === undefined ? item : { ...item, holder: names.get(item.holder) });
  const pasts = [...sorted, ...processes.filter(({ command }) => command !== undefined)].map(({ past }) => past);
  return hash(JSON.stringify([{ ...world, work }, pasts], digested));
}

const digests = new WeakMap<object, string>();

/** States are large and shared: each is digested once. */
function digested(key: string, value: unknown): unknown {
  if (key !== "state" || typeof value !== "object" || value === null) return value;
  const known = digests.get(value) ?? hash(JSON.stringify(value));
  digests.set(value, known);
  return known;
}

/** 128 bits of a text, in place of the text. */
function hash(text: string): string {
  let [one, two, three, four] = [0x811c9dc5, 0x1234567, 0x9e3779b9, 0x7f4a7c15];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x5bd1e995) ^ (two >>> 15);
    three = Math.imul(three + code, 0xcc9e2d51) ^ (three >>> 13);
    four = Math.imul(four ^ (code + one), 0x1b873593);
  }
  return `${one}.${two}.${three}.${four}`;
}

/**
 * The reading half of a server: everything an observer may do. Nothing here creates or changes anything.
 *
 * @module
 */

import type { ExecutionStatus } from "../core/state.ts";
import type { Context, Load } from "../core/values.ts";
import { NotFoundError } from "../errors.ts";
import { flowGraph } from "../flow/mod.ts";
import type { FlowGraph } from "../flow/types.ts";
import type { InvocationMeter, InvocationStats } from "../invoker/meter.ts";
import { checkName } from "../names.ts";
import { type Backlog, readBacklog } from "../nats/backlog.ts";
import { isNoResponders, type Nats } from "../nats/client.ts";
import { listSchedules, type Schedule } from "../nats/cron.ts";
import { type DataStore, ValueGoneError } from "../nats/data.ts";
import type { DeadLetter, DeadLetters } from "../nats/dead_letters.ts";
import { type ExecutionEvent, historyOf, watchEvents } from "../nats/events.ts";
import type { Head } from "../nats/head.ts";
import type { Heads } from "../nats/heads.ts";
import type { Counting } from "../nats/counting.ts";
import type { Listing } from "../nats/listing.ts";
import type { FlowRegistry, FlowVersion, RegisteredFlow } from "../nats/registry.ts";
import { checkIndex, checkLimit, checkOneOf } from "./checks.ts";
import { type Execution, executionOf, resultsOf } from "./execution.ts";
import { checkKnown } from "./options.ts";

const STATUSES: readonly ExecutionStatus[] = ["running", "waiting", "completed", "failed", "cancelled"];

/** How many changes a listing returns where it is not told. */
const DEFAULT_RECENT = 100;

/** What reading needs. */
export interface ObserverParts {
  /** The connection and its names. */
  readonly nats: Nats;
  /** The flows this instance loaded, by name. */
  readonly flows: ReadonlyMap<string, RegisteredFlow>;
  /** The flows that any instance loaded. */
  readonly registry: FlowRegistry;
  /** The heads of executions. */
  readonly heads: Heads;
  /** The values that heads refer to. */
  readonly data: DataStore;
  /** Which executions there are. */
  readonly listing: Listing;
  readonly counting: Counting;
  /** What was given up on. */
  readonly deadLetters: DeadLetters;
  /** How long invocations took here. */
  readonly meter: InvocationMeter;
}

/** Reads everything in a namespace. */
export class Observer {
  /** The prefix of every NATS name. */
  readonly namespace: string;
  readonly #parts: ObserverParts;

  /** @ignore Use `createServer`. */
  constructor(parts: ObserverParts) {
    this.namespace = parts.nats.names.namespace;
    this.#parts = parts;
  }

  /** The names of the flows that this instance loaded, sorted. */
  flows(): string[] {
    return [...this.#parts.flows.keys()].sort();
  }

  /** The recurring schedules, by name. */
  schedules(): Promise<Schedule[]> {
    return listSchedules(this.#parts.nats);
  }

  /** The execution as it is now. @throws {NotFoundError} */
  async get(id: string): Promise<Execution> {
    return await this.#reading(id, executionOf);
  }

  /** Everything that an execution knows: input, payload, results, signals. @throws {NotFoundError} */
  async results(id: string): Promise<Context> {
    return await this.#reading(id, (head, load) => resultsOf(head.state, load));
  }

  /** The events of an execution, oldest first; the latest `limit` of them. Empty for an unknown one. */
  async history(id: string, options: { limit?: number } = {}): Promise<ExecutionEvent[]> {
    checkName("id", id);
    checkKnown("options", options, new Set(["limit"]));
    const limit = checkLimit("options.limit", options.limit, Infinity);
    const events = await historyOf(this.#parts.nats, id, await this.#findHead(id));
    return events.slice(-limit);
  }

  /** The ids of all executions, sorted. */
  list(): Promise<string[]> {
    return this.#parts.listing.ids();
  }

  /** The latest change of each execution, newest first; page with `before`, the revision of the last one seen. */
  async recent(
    options: { status?: ExecutionStatus; flow?: string; limit?: number; before?: number } = {},
  ): Promise<ExecutionEvent[]> {
    checkKnown("options", options, new Set(["status", "flow", "limit", "before"]));
    const { status, flow, before } = options;
    if (status !== undefined) checkOneOf("options.status", status, STATUSES);
    if (flow !== undefined) checkName("options.flow", flow);
    if (before !== undefined) checkIndex("options.before", before);
    const limit = checkLimit("options.limit", options.limit, DEFAULT_RECENT);
    return await this.#parts.listing.recent({
      limit,
      ...(status === undefined ? {} : { status }),
      ...(flow === undefined ? {} : { flow }),
      ...(before === undefined ? {} : { before }),
    });
  }

  /** The ids of the executions of a status, sorted. */
  async byStatus(status: ExecutionStatus): Promise<string[]> {
    return await this.#parts.listing.byStatus(checkOneOf("status", status, STATUSES));
  }

  /** The ids of a flow's executions, sorted. */
  async byFlow(flow: string): Promise<string[]> {
    return await this.#parts.listing.ids(checkName("flow", flow));
  }

  /** The latest changes of the executions of a status, newest first; all of them where there is no limit. */
  async byStatusEvents(status: ExecutionStatus, options: { limit?: number } = {}): Promise<ExecutionEvent[]> {
    checkKnown("options", options, new Set(["limit"]));
    const limit = checkLimit("options.limit", options.limit, Infinity);
    return await this.#parts.listing.recent({ status: checkOneOf("status", status, STATUSES), limit });
  }

  /** The latest changes of a flow's executions, newest first; all of them where there is no limit. */
  async byFlowEvents(flow: string, options: { limit?: number } = {}): Promise<ExecutionEvent[]> {
    checkKnown("options", options, new Set(["limit"]));
    const limit = checkLimit("options.limit", options.limit, Infinity);
    return await this.#parts.listing.recent({ flow: checkName("flow", flow), limit });
  }

  /** How many executions of each status each flow has, by the server's own counters. */
  async counts(): Promise<Record<string, Record<ExecutionStatus, number>>> {
    const flows = await this.listFlows();
    const counts = await Promise.all(flows.map((flow) => this.#parts.counting.counts(flow)));
    return Object.fromEntries(flows.map((flow, index) => [flow, counts[index]!]));
  }

  /**
   * The events of the namespace from the moment of the call, until the signal is aborted. A reader that is too slow
   * misses events; the next one it gets says how many in `missed`.
   */
  watchEvents(options: { signal?: AbortSignal } = {}): AsyncIterable<ExecutionEvent> {
    checkKnown("options", options, new Set(["signal"]));
    return watchEvents(this.#parts.nats, options.signal);
  }

  /** The names of all flows that any instance has loaded, sorted. */
  async listFlows(): Promise<string[]> {
    const names = new Set([...await this.#parts.registry.names(), ...this.#parts.flows.keys()]);
    return [...names].sort();
  }

  /**
   * The graph of a flow.
   *
   * @param options The hash of one of its definitions; the newest where absent.
   * @throws {NotFoundError} Where nobody has loaded it, or not with this definition.
   */
  async flowGraph(name: string, options: { definition?: string } = {}): Promise<FlowGraph> {
    checkName("name", name);
    checkKnown("options", options, new Set(["definition"]));
    const { definition } = options;
    if (definition !== undefined) checkName("options.definition", definition);
    const registered = definition === undefined
      ? this.#parts.flows.get(name) ?? await this.#parts.registry.newest(name)
      : await this.#parts.registry.byHash(definition);
    if (registered?.flow.name !== name) throw new NotFoundError(`there is no flow ${name}: nobody has loaded it`);
    return flowGraph(registered.flow);
  }

  /**
   * The definitions of a flow, the newest first: executions keep the one they started with.
   *
   * @throws {NotFoundError} Where nobody has loaded it.
   */
  async flowVersions(name: string): Promise<FlowVersion[]> {
    checkName("name", name);
    const versions = await this.#parts.registry.versions(name);
    const own = this.#parts.flows.get(name);
    if (own !== undefined && !versions.some(({ hash }) => hash === own.hash)) {
      const isNewest = versions.length === 0;
      versions.push({ hash: own.hash, definition: own.flow.definition, isNewest });
    }
    if (versions.length === 0) throw new NotFoundError(`there is no flow ${name}: nobody has loaded it`);
    return structuredClone(versions);
  }

  /** How long the invocations of this instance took, by kind and outcome, since it was created. No I/O. */
  invocations(): InvocationStats[] {
    return this.#parts.meter.stats();
  }

  /** What waits to be done, by the server's own counters. */
  async backlog(): Promise<Backlog> {
    return await readBacklog(this.#parts.nats, await this.listFlows());
  }

  /** What was given up on, newest first. */
  async deadLetters(options: { limit?: number } = {}): Promise<DeadLetter[]> {
    checkKnown("options", options, new Set(["limit"]));
    return await this.#parts.deadLetters.latest(checkLimit("options.limit", options.limit, DEFAULT_RECENT));
  }

  /** Reads the values a head refers to. Those it has moved on from may be gone: then its next head is read. */
  async #reading<T>(id: string, read: (head: Head, load: Load) => T): Promise<T> {
    for (;;) {
      const head = await this.#head(id);
      try {
        return await this.#parts.data.loading((load) => read(head, load));
      } catch (error) {
        if (!(error instanceof ValueGoneError) || (await this.#findHead(id))?.revision === head.revision) throw error;
      }
    }
  }

  async #head(id: string): Promise<Head> {
    checkName("id", id);
    const head = await this.#findHead(id);
    if (head === undefined) throw new NotFoundError(`there is no execution ${id}`);
    return head;
  }

  async #findHead(id: string): Promise<Head | undefined> {
    try {
      return await this.#parts.heads.read(id);
    } catch (error) {
      // The streams do not exist yet.
      if (isNoResponders(error)) return undefined;
      throw error;
    }
  }
}

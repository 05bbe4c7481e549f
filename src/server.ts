/**
 * The server: packtrail's public API, composed of the rooms below it.
 *
 * @module
 */

import type { Context, Load } from "./core/values.ts";
import type { ExecutionStatus } from "./core/state.ts";
import type { Outcome } from "./core/events.ts";
import { Attempts } from "./engine/attempts.ts";
import { Commands } from "./engine/commands.ts";
import { Engine } from "./engine/engine.ts";
import { Executions } from "./engine/executions.ts";
import { reconcile, type ReconcileReport } from "./engine/reconcile.ts";
import { provisionResults } from "./engine/result_records.ts";
import { NotFoundError, PermissionError, StateError } from "./errors.ts";
import { flowGraph } from "./flow/mod.ts";
import type { FlowGraph } from "./flow/types.ts";
import { InvocationMeter, type InvocationStats } from "./invoker/meter.ts";
import { InvokerRegistry } from "./invoker/registry.ts";
import { NatsTaskInvoker } from "./invoker/nats_task.ts";
import type { Result } from "./invoker/types.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { checkName, isName, Names } from "./names.ts";
import { type Connection, isNoResponders, type Nats, natsOf, packtrailError, untilAnswered } from "./nats/client.ts";
import { checkCron, listSchedules, removeSchedule, type Schedule, setHousekeeping, setSchedule } from "./nats/cron.ts";
import { DataStore, ValueGoneError } from "./nats/data.ts";
import { type Backlog, readBacklog } from "./nats/backlog.ts";
import { type DeadLetter, DeadLetters, isCut, textOf } from "./nats/dead_letters.ts";
import { type ExecutionEvent, historyOf, watchEvents } from "./nats/events.ts";
import { type Head, Heads } from "./nats/heads.ts";
import { type Command, sendCommand, sendRaw } from "./nats/inbox.ts";
import { Listing } from "./nats/listing.ts";
import { Mailbox } from "./nats/mail.ts";
import { ensureConsumer, flowConsumer, provisionStreams } from "./nats/provision.ts";
import { FlowRegistry, type FlowVersion, type RegisteredFlow } from "./nats/registry.ts";
import {
  AsyncInvokers,
  type AsyncKind,
  checkAsyncInvokers,
  isOutcomeUsable,
  resultCache,
  together,
} from "./server/async.ts";
import { checkIndex, checkLimit, checkOneOf, checkText, objectText, payloadText } from "./server/checks.ts";
import { type Execution, executionOf, resultsOf } from "./server/execution.ts";
import { loadFlows } from "./server/flows.ts";
import { type CheckedOptions, checkKnown, checkOptions, randomId, type ServerOptions } from "./server/options.ts";
import { type Handler, serveNamespaced, type TaskWorker } from "./worker/mod.ts";

const STATUSES: readonly ExecutionStatus[] = ["running", "waiting", "completed", "failed", "cancelled"];

/** How long the reason of a cancellation may be, in bytes of JSON. */
const MAX_REASON_BYTES = 4_096;

/** How many changes a listing returns where it is not told. */
const DEFAULT_RECENT = 100;

/**
 * Creates a server on a NATS connection. Parses and checks everything; no NATS I/O.
 *
 * @param nc The connection; it stays the caller's.
 * @throws {ValidationError} Where an option or a flow is not valid: it names the flow, the node, the file and the line.
 */
export async function createServer(nc: Connection, options: ServerOptions = {}): Promise<Server> {
  const checked = withinLimits(nc, checkOptions(options));
  const nats = await natsOf(nc, new Names(checked.namespace));
  const natsTask = new NatsTaskInvoker(nc, nats.names);
  const meter = new InvocationMeter();
  const invokers = new InvokerRegistry(checked.invokers, natsTask, meter);
  const asyncKinds = checkAsyncInvokers(checked)
    .map((kind) => ({ ...kind, invoker: kind.invoker && meter.measured(kind.kind, kind.invoker) }));
  const flows = await loadFlows(checked, new Set([...invokers.kinds, ...asyncKinds.map(({ kind }) => kind)]));
  return new Server(nats, checked, flows, { invokers, natsTask, asyncKinds, meter });
}

/** The options with the payload limit that the NATS server can hold to. */
function withinLimits(nc: Connection, options: CheckedOptions): CheckedOptions {
  const most = Math.max(1, (nc.info?.max_payload ?? Infinity) - ENVELOPE_BYTES);
  return { ...options, maxPayloadBytes: Math.min(options.maxPayloadBytes, most) };
}

/** What of a message beside its payload, at the most, counts towards the server's limit, in bytes. */
const ENVELOPE_BYTES = 4_096;

/** What the tasks of a server are run by. */
interface ServerInvokers {
  readonly invokers: InvokerRegistry;
  readonly natsTask: NatsTaskInvoker;
  readonly asyncKinds: readonly AsyncKind[];
  readonly meter: InvocationMeter;
}

/** A packtrail instance: an engine while it runs, and a client of its namespace always. */
export class Server implements AsyncDisposable {
  /** The prefix of every NATS name. */
  readonly namespace: string;
  readonly #nats: Nats;
  readonly #options: CheckedOptions;
  readonly #flows: ReadonlyMap<string, RegisteredFlow>;
  readonly #invokers: InvokerRegistry;
  readonly #natsTask: NatsTaskInvoker;
  readonly #meter: InvocationMeter;
  readonly #executions: Executions;
  readonly #deadLetters: DeadLetters;
  readonly #listing: Listing;
  readonly #registry: FlowRegistry;
  readonly #async: AsyncInvokers;
  readonly #workers = new Set<TaskWorker>();
  #ready: Promise<void> | undefined;
  #running: { stop: AbortController; done: Promise<void> } | undefined;
  /** The user may only use the inbox: learnt when the server first refused more. */
  #isClient = false;

  /** @ignore Use {@linkcode createServer}. */
  constructor(
    nats: Nats,
    options: CheckedOptions,
    flows: readonly RegisteredFlow[],
    { invokers, natsTask, asyncKinds, meter }: ServerInvokers,
  ) {
    this.namespace = options.namespace;
    this.#nats = nats;
    this.#options = options;
    this.#flows = new Map(flows.map((registered) => [registered.flow.name, registered]));
    this.#invokers = invokers;
    this.#meter = meter;
    this.#natsTask = natsTask;
    this.#registry = new FlowRegistry(nats);
    for (const registered of flows) this.#registry.remember(registered);
    const writer = `${options.ownerId}.${randomId()}`;
    const heads = new Heads(nats, writer, options.retention);
    const data = new DataStore(nats, writer.replaceAll(".", "-"));
    const { registry, settings } = { registry: this.#registry, settings: options };
    this.#executions = new Executions({ nats, heads, data, mailbox: new Mailbox(nats), registry, settings });
    this.#deadLetters = new DeadLetters(nats);
    this.#listing = new Listing(nats, heads);
    this.#async = new AsyncInvokers(asyncKinds, {
      ...options,
      nats,
      executions: this.#executions,
      deadLetters: this.#deadLetters,
      results: resultCache<Result>({ ...options, nats }),
    });
  }

  /** The names of the flows that this instance loaded, sorted. */
  flows(): string[] {
    return [...this.#flows.keys()].sort();
  }

  /**
   * Sets the namespace up now: streams, and the registry of flows. Otherwise the first call that needs them does.
   *
   * @throws {ServerVersionError} Where the NATS server is too old, or has no JetStream.
   * @throws {PermissionError} Where the connection's user may not.
   */
  init(): Promise<void> {
    this.#ready ??= this.#provision().catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /**
   * Runs the engine until the signal is aborted, or the server closed. Resolves when it has drained.
   *
   * @throws {StateError} Where it is running already.
   */
  async run(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkKnown("options", options, new Set(["signal"]));
    if (this.#running !== undefined) throw new StateError("this server is running already");
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
    const done = this.#run(signal);
    this.#running = { stop, done };
    try {
      await done;
    } finally {
      this.#running = undefined;
    }
  }

  /** Stops `run` and the handlers, and waits until they have drained. The connection stays open. */
  async close(): Promise<void> {
    const running = this.#running;
    running?.stop.abort();
    await running?.done.catch(() => {});
    const workers = [...this.#workers];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.stop()));
    this.#natsTask.close();
    this.#nats.requests.close();
  }

  /** Closes the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Serves tasks of the kind `nats-task` on `<namespace>.<subject>`, until the server is closed.
   *
   * @param subject May have wildcards: `"tasks.triage.*"`.
   * @throws {ValidationError} Where the subject is not legal.
   */
  async handle(subject: string, handler: Handler): Promise<void> {
    this.#workers.add(await serveNamespaced(this.#nats.nc, this.namespace, subject, handler));
  }

  /**
   * Starts an execution.
   *
   * @param options With an `id` the start is idempotent: the same flow and payload again are the same execution.
   * @returns The execution's id.
   * @throws {NotFoundError} Where nobody has loaded the flow.
   * @throws {ConflictError} Where the id is that of an execution of another flow, or with another payload.
   * @throws {PayloadTooLargeError} Where the payload is larger than `maxPayloadBytes`.
   */
  async start(flow: string, payload: JsonObject = {}, options: { id?: string } = {}): Promise<string> {
    checkName("flow", flow);
    checkKnown("options", options, new Set(["id"]));
    const text = objectText("payload", payload, this.#maxPayload());
    const id = options.id === undefined ? `exec-${randomId()}${randomId()}` : checkName("options.id", options.id);
    await this.#directly(
      async () => {
        const registered = await this.#flow(flow);
        await this.#executions.start(registered, id, text, options.id === undefined);
      },
      { type: "start", flow, id, payload },
      `start ${flow}.${id}`,
    );
    return id;
  }

  /**
   * Sends a signal to an execution. It is kept until the execution waits for it.
   *
   * @param options With an `id`, retried sends count once, for two minutes.
   * @throws {PayloadTooLargeError} Where the payload is larger than `maxPayloadBytes`.
   */
  async signal(id: string, name: string, payload: Json = null, options: { id?: string } = {}): Promise<void> {
    checkName("id", id);
    checkName("name", name);
    checkKnown("options", options, new Set(["id"]));
    if (options.id !== undefined) checkName("options.id", options.id);
    payloadText("payload", payload, this.#maxPayload());
    const dedupe = options.id === undefined ? undefined : `signal.${id}.${name}.${options.id}`;
    await this.#send({ type: "signal", id, name, payload }, dedupe);
  }

  /**
   * Completes a task, or a branch, whose invoker returned `pending`. Late, duplicate and stale completions change
   * nothing.
   *
   * @param attempt The attempt the completion is of, from the invoker's request.
   * @param options The `generation` from the invoker's request tells visits of the same node apart.
   */
  async completeActivity(
    id: string,
    node: string,
    attempt: number,
    result: Result,
    options: { generation?: number } = {},
  ): Promise<void> {
    checkName("id", id);
    checkName("node", node);
    checkIndex("attempt", attempt);
    checkKnown("options", options, new Set(["generation"]));
    if (options.generation !== undefined) checkIndex("options.generation", options.generation);
    const generation = options.generation === undefined ? {} : { generation: options.generation };
    const sent = sendableResult(node, result, this.#maxPayload());
    await this.#send({ type: "complete", id, node, attempt, result: sent, ...generation });
  }

  /**
   * Resumes a failed execution at the node it failed on, with a fresh retry budget.
   *
   * @throws {NotFoundError} Where there is no such execution.
   * @throws {StateError} Where it has not failed.
   */
  async resume(id: string): Promise<void> {
    checkName("id", id);
    await this.#directly(async () => {
      const applied = await this.#executions.apply(id, { type: "resume" });
      if (applied.type === "unknown") throw new NotFoundError(`there is no execution ${id}`);
      if (applied.type === "drop") throw new StateError(applied.reason);
    }, { type: "resume", id });
  }

  /** Cancels a live execution; one that has ended, or does not exist, is left as it is. */
  async cancel(id: string, reason?: string): Promise<void> {
    checkName("id", id);
    if (reason !== undefined) checkText("reason", reason, MAX_REASON_BYTES);
    const because = reason === undefined ? {} : { reason };
    await this.#directly(async () => {
      await this.#executions.end(id, { type: "cancel", ...because });
    }, { type: "cancel", id, ...because });
  }

  /**
   * Starts a flow on a recurring schedule. Replaces a schedule of the same name.
   *
   * @param cron Six fields: second minute hour day month weekday.
   * @param options The IANA `timeZone` the fields are in; UTC where absent.
   * @throws {NotFoundError} Where nobody has loaded the flow.
   */
  async scheduleFlow(
    name: string,
    flow: string,
    cron: string,
    payload: JsonObject = {},
    options: { timeZone?: string } = {},
  ): Promise<void> {
    checkName("name", name);
    checkName("flow", flow);
    checkKnown("options", options, new Set(["timeZone"]));
    const when = checkCron("cron", cron, options.timeZone);
    objectText("payload", payload, this.#maxPayload());
    await this.#flow(flow);
    await setSchedule(this.#nats, { name, flow, ...when, payload });
  }

  /** The recurring schedules, by name. */
  schedules(): Promise<Schedule[]> {
    return listSchedules(this.#nats);
  }

  /** Removes a recurring schedule. Whether there was one. */
  async unschedule(name: string): Promise<boolean> {
    checkName("name", name);
    return await removeSchedule(this.#nats, name);
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
    const events = await historyOf(this.#nats, id, await this.#findHead(id));
    return events.slice(-limit);
  }

  /** The ids of all executions, sorted. */
  list(): Promise<string[]> {
    return this.#listing.ids();
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
    return await this.#listing.recent({
      limit,
      ...(status === undefined ? {} : { status }),
      ...(flow === undefined ? {} : { flow }),
      ...(before === undefined ? {} : { before }),
    });
  }

  /** The ids of the executions of a status, sorted. */
  async byStatus(status: ExecutionStatus): Promise<string[]> {
    return await this.#listing.byStatus(checkOneOf("status", status, STATUSES));
  }

  /** The ids of a flow's executions, sorted. */
  async byFlow(flow: string): Promise<string[]> {
    return await this.#listing.ids(checkName("flow", flow));
  }

  /** The latest changes of the executions of a status, newest first; all of them where there is no limit. */
  async byStatusEvents(status: ExecutionStatus, options: { limit?: number } = {}): Promise<ExecutionEvent[]> {
    checkKnown("options", options, new Set(["limit"]));
    const limit = checkLimit("options.limit", options.limit, Infinity);
    return await this.#listing.recent({ status: checkOneOf("status", status, STATUSES), limit });
  }

  /** The latest changes of a flow's executions, newest first; all of them where there is no limit. */
  async byFlowEvents(flow: string, options: { limit?: number } = {}): Promise<ExecutionEvent[]> {
    checkKnown("options", options, new Set(["limit"]));
    const limit = checkLimit("options.limit", options.limit, Infinity);
    return await this.#listing.recent({ flow: checkName("flow", flow), limit });
  }

  /** How many executions of each status each flow has, by the server's own counters. */
  async counts(): Promise<Record<string, Record<ExecutionStatus, number>>> {
    const flows = await this.listFlows();
    const counts = await Promise.all(flows.map((flow) => this.#listing.counts(flow)));
    return Object.fromEntries(flows.map((flow, index) => [flow, counts[index]!]));
  }

  /**
   * The events of the namespace from the moment of the call, until the signal is aborted. A reader that is too slow
   * misses events; the next one it gets says how many in `missed`.
   */
  watchEvents(options: { signal?: AbortSignal } = {}): AsyncIterable<ExecutionEvent> {
    checkKnown("options", options, new Set(["signal"]));
    return watchEvents(this.#nats, options.signal);
  }

  /** The names of all flows that any instance has loaded, sorted. */
  async listFlows(): Promise<string[]> {
    const names = new Set([...await this.#registry.names(), ...this.#flows.keys()]);
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
      ? this.#flows.get(name) ?? await this.#registry.newest(name)
      : await this.#registry.byHash(definition);
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
    const versions = await this.#registry.versions(name);
    const own = this.#flows.get(name);
    if (own !== undefined && !versions.some(({ hash }) => hash === own.hash)) {
      const isNewest = versions.length === 0;
      versions.push({ hash: own.hash, definition: own.flow.definition, isNewest });
    }
    if (versions.length === 0) throw new NotFoundError(`there is no flow ${name}: nobody has loaded it`);
    return structuredClone(versions);
  }

  /** How long the invocations of this instance took, by kind and outcome, since it was created. No I/O. */
  invocations(): InvocationStats[] {
    return this.#meter.stats();
  }

  /** What waits to be done, by the server's own counters. */
  async backlog(): Promise<Backlog> {
    return await readBacklog(this.#nats, await this.listFlows());
  }

  /** What was given up on, newest first. */
  async deadLetters(options: { limit?: number } = {}): Promise<DeadLetter[]> {
    checkKnown("options", options, new Set(["limit"]));
    return await this.#deadLetters.latest(checkLimit("options.limit", options.limit, DEFAULT_RECENT));
  }

  /**
   * Looks over the namespace: removes leftovers and orphans, drives stalled executions again. On a healthy namespace
   * it does nothing.
   */
  async reconcile(): Promise<ReconcileReport> {
    return await reconcile(this.#executions);
  }

  /**
   * Tries again what was given up on, and removes its dead letter: a command goes into the inbox once more, a
   * schedule's tick starts its flow, a failed execution is resumed.
   *
   * @param sequence The dead letter's number.
   * @throws {NotFoundError} Where there is no such dead letter.
   * @throws {StateError} Where it cannot be tried again: its execution has not failed, or its body was not kept.
   */
  async redrive(sequence: number): Promise<void> {
    checkIndex("sequence", sequence);
    const letter = await this.#deadLetters.find(sequence);
    if (letter === undefined) throw new NotFoundError(`there is no dead letter ${sequence}`);
    if (letter.source === "work") await this.resume(letter.key);
    else await this.#sendAgain(letter);
    await this.#deadLetters.remove(sequence);
  }

  async #sendAgain(letter: DeadLetter): Promise<void> {
    const { sequence, subject, body } = letter;
    if (isCut(letter)) throw new StateError(`dead letter ${sequence} cannot be tried again: its body was too large`);
    const dedupe = `redrive.${sequence}.${letter.time.getTime()}`;
    if (letter.source === "schedule" && isJsonObject(body) && isName(body.flow)) {
      const payload = isJsonObject(body.payload) ? body.payload : {};
      return await this.#send({ type: "start", flow: body.flow, payload }, dedupe);
    }
    await sendRaw(this.#nats, subject ?? letter.key, textOf(letter), dedupe);
  }

  async #provision(): Promise<void> {
    const { replicas, eventRetentionMs, reconcile, resultTtlMs, leaseMs } = this.#options;
    await provisionStreams(this.#nats, { replicas, eventRetentionMs });
    await this.#registry.provision(replicas);
    for (const registered of this.#flows.values()) {
      await this.#registry.register(registered);
      // Before the first start, so that an engine knows of all work whether it came before its consumer.
      const consumer = flowConsumer(this.#nats, registered.flow.name, leaseMs);
      await ensureConsumer(this.#nats, this.#nats.names.executionStream(), consumer, { keep: true });
    }
    await this.#async.provision();
    if (resultTtlMs !== undefined) await provisionResults(this.#nats, resultTtlMs, replicas);
    if (reconcile !== undefined) await setHousekeeping(this.#nats, reconcile);
  }

  async #run(signal: AbortSignal): Promise<void> {
    await untilAnswered(this.#nats, () => this.init(), () => signal.aborted);
    const { logger, maxConcurrency, maxDeliver, drainTimeoutMs, leaseMs } = this.#options;
    const executions = this.#executions;
    const deadLetters = this.#deadLetters;
    const flow = async (name: string) => this.#flows.get(name) ?? await this.#registry.newest(name);
    const engine = new Engine({
      nats: this.#nats,
      executions,
      attempts: this.#attempts(),
      commands: new Commands({ executions, deadLetters, maxDeliver, flow }),
      deadLetters,
      logger,
      flows: this.flows(),
      maxConcurrency,
      maxDeliver,
      drainTimeoutMs,
      leaseMs,
      restore: () => this.#provision(),
      housekeep: async () => logger.info("reconciled", { ...await this.reconcile() }),
    });
    logger.info("engine started", { namespace: this.namespace, ownerId: this.#options.ownerId, flows: this.flows() });
    const workers = this.#async.workers();
    await together(signal, [engine, ...workers].map((part) => (either) => part.run(either)));
    logger.info("engine stopped", { namespace: this.namespace, ownerId: this.#options.ownerId });
  }

  #attempts(): Attempts {
    const executions = this.#executions;
    const { data } = executions.parts;
    const results = resultCache<Outcome>({
      ...this.#options,
      nats: this.#nats,
      isUsable: (outcome) => isOutcomeUsable(data, outcome),
    });
    return new Attempts({ executions, invokers: this.#invokers, dispatchers: this.#async.dispatchers(), results });
  }

  /** Does something here and now where the user may; asks the engines to, where not. */
  async #directly(run: () => Promise<void>, command: Command, dedupe?: string): Promise<void> {
    if (!this.#isClient) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof PermissionError)) throw error;
        this.#isClient = true;
      }
    }
    await this.#send(command, dedupe);
  }

  async #send(command: Command, dedupe?: string): Promise<void> {
    try {
      await sendCommand(this.#nats, command, dedupe);
    } catch (error) {
      if (!isNoResponders(error)) throw error;
      // The inbox does not exist yet.
      await this.init();
      await sendCommand(this.#nats, command, dedupe).catch((cause) => {
        throw packtrailError(cause, `sending ${command.type}`);
      });
    }
  }

  async #flow(name: string): Promise<RegisteredFlow> {
    const own = this.#flows.get(name);
    if (own !== undefined) {
      await this.init();
      return own;
    }
    const registered = await this.#registry.newest(name);
    if (registered === undefined) {
      throw new NotFoundError(`there is no flow ${name}: this instance has not loaded it, and no other has`);
    }
    return registered;
  }

  /** Reads the values a head refers to. Those it has moved on from may be gone: then its next head is read. */
  async #reading<T>(id: string, read: (head: Head, load: Load) => T): Promise<T> {
    for (;;) {
      const head = await this.#head(id);
      try {
        return await this.#executions.parts.data.loading((load) => read(head, load));
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
      return await this.#executions.parts.heads.read(id);
    } catch (error) {
      // The streams do not exist yet.
      if (isNoResponders(error)) return undefined;
      throw error;
    }
  }

  #maxPayload(): number {
    return this.#options.maxPayloadBytes;
  }
}

/** A result as it is sent: one that cannot be is an error, which fails the node with a reason. */
function sendableResult(node: string, result: Result, limit: number): Json {
  checkKnown("result", result, new Set(["status", "payload", "error"]));
  try {
    return JSON.parse(payloadText(`the output of node ${node}`, result, limit));
  } catch (error) {
    return { status: "error", error: (error as Error).message };
  }
}

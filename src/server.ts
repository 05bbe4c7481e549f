/**
 * The server: packtrail's public API, composed of the rooms below it.
 *
 * @module
 */

import type { Outcome } from "./core/events.ts";
import { Attempts } from "./engine/attempts.ts";
import { Commands } from "./engine/commands.ts";
import { Engine } from "./engine/engine.ts";
import { Executions } from "./engine/executions.ts";
import { reconcile, type ReconcileReport, redriveLost } from "./engine/reconcile.ts";
import { provisionResults } from "./engine/result_records.ts";
import { NotFoundError, PermissionError, StateError } from "./errors.ts";
import { InvocationMeter } from "./invoker/meter.ts";
import { InvokerRegistry } from "./invoker/registry.ts";
import { NatsTaskInvoker } from "./invoker/nats_task.ts";
import type { Result } from "./invoker/types.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { checkName, isName, Names } from "./names.ts";
import { type Connection, isNoResponders, type Nats, natsOf, packtrailError, untilAnswered } from "./nats/client.ts";
import { checkCron, removeSchedule, setHousekeeping, setSchedule } from "./nats/cron.ts";
import { DataStore } from "./nats/data.ts";
import { type DeadLetter, DeadLetters, isCut, textOf } from "./nats/dead_letters.ts";
import { Heads } from "./nats/heads.ts";
import { type Command, sendCommand, sendRaw } from "./nats/inbox.ts";
import { Counting } from "./nats/counting.ts";
import { Listing } from "./nats/listing.ts";
import { Mailbox } from "./nats/mail.ts";
import { Patience } from "./nats/patience.ts";
import { ensureConsumer, flowConsumer, provisionStreams } from "./nats/provision.ts";
import { FlowRegistry, type RegisteredFlow } from "./nats/registry.ts";
import {
  AsyncInvokers,
  type AsyncKind,
  checkAsyncInvokers,
  isOutcomeUsable,
  resultCache,
  together,
} from "./server/async.ts";
import { checkIndex, checkText, objectText, payloadText } from "./server/checks.ts";
import { loadFlows } from "./server/flows.ts";
import { type CheckedOptions, checkKnown, checkOptions, randomId, type ServerOptions } from "./server/options.ts";
import { Observer } from "./server/observer.ts";
import { type Handler, serveNamespaced, type TaskWorker } from "./worker/mod.ts";

/** How long the reason of a cancellation may be, in bytes of JSON. */
const MAX_REASON_BYTES = 4_096;

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
export class Server extends Observer implements AsyncDisposable {
  readonly #nats: Nats;
  readonly #options: CheckedOptions;
  readonly #flows: ReadonlyMap<string, RegisteredFlow>;
  readonly #invokers: InvokerRegistry;
  readonly #natsTask: NatsTaskInvoker;
  readonly #executions: Executions;
  readonly #deadLetters: DeadLetters;
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
    const writer = `${options.ownerId}.${randomId()}`;
    const registry = new FlowRegistry(nats);
    for (const registered of flows) registry.remember(registered);
    const heads = new Heads(nats, writer, options.retention);
    const data = new DataStore(nats, writer.replaceAll(".", "-"));
    const deadLetters = new DeadLetters(nats, options.logger);
    const byName = new Map(flows.map((registered) => [registered.flow.name, registered]));
    super({
      nats,
      flows: byName,
      registry,
      heads,
      data,
      listing: new Listing(nats, heads),
      counting: new Counting(nats, heads),
      deadLetters,
      meter,
    });
    this.#nats = nats;
    this.#options = options;
    this.#flows = byName;
    this.#invokers = invokers;
    this.#natsTask = natsTask;
    this.#registry = registry;
    this.#deadLetters = deadLetters;
    const mailbox = new Mailbox(nats);
    const patience = new Patience(nats, options.logger);
    this.#executions = new Executions({ nats, heads, data, mailbox, registry, patience, settings: options });
    this.#async = new AsyncInvokers(asyncKinds, {
      ...options,
      nats,
      executions: this.#executions,
      deadLetters: this.#deadLetters,
      results: resultCache<Result>({ ...options, nats, patience }),
    });
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
    const id = options.id === undefined ? `exec-${randomId(20)}` : checkName("options.id", options.id);
    await this.#directly(
      async () => {
        const registered = await this.#flow(flow);
        await this.#executions.start(registered, id, text, options.id === undefined ? "new" : "once");
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

  /** Removes a recurring schedule. Whether there was one. */
  async unschedule(name: string): Promise<boolean> {
    checkName("name", name);
    return await removeSchedule(this.#nats, name);
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

  /**
   * Removes a dead letter for good: nothing is tried again, and its execution, where it has one, stays as it is.
   *
   * @param sequence The dead letter's number.
   * @throws {NotFoundError} Where there is no such dead letter.
   */
  async discard(sequence: number): Promise<void> {
    checkIndex("sequence", sequence);
    if (await this.#deadLetters.find(sequence) === undefined) {
      throw new NotFoundError(`there is no dead letter ${sequence}`);
    }
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
      redriveLost: (overdueMs) => redriveLost(executions, overdueMs),
      housekeep: async (signal) => {
        const report = await reconcile(executions, signal);
        logger.info(signal.aborted ? "reconciled in part" : "reconciled", { ...report });
      },
    });
    logger.info("engine started", { namespace: this.namespace, ownerId: this.#options.ownerId, flows: this.flows() });
    const workers = this.#async.workers();
    await together(signal, [engine, ...workers].map((part) => (either) => part.run(either)));
    logger.info("engine stopped", { namespace: this.namespace, ownerId: this.#options.ownerId });
  }

  #attempts(): Attempts {
    const executions = this.#executions;
    const { data, patience } = executions.parts;
    const results = resultCache<Outcome>({
      ...this.#options,
      nats: this.#nats,
      patience,
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

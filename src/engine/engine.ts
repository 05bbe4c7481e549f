/**
 * The engine: takes work from the namespace's consumers, does it, and cleans up behind it.
 *
 * - R6: superseded `ready` and `due` messages are swept with one purge up to the consumer's ack floor.
 *
 * @module
 */

import { awaitsMail } from "../core/mail.ts";
import { UnavailableError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type Nats, onReconnect, untilAnswered } from "../nats/client.ts";
import { Counters } from "../nats/counters.ts";
import type { DeadLetters } from "../nats/dead_letters.ts";
import { type Delivery, firstUntil } from "../nats/delivery.ts";
import type { Head } from "../nats/head.ts";
import { ensureConsumer, flowConsumer, workConsumer } from "../nats/provision.ts";
import { isPassing } from "../nats/patience.ts";
import { Refusals } from "../nats/refusals.ts";
import { Puller } from "../nats/pull.ts";
import { Sweeper } from "../nats/sweep.ts";
import type { Attempts } from "./attempts.ts";
import { AheadError, type Commands } from "./commands.ts";
import type { Executions } from "./executions.ts";
import { Failures } from "./failures.ts";
import { Housekeeping } from "./housekeeping.ts";
import { type Held, Lanes } from "./lanes.ts";
import { drivesItself, isFirst, Session } from "./session.ts";

/** What an engine is made of. */
export interface EngineOptions {
  readonly nats: Nats;
  readonly executions: Executions;
  readonly attempts: Attempts;
  readonly commands: Commands;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  /** The flows whose work it takes. */
  readonly flows: readonly string[];
  /** Work items processed at once. */
  readonly maxConcurrency: number;
  /** Deliveries of one work item before it is dead-lettered. */
  readonly maxDeliver: number;
  /** How long a stopping engine waits for work and commands in flight, in milliseconds. */
  readonly drainTimeoutMs: number;
  /** How long a silent engine keeps its work, in milliseconds. */
  readonly leaseMs: number;
  /** Makes what was deleted under the engine anew. */
  restore(): Promise<void>;
  /** Drives on what should have happened this many milliseconds ago, and has not. Returns how much that was. */
  redriveLost(overdueMs: number): Promise<number>;
  /** Does the namespace's own housekeeping, when its schedule is due; ends early where the signal is aborted. */
  housekeep(signal: AbortSignal): Promise<void>;
}

/** How long the inbox waits for an engine to deal with a command, in milliseconds. */
const COMMAND_LEASE_MS = 30_000;

/** Commands that are dealt with at once. */
const COMMANDS_AT_ONCE = 64;

/** Executions that were removed by the server and are cleared up behind at once. */
const REMOVALS_AT_ONCE = 32;

/** Cancelled executions an engine remembers, to read the heads of before it begins to work on them. */
const REMEMBERED_CANCELS = 10_000;

/** How far our estimate of the server's time may be off, in milliseconds. */
const CLOCK_MARGIN_MS = 1_000;

/** How late the server may be with a schedule, when it is well, before that counts as lost, in milliseconds. */
const LATE_MS = 5_000;

/** How often an engine sweeps, and looks after its consumers, in milliseconds. */
const SWEEP_MS = 1_000;

/** How often it looks whether the flows it works on need counters, in milliseconds. */
const COUNT_MS = 10_000;

/** Works on the executions of some flows until it is stopped. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #lanes: Lanes;
  readonly #sessions = new Map<string, Session>();
  readonly #pullers: Puller[] = [];
  readonly #flowPullers = new Map<string, Puller>();
  readonly #sweeper: Sweeper;
  readonly #counters: Counters;
  readonly #cancelled = new Set<string>();
  /**
   * By flow: messages stored before this time are superseded perhaps, although they are delivered for the first time.
   * A consumer that was made anew, or whose server was killed, has forgotten what was acked.
   */
  readonly #doubtBefore = new Map<string, number>();
  readonly #failures: Failures;
  readonly #housekeeping: Housekeeping;
  #commands = 0;
  #removals = 0;
  #idle: (() => void) | undefined;
  #restoring: Promise<void> | undefined;
  #isStopping = false;
  /** Whether the time is over in which a stopping engine waits for commands under way. */
  #isOverdue = false;

  /** Creates an engine that does nothing yet. */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.#lanes = new Lanes(options.maxConcurrency);
    this.#sweeper = new Sweeper(options.nats, options.logger);
    this.#counters = new Counters(options.nats, options.logger);
    this.#failures = new Failures(options);
    const run = (signal: AbortSignal) => options.housekeep(signal);
    this.#housekeeping = new Housekeeping({ run, keepAliveMs: COMMAND_LEASE_MS / 3 });
  }

  /** Works until the signal is aborted and the work in flight is done, or given back. */
  async run(signal: AbortSignal): Promise<void> {
    const { nats, leaseMs, executions: { parts: { heads } } } = this.#options;
    await untilAnswered(nats, () => this.#ensureConsumers(), () => signal.aborted);
    if (signal.aborted) return;
    const heartbeat = setInterval(() => this.#lanes.keepAlive(), Math.max(50, leaseMs / 3));
    const sweep = setInterval(() => {
      this.#sweeper.sweep();
      this.#lookForLost();
    }, SWEEP_MS);
    const count = setInterval(() => void this.#counters.keep(), COUNT_MS);
    const cancels = nats.nc.subscribe(nats.names.events("cancelled"), {
      callback: (error, msg) => {
        if (error === null) this.#noticeCancel(msg.subject.split(".").at(-1)!);
      },
    });
    const refusals = new Refusals(nats.nc, this.#options.logger);
    const unwatch = onReconnect(nats.nc, () => this.#reconnected());
    heads.written.remember(true);
    this.#startPullers();
    try {
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
        nats.nc.closed().then(() => resolve());
      });
      await this.#drain();
      if (nats.nc.isClosed() && !signal.aborted) throw new UnavailableError("the NATS connection was closed");
    } finally {
      clearInterval(heartbeat);
      clearInterval(sweep);
      clearInterval(count);
      if (!nats.nc.isClosed()) cancels.unsubscribe();
      unwatch();
      refusals.stop();
      heads.written.remember(false);
      nats.outbox.finish();
      await this.#sweeper.finish();
    }
  }

  async #ensureConsumers(): Promise<void> {
    const { nats, flows, leaseMs } = this.#options;
    const stream = nats.names.executionStream();
    const consumers = [
      ...flows.map(async (flow) => {
        this.#doubtBefore.set(flow, await ensureConsumer(nats, stream, flowConsumer(nats, flow, leaseMs)));
      }),
      ensureConsumer(nats, nats.names.inboxStream, workConsumer("inbox", [], COMMAND_LEASE_MS)),
      ensureConsumer(nats, stream, workConsumer("ticks", [nats.names.ticks()], COMMAND_LEASE_MS)),
      ensureConsumer(nats, stream, workConsumer("removed", [nats.names.headsIn("removed")], COMMAND_LEASE_MS)),
      ensureConsumer(nats, stream, workConsumer("sys", [nats.names.housekeeping("tick")], COMMAND_LEASE_MS)),
    ];
    await Promise.all(consumers);
  }

  #startPullers(): void {
    const { nats, commands, flows } = this.#options;
    const stream = nats.names.executionStream();
    for (const flow of flows) {
      const puller = this.#puller(stream, nats.names.flowConsumer(flow), {
        room: () => this.#lanes.room(flow),
        deliver: (delivery) => this.#take(flow, delivery),
      });
      this.#flowPullers.set(flow, puller);
    }
    const command = (handle: (delivery: Delivery) => Promise<void>) => ({
      room: () => COMMANDS_AT_ONCE - this.#commands,
      deliver: (delivery: Delivery) => void this.#command(delivery, handle),
    });
    this.#puller(nats.names.inboxStream, "inbox", command((delivery) => commands.handle(delivery)));
    this.#puller(stream, "ticks", command((delivery) => commands.tick(delivery)));
    this.#puller(stream, "removed", {
      room: () => REMOVALS_AT_ONCE - this.#removals,
      deliver: (delivery) => {
        this.#removals++;
        void this.#command(delivery, (each) => commands.removed(each).finally(() => this.#removals--));
      },
    });
    this.#puller(stream, "sys", command((delivery) => this.#housekeeping.tick(delivery)));
    for (const puller of this.#pullers) puller.start();
  }

  #puller(
    stream: string,
    consumer: string,
    { room, deliver }: { room: () => number; deliver: (delivery: Delivery) => void },
  ): Puller {
    const { nats, logger } = this.#options;
    const puller = new Puller(nats, {
      stream,
      consumer,
      room,
      deliver,
      restore: () => this.#restore(),
      warn: (message, fields) => logger.warn(message, fields),
    });
    this.#pullers.push(puller);
    return puller;
  }

  /** Makes what was deleted anew: once, however many pullers miss something. */
  #restore(): Promise<void> {
    this.#options.executions.parts.heads.written.forget();
    this.#counters.forget();
    this.#restoring ??= this.#options.restore()
      .then(() => this.#ensureConsumers())
      .finally(() => this.#restoring = undefined);
    return this.#restoring;
  }

  /** What the server could not fire when there was no room, it has forgotten: that is looked for when there is. */
  #lookForLost(): void {
    const { executions: { parts: { patience } }, logger } = this.#options;
    if (this.#isStopping || !patience.hasRoomAgain(LATE_MS + 2 * SWEEP_MS)) return;
    this.#options.redriveLost(LATE_MS).then(
      (count) => logger.info("there is room again; what the server had forgotten was driven on", { count }),
      (error) => {
        // Tried again when the time has passed once more.
        patience.tell(error, "room");
        logger.warn("what the server has forgotten could not be looked for", { error: String(error) });
      },
    );
  }

  #take(flow: string, delivery: Delivery): void {
    const id = this.#options.nats.names.parseHead(delivery.subject)?.id;
    if (this.#isStopping) return delivery.nak();
    if (id === undefined) return delivery.term();
    this.#lanes.add(id, flow, delivery);
    this.#startNext();
    // More may fit in while all that is in hand goes on for long.
    this.#flowPullers.get(flow)?.kick();
  }

  #startNext(): void {
    while (!this.#isStopping && this.#sessions.size < this.#options.maxConcurrency) {
      const held = this.#lanes.take();
      if (held === undefined) return;
      void this.#work(held);
    }
  }

  async #work(held: Held): Promise<void> {
    const session = new Session(this.#options.executions, this.#options.attempts);
    this.#sessions.set(held.id, session);
    try {
      await this.#drive(held, session);
    } catch (error) {
      await this.#failures.work(held.delivery, error).catch((cause) => this.#failures.postpone(held.delivery, cause));
    } finally {
      this.#sessions.delete(held.id);
      this.#lanes.done(held);
      if (this.#isStopping) this.#lanes.release();
      this.#sweeper.touched(held.flow);
      this.#counters.touched(held.flow);
      this.#flowPullers.get(held.flow)?.kick();
      this.#startNext();
      this.#settle();
    }
  }

  async #drive(held: Held, session: Session): Promise<void> {
    const { executions, attempts, maxDeliver } = this.#options;
    const { delivery } = held;
    const own = executions.parts.heads.own(delivery);
    const found = own !== undefined && !this.#isDoubtful(delivery, own)
      ? { head: own }
      : await this.#patiently(async () => ({ head: await this.#headOf(delivery) }));
    if (found === undefined) return held.delivery.nak();
    const { head } = found;
    if (head === undefined) return held.delivery.ack();
    if (delivery.deliveries > maxDeliver) return await this.#failures.exhausted(held.delivery);
    const flow = executions.knownFlow(head.state) ?? await this.#patiently(() => executions.flowOf(head.state));
    if (flow === undefined) return held.delivery.nak();
    const lacking = attempts.lacks(flow);
    if (lacking !== undefined) throw new MissingInvokerError(flow.name, lacking);
    const isNew = isFirst(delivery, head) && !this.#isDoubtful(delivery, head);
    const isSuperseded = await session.run(flow, head, isNew ? firstUntil(delivery, this.#options.leaseMs) : 0);
    if (isSuperseded) held.delivery.ack();
    else held.delivery.nak();
  }

  /** A delivery that is held does not count as one more that came to nothing. */
  #patiently<T>(run: () => Promise<T>): Promise<T | undefined> {
    return this.#options.executions.parts.patience.until(run, () => this.#isStopping);
  }

  /** The head to work on; `undefined` where the delivered one is superseded by one that drives itself (R3). */
  async #headOf(delivery: Delivery): Promise<Head | undefined> {
    const { executions } = this.#options;
    const { heads } = executions.parts;
    let head = await heads.delivered(delivery);
    if (this.#isDoubtful(delivery, head) && head.revision === delivery.sequence) {
      const newest = await heads.read(head.state.id, head.state.flow);
      if (newest === undefined) return undefined;
      head = newest;
    }
    if (head.revision === delivery.sequence || !drivesItself(head)) return head;
    // Whoever parked it may have died before it looked into the mail (R7), or before it removed what it had found there.
    if (awaitsMail(head.state)) await executions.collectMail(await executions.flowOf(head.state), head);
    if (delivery.deliveries > 1) await executions.clearMail(head);
    return undefined;
  }

  /** Whether a delivered message may be superseded: it came before, was cancelled, or its acks may have been forgotten. */
  #isDoubtful(delivery: Delivery, { state }: Head): boolean {
    return delivery.deliveries > 1 || this.#cancelled.has(state.id) ||
      delivery.time < (this.#doubtBefore.get(state.flow) ?? 0);
  }

  /** What was cancelled is aborted where it is being worked on, and not begun where its turn is still to come. */
  #noticeCancel(id: string): void {
    this.#sessions.get(id)?.doubt();
    this.#cancelled.add(id);
    if (this.#cancelled.size > REMEMBERED_CANCELS) {
      for (const oldest of this.#cancelled) {
        this.#cancelled.delete(oldest);
        break;
      }
    }
  }

  async #command(delivery: Delivery, handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    if (this.#isStopping) return delivery.nak();
    this.#commands++;
    try {
      await handle(delivery);
    } catch (error) {
      // Nothing hinders what is ahead of its turn.
      if (isPassing(error) && !(error instanceof AheadError)) this.#options.executions.parts.patience.tell(error);
      if (isPassing(error) || delivery.deliveries <= this.#options.maxDeliver) this.#failures.postpone(delivery, error);
      else await this.#failures.command(delivery, error).catch((cause) => this.#failures.postpone(delivery, cause));
    } finally {
      this.#commands--;
      for (const puller of this.#pullers) puller.kick();
      this.#settle();
    }
  }

  /** Stops taking work, gives back what waits, and gives what is under way its time to end. */
  async #drain(): Promise<void> {
    this.#isStopping = true;
    this.#housekeeping.stop();
    await Promise.all(this.#pullers.map((puller) => puller.stop()));
    this.#lanes.release();
    if (this.#isIdle()) return;
    const drop = () => {
      for (const session of this.#sessions.values()) session.drop();
    };
    const timer = setTimeout(() => {
      drop();
      this.#isOverdue = true; // a command that is not acked comes again, to another engine
      this.#settle();
    }, this.#options.drainTimeoutMs);
    void this.#options.nats.nc.closed().then(drop); // nobody can be told of a result any more
    await new Promise<void>((resolve) => this.#idle = resolve);
    clearTimeout(timer);
  }

  #isIdle(): boolean {
    return this.#sessions.size === 0 && (this.#commands === 0 || this.#isOverdue);
  }

  #settle(): void {
    if (this.#isIdle()) this.#idle?.();
  }

  /** Anything may have been missed: every session looks at its head, and what comes next is doubted. */
  #reconnected(): void {
    const now = this.#options.nats.clock.now() + CLOCK_MARGIN_MS;
    this.#options.executions.parts.heads.written.forget();
    for (const flow of this.#options.flows) this.#doubtBefore.set(flow, now);
    for (const session of this.#sessions.values()) session.doubt();
    for (const puller of this.#pullers) puller.reconnected();
  }
}

/** The definition an execution runs by names a kind of invoker that this engine does not have. */
class MissingInvokerError extends Error {
  constructor(flow: string, kind: string) {
    super(`this engine has no invoker of kind ${kind}, which flow ${flow} needs`);
    this.name = "MissingInvokerError";
  }
}

/**
 * Commands: what comes in from outside, applied to executions.
 *
 * A command is acked when it has had its effect, or is dead-lettered with a reason. One that makes no sense yet (a
 * signal to an execution that does not exist) is redelivered for a while.
 *
 * @module
 */

import { decodeState } from "../core/codec.ts";
import type { Event } from "../core/events.ts";
import { awaitsMail } from "../core/mail.ts";
import { ConflictError, UnavailableError, ValidationError } from "../errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { isName, quoted } from "../names.ts";
import { checkCron, nextFiring } from "../nats/cron.ts";
import { isServed } from "../nats/provision.ts";
import { type Command, CommandError, parseCommand } from "../nats/inbox.ts";
import type { DeadLetters, DeadLetterSource } from "../nats/dead_letters.ts";
import type { Delivery } from "../nats/delivery.ts";
import type { Head } from "../nats/head.ts";
import { redeliveryDelay } from "../nats/backoff.ts";
import { isPassing } from "../nats/patience.ts";
import type { RegisteredFlow } from "../nats/registry.ts";
import { bury } from "./burial.ts";
import type { Executions } from "./executions.ts";
import { byteLength } from "./result.ts";

/** A command that can never have its effect. */
class Hopeless extends Error {}

/** A command that cannot have its effect yet. */
class NotYet extends Error {}

/** A command that is ahead of its execution's start, which is still in the inbox: it waits, however long that takes. */
export class AheadError extends UnavailableError {
  /** Creates the error. */
  constructor(id: string) {
    super(`execution ${id} is still to be started`);
  }
}

/** What a recurring schedule's tick asks for. */
interface Tick {
  readonly flow: string;
  readonly payload: JsonObject;
  readonly cron: string;
  readonly timeZone: string;
}

/** What commands are carried out with. */
export interface CommandOptions {
  /** The executions. */
  readonly executions: Executions;
  /** Where what is given up on goes. */
  readonly deadLetters: DeadLetters;
  /** Deliveries of one command before it is given up on. */
  readonly maxDeliver: number;
  /** The newest definition of a flow. */
  flow(name: string): Promise<RegisteredFlow | undefined>;
}

/** Carries commands out. */
export class Commands {
  readonly #options: CommandOptions;

  /** Creates them. No I/O. */
  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Carries out a command of the inbox. Rejects where it is to be redelivered. */
  async handle(delivery: Delivery): Promise<void> {
    const body = delivery.text();
    let command: Command | undefined;
    try {
      command = parseCommand(this.#options.executions.parts.nats.names, delivery.subject, body);
      await this.#perform(command, delivery);
    } catch (error) {
      if (!this.#isFinal(error, delivery)) return this.#again(delivery, error);
      const source = command?.type === "signal" ? "signal" : "ingress";
      const key = command === undefined || command.type === "start" ? delivery.subject : command.id;
      await this.#giveUp(delivery, { source, key, reason: (error as Error).message, body });
    }
    delivery.ack();
  }

  /** Clears up behind an execution that the server has removed. */
  async removed(delivery: Delivery): Promise<void> {
    await bury(this.#options.executions, decodeState(delivery.text()), delivery.sequence);
    delivery.ack();
  }

  /** Starts the execution of a recurring schedule's tick: one, however often the tick is delivered. */
  async tick(delivery: Delivery): Promise<void> {
    const body = delivery.text();
    const key = delivery.subject.split(".").at(-1)!;
    let tick: Tick | undefined;
    try {
      tick = parseTick(body);
      const id = tickId(key, delivery);
      if (delivery.deliveries > 1 && await this.#options.executions.parts.heads.read(id) !== undefined) {
        return delivery.ack();
      }
      await this.#checkServed(tick.flow);
      await this.#start(tick.flow, id, JSON.stringify(tick.payload), "again");
    } catch (error) {
      // The next tick takes the place of this one in the stream: a delivery after that would never come.
      const delay = redeliveryDelay(delivery.deliveries);
      const isLast = error instanceof NotYet && tick !== undefined && this.#nextTick(tick) <= 2 * delay;
      if (!isLast && !this.#isFinal(error, delivery)) return this.#again(delivery, error);
      await this.#giveUp(delivery, { source: "schedule", key, reason: (error as Error).message, body });
    }
    delivery.ack();
  }

  /** Whether an error will not go away, or has been waited for long enough. */
  #isFinal(error: unknown, { deliveries }: Delivery): boolean {
    if (isHopeless(error)) return true;
    if (error instanceof NotYet) return deliveries >= this.#options.maxDeliver;
    return error instanceof Error && !isPassing(error) && deliveries > this.#options.maxDeliver;
  }

  #again(delivery: Delivery, error: unknown): void {
    if (!(error instanceof NotYet)) throw error;
    delivery.nak(redeliveryDelay(delivery.deliveries));
  }

  /** How long until a schedule's next tick, in milliseconds. */
  #nextTick({ cron, timeZone }: Tick): number {
    const now = this.#options.executions.parts.nats.clock.now();
    return nextFiring(cron, timeZone, new Date(now)).getTime() - now;
  }

  /** A tick is for somebody: unlike a start, nobody is there to see that it waits for an engine. */
  async #checkServed(flow: string): Promise<void> {
    if (await isServed(this.#options.executions.parts.nats, flow)) return;
    throw new NotYet(`no engine that runs has flow ${flow}: start one, or remove the schedule`);
  }

  async #perform(command: Command, delivery: Delivery): Promise<void> {
    const { executions } = this.#options;
    switch (command.type) {
      case "start": {
        const { flow, id, payload } = command;
        // Of an id that somebody else may use, there may have been a life before this start.
        const how = id === undefined ? "again" : "once";
        return await this.#start(flow, id ?? inboxId(delivery), JSON.stringify(payload), how);
      }
      case "signal":
        return await this.#signal(command, delivery);
      case "complete":
        return await this.#complete(command, delivery);
      case "cancel": {
        const { id, reason } = command;
        const applied = await executions.end(id, { type: "cancel", ...(reason === undefined ? {} : { reason }) });
        if (applied.type === "unknown") await this.#checkStarted(id);
        return;
      }
      case "resume": {
        const applied = await executions.apply(command.id, { type: "resume" });
        if (applied.type === "unknown") throw new Hopeless(`there is no execution ${command.id}`);
        // A redelivery finds what the delivery before it has done.
        if (applied.type === "drop") await this.#dropped(command.id, { ...applied, lost: delivery.deliveries === 1 });
        return;
      }
      default:
        return command satisfies never;
    }
  }

  async #start(flow: string, id: string, payload: string, how: "once" | "again"): Promise<void> {
    this.#checkSize(payload, "the payload");
    const registered = await this.#options.flow(flow);
    if (registered === undefined) throw new NotYet(`there is no flow ${flow}: no engine has loaded it`);
    await this.#options.executions.start(registered, id, payload, how);
  }

  async #signal(command: Command & { type: "signal" }, delivery: Delivery): Promise<void> {
    const { executions } = this.#options;
    const { id, name } = command;
    const text = JSON.stringify(command.payload);
    this.#checkSize(text, "the payload");
    const head = await executions.parts.heads.read(id);
    if (head === undefined) {
      await this.#checkStarted(id);
      throw new NotYet(`there is no execution ${id}`);
    }
    const payload = await executions.store(id, text);
    const event: Event = { type: "signal", name, payload, sequence: delivery.sequence };
    const applied = await executions.apply(id, event);
    if (applied.type !== "next") executions.discard(event);
    if (applied.type === "unknown") throw new NotYet(`there is no execution ${id}`);
    if (applied.type === "drop") await this.#dropped(id, applied);
    if (applied.type === "keep") await this.#keep(id, executions.parts.nats.names.signalMail(id, name), text, delivery);
  }

  /** @throws {AheadError} Where the execution's start is still in the inbox. */
  async #checkStarted(id: string): Promise<void> {
    const { jsm, names } = this.#options.executions.parts.nats;
    const filter = { subjects_filter: names.command("start", "*", id) };
    const { state } = await jsm.streams.info(names.inboxStream, filter);
    if (Object.keys(state.subjects ?? {}).length > 0) throw new AheadError(id);
  }

  async #complete(command: Command & { type: "complete" }, delivery: Delivery): Promise<void> {
    const { executions } = this.#options;
    const { id, node, attempt, generation, result } = command;
    const outcome = await executions.outcomeOf(id, result, node);
    if (outcome.status === "pending") throw new Hopeless(`a completion cannot be pending: say ok, error or retry`);
    const event: Event = {
      type: "completion",
      node,
      attempt,
      outcome,
      ...(generation === undefined ? {} : { generation }),
    };
    const applied = await executions.apply(id, event);
    if (applied.type !== "next") executions.discard(event);
    if (applied.type === "unknown") throw new Hopeless(`there is no execution ${id}`);
    if (applied.type === "drop") await this.#dropped(id, applied);
    if (applied.type !== "keep") return;
    const subject = executions.parts.nats.names.completionMail(id, node, applied.generation!, attempt);
    await this.#keep(id, subject, JSON.stringify(result), delivery);
  }

  /**
   * A command that changes nothing may have had its effect when it was delivered before, by an engine that died before
   * it looked into the mail, or before it removed what it had found there: who parks looks once more (R7), and whoever
   * comes after it.
   */
  async #dropped(id: string, { reason, lost }: { reason: string; lost: boolean }): Promise<void> {
    const head = await this.#look(id);
    if (head !== undefined) await this.#options.executions.clearMail(head);
    if (lost) throw new Hopeless(reason);
  }

  /** Gives an execution the mail it waits for. Its head after that. */
  async #look(id: string): Promise<Head | undefined> {
    const { executions } = this.#options;
    const head = await executions.parts.heads.read(id);
    if (head !== undefined && awaitsMail(head.state)) {
      return await executions.collectMail(await executions.flowOf(head.state), head);
    }
    return head;
  }

  /** Mail before waiting, then a look at the head: whoever parks meanwhile looks into the mail (R7). */
  async #keep(id: string, subject: string, text: string, delivery: Delivery): Promise<void> {
    await this.#options.executions.parts.mailbox.keep(subject, text, delivery.sequence);
    await this.#look(id);
  }

  #checkSize(text: string, what: string): void {
    const { maxPayloadBytes } = this.#options.executions.parts.settings;
    const size = byteLength(text, maxPayloadBytes);
    if (size > maxPayloadBytes) {
      throw new Hopeless(`${what} is too large: ${size} bytes of JSON, the limit is ${maxPayloadBytes}`);
    }
  }

  async #giveUp(
    delivery: Delivery,
    letter: { source: DeadLetterSource; key: string; reason: string; body: string },
  ): Promise<void> {
    const { subject, deliveries, sequence, time } = delivery;
    const origin = letter.source === "schedule" ? {} : { subject };
    await this.#options.deadLetters.record(
      { ...letter, deliveries, ...origin },
      `${letter.source}-${sequence}-${time}`,
    );
  }
}

function isHopeless(error: unknown): error is Error {
  return error instanceof Hopeless || error instanceof CommandError || error instanceof ConflictError ||
    error instanceof ValidationError;
}

/** What a tick asks for. @throws {CommandError} Where it makes no sense. */
function parseTick(body: string): Tick {
  let tick: Json;
  try {
    tick = JSON.parse(body);
  } catch {
    throw new CommandError(`the tick's body is not JSON: ${quoted(body)}`);
  }
  if (!isJsonObject(tick) || !isName(tick.flow)) throw new CommandError(`the tick names no flow: ${quoted(body)}`);
  const payload = tick.payload ?? {};
  if (!isJsonObject(payload)) {
    throw new CommandError(`the tick's payload must be a JSON object, it is ${quoted(payload)}`);
  }
  return { flow: tick.flow, payload, ...checkCron("cron", tick.cron, tick.timeZone) };
}

/** The id of an execution whose start came without one: the same for every delivery of the same message. */
function inboxId(delivery: Delivery): string {
  return `exec-${delivery.time.toString(36)}-${delivery.sequence.toString(36)}`;
}

/**
 * The id of the execution that a tick starts: the same for every delivery of the same tick. Sequences alone would come
 * again in a stream that was restored.
 */
function tickId(schedule: string, delivery: Delivery): string {
  return `${schedule.slice(0, 80)}-${delivery.time.toString(36)}-${delivery.sequence.toString(36)}`;
}

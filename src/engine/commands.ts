/**
 * Commands: what comes in from outside, applied to executions.
 *
 * A command is acked when it has had its effect, or is dead-lettered with a reason. One that makes no sense yet (a
 * signal to an execution that does not exist) is redelivered for a while.
 *
 * @module
 */

import type { Event } from "../core/events.ts";
import { awaitsMail } from "../core/mail.ts";
import { ConflictError, ValidationError } from "../errors.ts";
import type { Json } from "../json.ts";
import { type Command, CommandError, parseCommand } from "../nats/inbox.ts";
import type { DeadLetters, DeadLetterSource } from "../nats/dead_letters.ts";
import type { Delivery } from "../nats/delivery.ts";
import { redeliveryDelay } from "../nats/backoff.ts";
import type { RegisteredFlow } from "../nats/registry.ts";
import type { Executions } from "./executions.ts";
import { byteLength } from "./result.ts";

/** A command that can never have its effect. */
class Hopeless extends Error {}

/** A command that cannot have its effect yet. */
class NotYet extends Error {}

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

  /** Carries out a command of the inbox. Rejects where the server does not answer: it is then to be redelivered. */
  async handle(delivery: Delivery): Promise<void> {
    const body = delivery.text();
    let command: Command | undefined;
    try {
      command = parseCommand(this.#options.executions.parts.nats, delivery.subject, body);
      await this.#perform(command, delivery);
    } catch (error) {
      if (error instanceof NotYet && delivery.deliveries < this.#options.maxDeliver) {
        return delivery.nak(redeliveryDelay(delivery.deliveries));
      }
      if (!isHopeless(error)) throw error;
      const source = command?.type === "signal" ? "signal" : "ingress";
      await this.#giveUp(
        delivery,
        source,
        command === undefined || command.type === "start" ? delivery.subject : command.id,
        error.message,
        body,
      );
    }
    delivery.ack();
  }

  /** Starts the execution of a recurring schedule's tick: one, however often the tick is delivered. */
  async tick(delivery: Delivery): Promise<void> {
    const body = delivery.text();
    const name = delivery.subject.split(".").at(-1)!;
    try {
      const { flow, payload } = JSON.parse(body) as { flow: string; payload?: Json };
      await this.#start(flow, tickId(name, delivery.sequence), JSON.stringify(payload ?? {}));
    } catch (error) {
      if (error instanceof NotYet && delivery.deliveries < this.#options.maxDeliver) {
        return delivery.nak(redeliveryDelay(delivery.deliveries));
      }
      if (!isHopeless(error) && !(error instanceof SyntaxError)) throw error;
      await this.#giveUp(delivery, "schedule", name, error.message, body);
    }
    delivery.ack();
  }

  async #perform(command: Command, delivery: Delivery): Promise<void> {
    const { executions } = this.#options;
    switch (command.type) {
      case "start":
        return await this.#start(command.flow, command.id ?? inboxId(delivery), JSON.stringify(command.payload));
      case "signal":
        return await this.#signal(command, delivery);
      case "complete":
        return await this.#complete(command, delivery);
      case "cancel": {
        const { id, reason } = command;
        await executions.end(id, { type: "cancel", ...(reason === undefined ? {} : { reason }) });
        return;
      }
      case "resume": {
        const applied = await executions.apply(command.id, { type: "resume" });
        if (applied.type === "unknown") throw new Hopeless(`there is no execution ${command.id}`);
        if (applied.type === "drop") throw new Hopeless(applied.reason);
      }
    }
  }

  async #start(flow: string, id: string, payload: string): Promise<void> {
    this.#checkSize(payload, "the payload");
    const registered = await this.#options.flow(flow);
    if (registered === undefined) throw new NotYet(`there is no flow ${flow}: no engine has loaded it`);
    await this.#options.executions.start(registered, id, payload);
  }

  async #signal(command: Command & { type: "signal" }, delivery: Delivery): Promise<void> {
    const { executions } = this.#options;
    const { id, name } = command;
    const text = JSON.stringify(command.payload);
    this.#checkSize(text, "the payload");
    const head = await executions.parts.heads.read(id);
    if (head === undefined) throw new NotYet(`there is no execution ${id}`);
    const payload = await executions.store(id, text);
    const applied = await executions.apply(id, { type: "signal", name, payload, sequence: delivery.sequence });
    if (applied.type !== "next" && "ref" in payload) executions.parts.data.discard([payload.ref]);
    if (applied.type === "drop" && applied.lost) throw new Hopeless(applied.reason);
    if (applied.type === "keep") await this.#keep(id, executions.parts.nats.names.signalMail(id, name), text, delivery);
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
    if (applied.type === "unknown") throw new Hopeless(`there is no execution ${id}`);
    if (applied.type === "drop" && applied.lost) throw new Hopeless(applied.reason);
    if (applied.type !== "keep") return;
    const subject = executions.parts.nats.names.completionMail(id, node, applied.generation!, attempt);
    await this.#keep(id, subject, JSON.stringify(result), delivery);
  }

  /** Mail before waiting, then a look at the head: whoever parks meanwhile looks into the mail (R7). */
  async #keep(id: string, subject: string, text: string, delivery: Delivery): Promise<void> {
    const { executions } = this.#options;
    await executions.parts.mailbox.keep(subject, text, delivery.sequence);
    const head = await executions.parts.heads.read(id);
    if (head !== undefined && awaitsMail(head.state)) {
      await executions.collectMail(await executions.flowOf(head.state), head);
    }
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
    source: DeadLetterSource,
    key: string,
    reason: string,
    body: string,
  ): Promise<void> {
    const { subject, deliveries } = delivery;
    const letter = { source, key, reason, deliveries, body, ...(source === "schedule" ? {} : { subject }) };
    await this.#options.deadLetters.record(letter, `${source}-${delivery.sequence}-${delivery.time}`);
  }
}

function isHopeless(error: unknown): error is Error {
  return error instanceof Hopeless || error instanceof NotYet || error instanceof CommandError ||
    error instanceof ConflictError || error instanceof ValidationError;
}

/** The id of an execution whose start came without one: the same for every delivery of the same message. */
function inboxId(delivery: Delivery): string {
  return `exec-${delivery.time.toString(36)}-${delivery.sequence.toString(36)}`;
}

/** The id of the execution that a tick starts: the same for every delivery of the same tick. */
function tickId(schedule: string, sequence: number): string {
  return `${schedule.slice(0, 100)}-${sequence}`;
}

/**
 * The inbox: all that comes from outside the engines, as one publish from any NATS client.
 *
 * | subject | body |
 * | --- | --- |
 * | `<ns>.in.start.<flow>` or `<ns>.in.start.<flow>.<id>` | the payload: a JSON object, or nothing |
 * | `<ns>.in.signal.<id>.<name>` | the payload: JSON, or nothing for `null` |
 * | `<ns>.in.complete.<id>.<node>.<attempt>`, also with `.<generation>` | the result: `{"status", "payload"?, "error"?}` |
 * | `<ns>.in.cancel.<id>` | `{"reason"}`, or nothing |
 * | `<ns>.in.resume.<id>` | nothing |
 *
 * @module
 */

import { headers } from "@nats-io/nats-core";
import { StateError } from "../errors.ts";
import { isName, type Names, quoted } from "../names.ts";
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { isNoResponders, type Nats, packtrailError, publish } from "./client.ts";

const MAX_REASON = 4_096;

/** A command from outside. */
export type Command =
  | { readonly type: "start"; readonly flow: string; readonly id?: string; readonly payload: JsonObject }
  | { readonly type: "signal"; readonly id: string; readonly name: string; readonly payload: Json }
  | {
    readonly type: "complete";
    readonly id: string;
    readonly node: string;
    readonly attempt: number;
    readonly generation?: number;
    readonly result: Json;
  }
  | { readonly type: "cancel"; readonly id: string; readonly reason?: string }
  | { readonly type: "resume"; readonly id: string };

/** A command that makes no sense. */
export class CommandError extends Error {
  /** Creates the error. */
  constructor(message: string) {
    super(message);
    this.name = "CommandError";
  }
}

/** Publishes a command. `dedupe` makes retried publishes one, within two minutes. */
export async function sendCommand(nats: Nats, command: Command, dedupe?: string): Promise<void> {
  const { subject, body } = encodeCommand(nats.names, command);
  try {
    const note = headers();
    if (dedupe !== undefined) note.set("Nats-Msg-Id", dedupe);
    await publish(nats, subject, body, dedupe === undefined ? {} : { headers: note });
  } catch (error) {
    if (isNoResponders(error)) throw error;
    throw packtrailError(error, `sending ${command.type} ${command.type === "start" ? command.flow : command.id}`);
  }
}

/** Publishes the text of a command once more to the inbox subject it came on. @throws {StateError} Where it is none. */
export async function sendRaw(nats: Nats, subject: string, body: string, dedupe: string): Promise<void> {
  const [inbox] = nats.names.inboxSubjects().split(">");
  if (!subject.startsWith(inbox!)) throw new StateError(`${quoted(subject)} is not a subject of the inbox`);
  const note = headers();
  note.set("Nats-Msg-Id", dedupe);
  try {
    await publish(nats, subject, body, { headers: note });
  } catch (error) {
    throw packtrailError(error, `sending ${subject} again`);
  }
}

/** The command of a message in the inbox. @throws {CommandError} Where there is none. */
export function parseCommand(names: Names, subject: string, body: string): Command {
  const [type, ...args] = names.parseCommand(subject);
  for (const arg of args) {
    if (!isName(arg)) throw new CommandError(`${quoted(arg)} in the subject ${quoted(subject)} is not a legal name`);
  }
  const [first, second, third, fourth] = args;
  switch (type) {
    case "start":
      if (first === undefined || args.length > 2) break;
      return { type, flow: first, ...(second === undefined ? {} : { id: second }), payload: parseObject(body) };
    case "signal":
      if (first === undefined || second === undefined || args.length > 2) break;
      return { type, id: first, name: second, payload: parseJson(body) };
    case "complete": {
      if (first === undefined || second === undefined || third === undefined || args.length > 4) break;
      const generation = fourth === undefined ? {} : { generation: parseCount(fourth, "generation") };
      return {
        type,
        id: first,
        node: second,
        attempt: parseCount(third, "attempt"),
        ...generation,
        result: parseJson(body),
      };
    }
    case "cancel": {
      if (first === undefined || args.length > 1) break;
      return { type, id: first, ...parseReason(parseObject(body).reason) };
    }
    case "resume":
      if (first === undefined || args.length > 1) break;
      return { type, id: first };
  }
  throw new CommandError(`${quoted(subject)} is not the subject of a command: start, signal, complete, cancel, resume`);
}

/** The inbox message of a command. */
export function encodeCommand(names: Names, command: Command): { subject: string; body: string } {
  switch (command.type) {
    case "start": {
      const tokens = command.id === undefined ? [command.flow] : [command.flow, command.id];
      return { subject: names.command("start", ...tokens), body: JSON.stringify(command.payload) };
    }
    case "signal":
      return { subject: names.command("signal", command.id, command.name), body: JSON.stringify(command.payload) };
    case "complete": {
      const generation = command.generation === undefined ? [] : [command.generation];
      const subject = names.command("complete", command.id, command.node, command.attempt, ...generation);
      return { subject, body: JSON.stringify(command.result) };
    }
    case "cancel": {
      const body = command.reason === undefined ? "" : JSON.stringify({ reason: command.reason });
      return { subject: names.command("cancel", command.id), body };
    }
    case "resume":
      return { subject: names.command("resume", command.id), body: "" };
    default:
      return command satisfies never;
  }
}

function parseJson(body: string): Json {
  if (body === "") return null;
  try {
    return JSON.parse(body);
  } catch {
    throw new CommandError(`the body is not JSON: ${quoted(body)}`);
  }
}

function parseObject(body: string): JsonObject {
  const value = body === "" ? {} : parseJson(body);
  if (!isJsonObject(value)) throw new CommandError(`the body must be a JSON object, it is ${quoted(value)}`);
  return value;
}

function parseReason(reason: Json | undefined): { reason?: string } {
  if (reason === undefined || reason === null) return {};
  if (typeof reason !== "string") throw new CommandError(`the reason must be text, it is ${quoted(reason)}`);
  if (reason.length > MAX_REASON) {
    throw new CommandError(`the reason is too long: ${reason.length} characters, the limit is ${MAX_REASON}`);
  }
  return { reason };
}

function parseCount(token: string, what: string): number {
  if (!/^\d{1,15}$/.test(token)) throw new CommandError(`the ${what} must be a number, it is ${quoted(token)}`);
  return Number(token);
}

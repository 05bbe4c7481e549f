/**
 * What every command is made of: its flags checked, its connection opened and closed, its output.
 *
 * @module
 */

import { type Command, InvalidArgumentError } from "commander";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { text as textOf } from "node:stream/consumers";
import { type Connection, createServer, type Json, type JsonObject, type Logger, type Server } from "../../mod.ts";
import { type ConnectionFlags, connectTo, findTarget, type Target } from "./connection.ts";
import { CommandError, EXIT } from "./failure.ts";
import { Output } from "./output.ts";

/** The flags that every command has. */
export interface GlobalFlags extends ConnectionFlags {
  readonly namespace: string;
  readonly json: boolean;
}

/** Where a command runs: its global flags, and where it prints. */
export class Scene {
  /** The global flags. */
  readonly flags: GlobalFlags;
  /** Where it prints. */
  readonly out: Output;

  /** Creates the scene of a command. */
  constructor(flags: GlobalFlags) {
    this.flags = flags;
    this.out = new Output({ json: flags.json });
  }

  /** Where the command connects to. */
  target(): Promise<Target> {
    return findTarget(this.flags);
  }

  /** Runs something with a connection, and closes it. */
  async connected<T>(
    run: (nc: Connection, target: Target) => Promise<T>,
    options: { forever?: boolean } = {},
  ): Promise<T> {
    const target = await this.target();
    const nc = await connectTo(target, options);
    try {
      return await run(nc, target);
    } finally {
      await nc.close();
    }
  }

  /** Runs something with a server of the namespace that runs no engine. */
  async served<T>(run: (server: Server, nc: Connection) => Promise<T>): Promise<T> {
    return await this.connected(async (nc, { servers }) => {
      if (nc.info?.jetstream !== true) {
        throw new CommandError(
          EXIT.nats,
          `the NATS server at ${servers.join(", ")} has no JetStream`,
          "start nats-server with `-js`; `packtrail doctor` looks at the server",
        );
      }
      return await withServer(nc, this.flags.namespace, (server) => run(server, nc));
    });
  }
}

/** Runs something with a server that runs no engine, and closes it. */
export async function withServer<T>(
  nc: Connection,
  namespace: string,
  run: (server: Server) => Promise<T>,
): Promise<T> {
  // Node 20 cannot read `await using`.
  const server = await createServer(nc, { namespace, logger: plainLogger });
  try {
    return await run(server);
  } finally {
    await server.close();
  }
}

/** What a command does; returns its exit code, 0 where nothing. */
export type Action<Args extends unknown[]> = (scene: Scene, ...args: Args) => Promise<number | void>;

/** Gives a command what it does. Its arguments come first, then its flags. */
export function action<Args extends unknown[]>(command: Command, run: Action<Args>): Command {
  return command.action(async (...given: unknown[]) => {
    given.pop(); // the command itself
    const scene = new Scene(command.optsWithGlobals<GlobalFlags>());
    const code = await run(scene, ...given as Args);
    if (code) throw new ExitError(code);
  });
}

/** Ends the command with a code, when all has been said. */
export class ExitError extends Error {
  /** The exit code. */
  readonly exitCode: number;

  /** Creates the error. */
  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.name = "ExitError";
    this.exitCode = exitCode;
  }
}

/** Warnings and errors as plain lines on standard error. */
export const plainLogger: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => console.error(`warning: ${message}${shownFields(fields)}`),
  error: (message, fields) => console.error(`error: ${message}${shownFields(fields)}`),
};

function shownFields(fields: Record<string, unknown> | undefined): string {
  return fields === undefined || Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
}

/** A whole number from a flag or an argument. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It has to be a whole number.");
}

/** A whole number from 1 on. */
export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("It has to be 1 or more.");
}

/** JSON from an argument, from a file where it begins with `@`, or from standard input where it is `-`. */
export async function readJson(what: string, text: string): Promise<Json> {
  const source = text === "-"
    ? await readInput()
    : text.startsWith("@")
    ? await readArgument(what, text.slice(1))
    : text;
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new CommandError(
      EXIT.invalid,
      `the ${what} is not JSON: ${(cause as Error).message}`,
      `quote it for the shell, as in '{"a": 1}'; @file reads a file, - standard input`,
      { cause },
    );
  }
}

/** A JSON object, as {@linkcode readJson} reads it; an empty one where it is not given. */
export async function readObject(what: string, text: string | undefined): Promise<JsonObject> {
  if (text === undefined) return {};
  const value = await readJson(what, text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new CommandError(EXIT.invalid, `the ${what} must be a JSON object`);
}

async function readInput(): Promise<string> {
  return await textOf(process.stdin);
}

async function readArgument(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CommandError(EXIT.usage, `the ${what} cannot be read from ${path}: ${(cause as Error).message}`);
  }
}

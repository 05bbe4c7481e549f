/**
 * Engines in processes of their own, which can be killed.
 *
 * The invoker of kind `remote` asks the test what to answer, over NATS: so the test sees every attempt that any
 * process makes, and decides how it ends.
 *
 * @module
 */

import type { Msg, NatsConnection } from "@nats-io/nats-core";
import type { FlowDef, InvokeRequest, Result } from "../../mod.ts";
import { RunningProgram } from "./process.ts";
import type { Space } from "./space.ts";
import { within } from "./until.ts";

const HOUR_MS = 3_600_000;

/** What the process is told. */
export interface EngineProcessOptions {
  /** Its flows; tasks are of kind `remote`. */
  flows: FlowDef[];
  /** How long its work stays its own when it is silent. */
  leaseTtl?: string;
  /** Work items at once. */
  maxConcurrency?: number;
  /** How long it waits for work in flight when it is told to stop. */
  drainTimeout?: string;
}

/** An attempt that a process makes. */
export interface RemoteAttempt {
  /** The process: its owner id. */
  owner: string;
  /** The execution. */
  executionId: string;
  /** The node. */
  node: string;
  /** The attempt, from 0. */
  attempt: number;
  /** The generation. */
  generation: number;
  /** The same for every delivery of the same attempt. */
  key: string;
}

/** How the test answers attempts. */
export type RemoteAnswer = (attempt: RemoteAttempt) => Result | Promise<Result>;

/** Answers the attempts of every engine process of a namespace, and records them. */
export class RemoteInvoker {
  /** The attempts that were made, in order. */
  readonly attempts: RemoteAttempt[] = [];
  /** How they end; a plain `ok` unless told otherwise. */
  answer: RemoteAnswer;
  readonly #nc: NatsConnection;

  /** Listens on a space's connection, until that is closed. */
  constructor(nc: NatsConnection, namespace: string, answer: RemoteAnswer = () => ({ status: "ok" })) {
    this.answer = answer;
    this.#nc = nc;
    nc.subscribe(remoteSubject(namespace), {
      callback: (_error, msg) => void this.#respond(msg),
    });
  }

  /** The idempotency keys of the attempts, in order. */
  get keys(): string[] {
    return this.attempts.map((attempt) => attempt.key);
  }

  async #respond(msg: Msg): Promise<void> {
    const attempt = msg.json<RemoteAttempt>();
    this.attempts.push(attempt);
    const result = JSON.stringify(await this.answer(attempt));
    if (!this.#nc.isClosed()) msg.respond(result);
  }
}

/** An engine, or a worker, that runs in a process of its own. */
export interface EngineProcess extends AsyncDisposable {
  /** Its owner id. */
  readonly owner: string;
  /** Kills it, as a crash would, and waits for its end. May be called again. */
  kill(): Promise<void>;
  /** Tells it to stop, and waits until it has drained. Returns its exit code. */
  stop(): Promise<number>;
}

const MAIN = new URL("./engine_main.ts", import.meta.url);

/** Starts an engine in a process of its own; it ends with the test's process. Resolves when it has set up. */
export async function startEngineProcess(space: Space, options: EngineProcessOptions): Promise<EngineProcess> {
  return await startProcess(space, MAIN, options);
}

/** Starts one of the programs that say that they take work, see {@linkcode startInSpace}. */
export async function startProcess(space: Space, main: URL, options: object): Promise<EngineProcess> {
  const { owner, program } = await startInSpace(space, main, options);
  const kill = () => program.kill();
  const stop = () => within(program.stop(), "a process to stop");
  return { owner, kill, stop, [Symbol.asyncDispose]: kill };
}

/**
 * Starts a program with an owner id of its own, which it is told with the options, the server's URL and the namespace.
 * Resolves when it says that it takes work, see {@linkcode readySubject}.
 */
export async function startInSpace(
  space: Space,
  main: URL,
  options: object,
): Promise<{ owner: string; program: RunningProgram }> {
  const owner = `p-${crypto.randomUUID()}`;
  const settings = { ...options, url: space.url, namespace: space.namespace, ownerId: owner };
  const ready = Promise.withResolvers<void>();
  const announcement = space.nc.subscribe(readySubject(space.namespace, owner), {
    callback: () => ready.resolve(),
    max: 1,
  });
  await space.nc.flush();
  const program = RunningProgram.start(main, { settings, permissions: "test", stdout: "null" });
  try {
    await within(program.alive(ready.promise), "a process to start");
  } finally {
    announcement.unsubscribe();
  }
  return { owner, program };
}

/** The invoker of such a program: it asks the test, see {@linkcode RemoteInvoker}. */
export function askTest(
  nc: NatsConnection,
  namespace: string,
  owner: string,
): (request: InvokeRequest) => Promise<Result> {
  return async ({ executionId, nodeId: node, attempt, generation, idempotencyKey: key }) => {
    const asked: RemoteAttempt = { owner, executionId, node, attempt, generation, key };
    const answer = await nc.request(remoteSubject(namespace), JSON.stringify(asked), { timeout: HOUR_MS });
    return answer.json<Result>();
  };
}

/** Where engine processes ask how attempts end. */
export function remoteSubject(namespace: string): string {
  return `${namespace}-test.invoke`;
}

/** Where an engine process says that it takes work. */
export function readySubject(namespace: string, owner: string): string {
  return `${namespace}-test.ready.${owner}`;
}

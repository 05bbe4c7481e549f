/**
 * Engines in processes of their own, which can be killed.
 *
 * The invoker of kind `remote` asks the test what to answer, over NATS: so the test sees every attempt that any
 * process makes, and decides how it ends.
 *
 * @module
 */

import type { Msg, NatsConnection } from "@nats-io/nats-core";
import type { FlowDef, Result } from "../../mod.ts";
import type { Space } from "./space.ts";
import { within } from "./until.ts";

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

/** An engine that runs in a process of its own. */
export interface EngineProcess extends AsyncDisposable {
  /** Its owner id. */
  readonly owner: string;
  /** Kills it, as a crash would, and waits for its end. May be called again. */
  kill(): Promise<void>;
  /** Tells it to stop, and waits until it has drained. Returns its exit code. */
  stop(): Promise<number>;
}

const MAIN = new URL("./engine_main.ts", import.meta.url);
const ROOT = new URL("../../", import.meta.url);

/** Starts an engine in a process of its own; it ends with the test's process. Resolves when it has set up. */
export async function startEngineProcess(space: Space, options: EngineProcessOptions): Promise<EngineProcess> {
  const owner = `p-${crypto.randomUUID()}`;
  const settings = JSON.stringify({ ...options, url: space.url, namespace: space.namespace, ownerId: owner });
  const ready = Promise.withResolvers<void>();
  const announcement = space.nc.subscribe(readySubject(space.namespace, owner), {
    callback: () => ready.resolve(),
    max: 1,
  });
  await space.nc.flush();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--permission-set=test", "--no-prompt", MAIN.pathname, settings],
    cwd: ROOT,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const died = child.status.then(({ code }) => Promise.reject(new Error(`the engine process ended with code ${code}`)));
  died.catch(() => {});
  try {
    await within(Promise.race([ready.promise, died]), "an engine process to start");
  } finally {
    announcement.unsubscribe();
  }
  return handleOf(child, owner);
}

function handleOf(child: Deno.ChildProcess, owner: string): EngineProcess {
  let hasEnded = false;
  let closing: Promise<void> | undefined;
  const status = child.status.then((result) => {
    hasEnded = true;
    return result;
  });
  const closeInput = () => closing ??= child.stdin.close().catch(() => {});
  const kill = async () => {
    if (!hasEnded) child.kill("SIGKILL");
    await status;
    await closeInput();
  };
  const stop = async () => {
    await closeInput();
    return (await within(status, "an engine process to stop")).code;
  };
  return { owner, kill, stop, [Symbol.asyncDispose]: kill };
}

/** Where engine processes ask how attempts end. */
export function remoteSubject(namespace: string): string {
  return `${namespace}-test.invoke`;
}

/** Where an engine process says that it takes work. */
export function readySubject(namespace: string, owner: string): string {
  return `${namespace}-test.ready.${owner}`;
}

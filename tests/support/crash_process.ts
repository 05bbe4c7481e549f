/** Engines, and workers of async invokers, in processes of their own that can be killed at a certain point. @module */

import type { FlowDef, ServeAsyncOptions } from "../../mod.ts";
import { readySubject } from "./engine_process.ts";
import type { Space } from "./space.ts";
import { within } from "./until.ts";

/** What the process is told. Every attempt is answered by the test, see {@linkcode RemoteInvoker}. */
export interface CrashProcessOptions {
  /** An engine: its tasks are of kind `remote`, or of these async kinds, whose jobs it does itself or does not. */
  engine?: { flows: FlowDef[]; leaseTtl?: string; resultCache?: boolean; hosted?: string[]; elsewhere?: string[] };
  /** A worker of an async invoker. */
  worker?: Omit<ServeAsyncOptions, "invoker" | "namespace" | "logger">;
  /**
   * Holds back what it would write, heads or commands for the inbox, from the moment on that its first attempt has been
   * answered, or its first job been queued.
   */
  holds?: "exec" | "in";
}

/** A process that can be killed. */
export interface CrashProcess extends AsyncDisposable {
  /** Tells it from others. */
  readonly owner: string;
  /** Kills it, as a crash would, and waits for its end. May be called again. */
  kill(): Promise<void>;
  /** Tells it to stop, and waits until it has drained. Returns its exit code. */
  stop(): Promise<number>;
}

const MAIN = new URL("./crash_main.ts", import.meta.url);
const ROOT = new URL("../../", import.meta.url);

/** Starts a process; it ends with the test's. Resolves when it has set up. */
export async function startCrashProcess(space: Space, options: CrashProcessOptions): Promise<CrashProcess> {
  const owner = `p-${crypto.randomUUID()}`;
  const settings = JSON.stringify({ ...options, url: space.url, namespace: space.namespace, owner });
  const ready = Promise.withResolvers<void>();
  space.nc.subscribe(readySubject(space.namespace, owner), { callback: () => ready.resolve(), max: 1 });
  await space.nc.flush();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--permission-set=test", "--no-prompt", MAIN.pathname, settings],
    cwd: ROOT,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let hasEnded = false;
  const status = child.status.then((result) => {
    hasEnded = true;
    return result;
  });
  let closing: Promise<void> | undefined;
  const closeInput = () => closing ??= child.stdin.close().catch(() => {});
  const kill = async () => {
    if (!hasEnded) child.kill("SIGKILL");
    await status;
    await closeInput();
  };
  const stop = async () => {
    await closeInput();
    return (await within(status, "a process to stop")).code;
  };
  const died = status.then(({ code }) => Promise.reject(new Error(`the process ended with code ${code}`)));
  died.catch(() => {});
  await within(Promise.race([ready.promise, died]), "a process to start");
  return { owner, kill, stop, [Symbol.asyncDispose]: kill };
}

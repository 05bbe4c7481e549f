/** Child processes of `Deno`, over `node:child_process`; `deno run x.ts` runs what became of `x.ts` here. @module */

import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { relative, resolve, sep } from "node:path";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** Where the transpiled tests are, and where the package is installed; the parent process says so. */
const CHECKOUT = process.env.PACKTRAIL_NODE_CHECKOUT ?? "";
const PACKAGE = process.env.PACKTRAIL_NODE_PACKAGE ?? "";

type Channel = "piped" | "null" | "inherit";

interface Options {
  args?: string[];
  cwd?: string | URL;
  env?: Record<string, string>;
  stdin?: Channel;
  stdout?: Channel;
  stderr?: Channel;
}

interface Status {
  success: boolean;
  code: number;
  signal: string | null;
}

interface Output extends Status {
  stdout: Uint8Array;
  stderr: Uint8Array;
}

class Child {
  readonly pid: number;
  readonly status: Promise<Status>;
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.status = new Promise((done, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => done(statusOf(code, signal)));
    });
    this.stdin = child.stdin === null ? new WritableStream() : Writable.toWeb(child.stdin);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) =>
      stream === null ? new ReadableStream() : Readable.toWeb(stream as Readable)
    );
    this.stdout = stdout as ReadableStream<Uint8Array>;
    this.stderr = stderr as ReadableStream<Uint8Array>;
  }

  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal);
  }

  async output(): Promise<Output> {
    const read = (stream: ReadableStream<Uint8Array>, isPiped: boolean) =>
      isPiped ? buffer(Readable.fromWeb(stream as never)) : new Uint8Array();
    const { stdout, stderr } = this.#child;
    const [status, out, err] = await Promise.all([
      this.status,
      read(this.stdout, stdout !== null),
      read(this.stderr, stderr !== null),
    ]);
    return { ...status, stdout: out, stderr: err };
  }
}

function statusOf(code: number | null, signal: NodeJS.Signals | null): Status {
  const number = signal === null ? code ?? 1 : 128 + constants.signals[signal];
  return { success: number === 0, code: number, signal };
}

/** `Deno.Command`. */
export class Command {
  readonly #program: string;
  readonly #options: Options;

  constructor(program: string, options: Options = {}) {
    this.#program = program;
    this.#options = options;
  }

  spawn(): Child {
    return this.#start("inherit");
  }

  output(): Promise<Output> {
    return this.#start("piped").output();
  }

  /** Only what the tests ask for: where Deno keeps its cache, of which there is none. */
  outputSync(): { stdout: Uint8Array } {
    return { stdout: new TextEncoder().encode(JSON.stringify({ denoDir: "" })) };
  }

  #start(otherwise: Channel): Child {
    const { args = [], cwd, env = {}, stdin, stdout, stderr } = this.#options;
    const given = this.#program === process.execPath ? scriptOf(args) : args;
    const inputOtherwise = otherwise === "piped" ? "null" : "inherit";
    const channels = [stdin ?? inputOtherwise, stdout ?? otherwise, stderr ?? otherwise];
    const stdio = channels.map((kind) => ({ piped: "pipe", null: "ignore", inherit: "inherit" })[kind]) as StdioOptions;
    const place = cwd === undefined ? {} : { cwd };
    return new Child(spawn(this.#program, given, { stdio, env: environment(env), ...place }));
  }
}

/** Our variables, and those given. Set to nothing means unset: an empty FORCE_COLOR is one to Node and Bun. */
function environment(given: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const all = Object.entries({ ...process.env, ...given });
  return Object.fromEntries(all.filter(([, value]) => value !== ""));
}

/** The arguments for this runtime: no flags of Deno, and the JavaScript that a TypeScript file became. */
function scriptOf(args: readonly string[]): string[] {
  if (args[0] !== "run") throw new Error(`there is no \`deno ${args[0]}\` here`);
  let at = 1;
  while (args[at]?.startsWith("-")) at += args[at] === "--config" ? 2 : 1;
  const script = args[at]!;
  return [compiled(script.startsWith("file:") ? fileURLToPath(script) : script), ...args.slice(at + 1)];
}

function compiled(script: string): string {
  const path = relative(CHECKOUT, resolve(script)).replaceAll(sep, "/").replace(/\.ts$/, ".js");
  const own = resolve(CHECKOUT, path);
  return existsSync(own) ? own : resolve(PACKAGE, path);
}

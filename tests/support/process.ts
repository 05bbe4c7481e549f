/** Programs of this repository in processes of their own, which end when their standard input does. @module */

/** How a program is started. */
export interface ProgramOptions {
  /** What it is told: its only argument, as JSON. */
  settings: unknown;
  /** What it may do: what tests may, or everything. */
  permissions: "test" | "all";
  /** What becomes of what it prints: `piped` where {@linkcode RunningProgram.line} is asked for it. */
  stdout: "piped" | "null";
}

const ROOT = new URL("../../", import.meta.url);

const FLAGS = { test: ["--permission-set=test", "--no-prompt"], all: ["-A"] } as const;

/** A program that runs in a process of its own. What it says on standard error is seen on ours. */
export class RunningProgram {
  /** The process id. */
  readonly pid: number;
  /** How the process has ended. */
  readonly status: Promise<Deno.CommandStatus>;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string> | undefined;
  #hasEnded = false;
  #closing: Promise<void> | undefined;

  private constructor(name: string, child: Deno.ChildProcess, lines: AsyncGenerator<string> | undefined) {
    this.pid = child.pid;
    this.#name = name;
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = lines;
    this.status = child.status.then((result) => {
      this.#hasEnded = true;
      return result;
    });
  }

  /** Starts a program. It may not be ready for anything yet. */
  static start(main: URL, { settings, permissions, stdout }: ProgramOptions): RunningProgram {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...FLAGS[permissions], main.href, JSON.stringify(settings)],
      cwd: ROOT,
      stdin: "piped",
      stdout,
      stderr: "inherit",
    }).spawn();
    const name = main.pathname.split("/").at(-1)!;
    return new RunningProgram(name, child, stdout === "piped" ? linesOf(child.stdout) : undefined);
  }

  /** The next line that it prints. @throws {Error} Where it has ended instead. */
  async line(): Promise<string> {
    if (this.#lines === undefined) throw new Error(`nobody listens to what ${this.#name} prints`);
    const { done, value } = await this.#lines.next();
    if (done) return await this.#died();
    return value;
  }

  /** Waits for something that it does. @throws {Error} Where it has ended instead. */
  async alive<T>(promise: Promise<T>): Promise<T> {
    return await Promise.race([promise, this.#died()]);
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Sends it a signal. */
  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Kills it, as a crash would, and waits for its end. May be called again. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.signal("SIGKILL");
    await this.#ended();
    await this.#closeInput();
  }

  /** Ends its standard input, and waits until it has ended itself. Returns its exit code. */
  async stop(): Promise<number> {
    await this.#closeInput();
    return await this.#ended();
  }

  #closeInput(): Promise<void> {
    return this.#closing ??= this.#input.close().catch(() => {});
  }

  async #ended(): Promise<number> {
    const { code } = await this.status;
    await this.#lines?.return(undefined);
    return code;
  }

  async #died(): Promise<never> {
    const { code } = await this.status;
    throw new Error(`${this.#name} ended with code ${code}`);
  }
}

/** The lines of a process's output, as they come. */
export async function* linesOf(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}

import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { ensureNatsServer } from "./binary.ts";
import { configText, logFile } from "./config.ts";
import { NatsServerError, reason } from "./errors.ts";
import { inheritedEnvironment } from "./execute.ts";
import { hasCode, IS_WINDOWS, makeTempFolder, removeFolder } from "./files.ts";
import { randomPort } from "./ports.ts";

/** How {@linkcode startNatsServer} starts a server. */
export interface NatsServerOptions {
  /**
   * The port on 127.0.0.1.
   *
   * @default {a free one}
   */
  port?: number;
  /**
   * Where JetStream keeps its streams; kept when the server ends.
   *
   * @default {a temporary folder, removed when the server ends}
   */
  storeDir?: string;
  /** Text added to the server's configuration; what it sets wins over the defaults. */
  config?: string;
}

/** A server that {@linkcode startNatsServer} started. It ends with this process, even when that is killed. */
export interface NatsServer extends AsyncDisposable {
  /** Where clients connect: `nats://127.0.0.1:<port>`. */
  readonly url: string;
  /** The port for clients. */
  readonly port: number;
  /** The server's process id. */
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason, and what was temporary is removed. */
  readonly ended: Promise<void>;
  /** Ends the server in good order and waits for it. May be called again. */
  stop(): Promise<void>;
  /** Kills the server, as a crash would, and waits for it. May be called again. */
  kill(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 5;
const MOST_PORTS = 20;

/**
 * Starts a NATS server with JetStream on 127.0.0.1, and resolves when it accepts connections.
 *
 * @throws {NatsServerError} Where no server binary can be had, or it does not come up; with the end of its log.
 *
 * @example
 * ```ts no-eval
 * import { startNatsServer } from "./mod.ts";
 * await using server = await startNatsServer({ config: "max_payload: 2MB" });
 * console.log(server.url);
 * ```
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const { port } = options;
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new NatsServerError("OPTION", `cannot start nats-server: the port ${port} is not one of 1 to 65535`);
  }
  const binary = await ensureNatsServer();
  if (port !== undefined) return await launch(binary, port, options);
  for (let attempt = 1;; attempt++) {
    try {
      return await launch(binary, randomPort(), options);
    } catch (error) {
      if (attempt === MOST_PORTS || !isPortTaken(error)) throw error;
    }
  }
}

/** Whether a server did not start because something else listens on its port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof NatsServerError && error.code === "START" && /address already in use/i.test(error.message);
}

async function launch(binary: string, port: number, options: NatsServerOptions): Promise<NatsServer> {
  const folder = await makeTempFolder("packtrail-nats-");
  const storeDir = options.storeDir ?? join(folder, "store");
  const file = join(folder, "server.conf");
  await writeFile(file, configText({ port, folder, storeDir, extra: options.config ?? "" }));
  const server = new ServerProcess(binary, file, folder);
  try {
    await server.waitUntilReady();
    return server;
  } catch (error) {
    const log = await server.logTail();
    await server.kill();
    throw new NatsServerError("START", `cannot start nats-server on port ${port}: ${reason(error)}${log}`, {
      cause: error,
    });
  }
}

/** The shell that becomes the server: `exec` keeps the process id. */
const SERVER = `
log=$1; shift
exec "$@" </dev/null >"$log" 2>&1
`;

/**
 * The watchdog reads a pipe from us: a line means that the server has ended, the pipe's end without one that we are
 * gone, so the server is killed and its temporary folder removed.
 */
const WATCHDOG = `read -r word || { kill -KILL "$1"; rm -rf "$2"; }`;

class ServerProcess implements NatsServer {
  url = "";
  port = 0;
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #watchdog: ChildProcess | undefined;
  readonly #folder: string;
  #exit: string | undefined;

  constructor(binary: string, file: string, folder: string) {
    this.#folder = folder;
    this.#child = start(binary, file, folder);
    this.pid = this.#child.pid ?? 0;
    this.#watchdog = watch(this.pid, folder);
    this.ended = exitOf(this.#child).then(async (exit) => {
      this.#exit = exit;
      await this.#dismissWatchdog();
      if (this.url !== "") await removeFolder(this.#folder);
    });
  }

  async waitUntilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (this.#exit !== undefined) throw new Error(`it ended with ${this.#exit}`);
      const url = await readClientUrl(this.#folder);
      if (url !== undefined && await accepts(Number(url.port))) {
        this.port = Number(url.port);
        this.url = `nats://127.0.0.1:${this.port}`;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`it was not ready after ${READY_TIMEOUT_MS / 1_000} s`);
  }

  async stop(): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), STOP_TIMEOUT_MS);
    await this.ended.finally(() => clearTimeout(timer));
  }

  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.ended;
    await removeFolder(this.#folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async logTail(): Promise<string> {
    try {
      const lines = (await readFile(logFile(this.#folder), "utf8")).trim().split("\n");
      return `\n${lines.slice(-15).join("\n")}`;
    } catch {
      return "";
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#child.kill(signal);
  }

  async #dismissWatchdog(): Promise<void> {
    if (this.#watchdog === undefined) return;
    const gone = exitOf(this.#watchdog);
    this.#watchdog.stdin!.end("done\n");
    await gone;
  }
}

function start(binary: string, file: string, folder: string): ChildProcess {
  const env = inheritedEnvironment();
  if (IS_WINDOWS) return spawn(binary, ["-c", file, "-l", logFile(folder)], { env, stdio: "ignore" });
  return spawn("sh", ["-c", SERVER, "sh", logFile(folder), binary, "-c", file], { env, stdio: "ignore" });
}

/** Starts the watchdog of a server; there is none on Windows, where the server outlives a killed parent. */
function watch(pid: number, folder: string): ChildProcess | undefined {
  if (IS_WINDOWS) return undefined;
  const args = ["-c", WATCHDOG, "sh", String(pid), folder];
  const watchdog = spawn("sh", args, { env: inheritedEnvironment(), stdio: ["pipe", "ignore", "ignore"] });
  watchdog.stdin.on("error", () => {}); // it has been ended by someone else
  return watchdog;
}

/** How a process ended, in words. */
function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.signalCode ?? `code ${child.exitCode}`);
    child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
    child.once("error", (error) => resolve(error.message));
  });
}

/** The address in the ports file that the server writes when its listeners are up, once it is there and whole. */
async function readClientUrl(folder: string): Promise<URL | undefined> {
  const name = (await readdir(folder)).find((name) => name.endsWith(".ports"));
  if (name === undefined) return undefined;
  try {
    return new URL(JSON.parse(await readFile(join(folder, name), "utf8")).nats[0]);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // half written
    return undefined;
  }
}

function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  return new Promise<boolean>((resolve, reject) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", (error) => hasCode(error, "ECONNREFUSED", "ECONNRESET") ? resolve(false) : reject(error));
  }).finally(() => socket.destroy());
}

import { join } from "node:path";
import { ensureNatsServer } from "./binary.ts";
import { configText, logFile } from "./config.ts";
import { NatsServerError, reason } from "./errors.ts";
import { ignoreNotFound } from "./files.ts";
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
  const folder = await Deno.makeTempDir({ prefix: "packtrail-nats-" });
  const storeDir = options.storeDir ?? join(folder, "store");
  const file = join(folder, "server.conf");
  await Deno.writeTextFile(file, configText({ port, folder, storeDir, extra: options.config ?? "" }));
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

/**
 * The shell that becomes the server (`exec`: same process id). Before, it leaves a watchdog behind that reads a pipe
 * from us: a line means that all is well, its end without one that we are gone, so the server is
 * killed and its temporary folder removed.
 */
const WATCHED = `
folder=$1; log=$2; shift 2
exec 3<&0
(read -r word <&3 || { kill -KILL $$; rm -rf "$folder"; }) >/dev/null 2>&1 &
exec 3<&-
exec "$@" </dev/null >"$log" 2>&1
`;

class ServerProcess implements NatsServer {
  url = "";
  port = 0;
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  #exit: Deno.CommandStatus | undefined;

  constructor(binary: string, file: string, folder: string) {
    this.#folder = folder;
    this.#child = spawn(binary, file, folder);
    this.pid = this.#child.pid;
    this.ended = this.#child.status.then(async (status) => {
      this.#exit = status;
      await this.#dismissWatchdog();
      if (this.url !== "") await this.#removeFolder();
    });
  }

  async waitUntilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (this.#exit) throw new Error(`it ended with ${this.#exit.signal ?? `code ${this.#exit.code}`}`);
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
    await this.#removeFolder();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async logTail(): Promise<string> {
    try {
      const lines = (await Deno.readTextFile(logFile(this.#folder))).trim().split("\n");
      return `\n${lines.slice(-15).join("\n")}`;
    } catch {
      return "";
    }
  }

  #signal(signal: Deno.Signal): void {
    if (this.#exit) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error; // it just ended
    }
  }

  async #dismissWatchdog(): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode("done\n"));
      await writer.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // no watchdog is left to be told
    }
  }

  async #removeFolder(): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true }).catch(ignoreNotFound);
  }
}

function spawn(binary: string, file: string, folder: string): Deno.ChildProcess {
  if (Deno.build.os === "windows") { // no `sh`: there the server outlives a killed parent
    const args = ["-c", file, "-l", logFile(folder)];
    return new Deno.Command(binary, { args, stdin: "piped", stdout: "null", stderr: "inherit" }).spawn();
  }
  const args = ["-c", WATCHED, "sh", folder, logFile(folder), binary, "-c", file];
  return new Deno.Command("sh", { args, stdin: "piped", stdout: "null", stderr: "null" }).spawn();
}

/** The address in the ports file that the server writes when its listeners are up, once it is there and whole. */
async function readClientUrl(folder: string): Promise<URL | undefined> {
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith(".ports")) continue;
    try {
      return new URL(JSON.parse(await Deno.readTextFile(join(folder, entry.name))).nats[0]);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // half written
    }
  }
  return undefined;
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset) return false;
    throw error;
  }
}

/** A NATS server whose configuration changes while it runs, and whose process is stopped and continued. @module */

import { join } from "node:path";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import { type NatsServer, startNatsServer } from "../../tools/nats.ts";

/** Who connects in these scenarios, beside those that a configuration names: one user, who may do everything. */
export const PASSWORD = "secret";

/** How a {@linkcode ChangingServer} is started. */
export interface ChangingServerOptions {
  /** What may change later: accounts, users and permissions. */
  readonly changing: string;
  /** What stays. */
  readonly fixed?: string;
  /** Where its streams are; a temporary folder of its own where absent. */
  readonly storeDir?: string;
}

/** A server with a part of its configuration in a file that it reads again when told to. */
export class ChangingServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: ChangingServerOptions;
  #server: NatsServer;

  private constructor(folder: string, options: ChangingServerOptions, server: NatsServer) {
    this.#folder = folder;
    this.#options = options;
    this.#server = server;
  }

  /** Starts one. */
  static async start(options: ChangingServerOptions): Promise<ChangingServer> {
    const folder = await Deno.makeTempDir({ prefix: "packtrail-ground-" });
    await Deno.writeTextFile(join(folder, "changing.conf"), options.changing);
    try {
      return new ChangingServer(folder, options, await launch(folder, options));
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  /** Where clients connect. */
  get url(): string {
    return this.#server.url;
  }

  /** A connection that comes back as soon as the server does. */
  async connect(user: string): Promise<NatsConnection> {
    const credentials = { user, pass: PASSWORD };
    return await connect({ servers: this.url, maxReconnectAttempts: -1, reconnectTimeWait: 100, ...credentials });
  }

  /** Gives it another configuration without a restart (SIGHUP). When it has taken it is for the caller to find out. */
  async change(changing: string): Promise<void> {
    await Deno.writeTextFile(join(this.#folder, "changing.conf"), changing);
    await this.signal("HUP");
  }

  /** Sends its process a signal. */
  async signal(name: "HUP" | "STOP" | "CONT"): Promise<void> {
    const kill = new Deno.Command("sh", { args: ["-c", `kill -${name} ${this.#server.pid}`] });
    const { success } = await kill.output();
    if (!success) throw new Error(`the server could not be sent SIG${name}`);
  }

  /** Ends it in good order and starts it again, on the same port with the same streams. */
  async restart(): Promise<void> {
    const { port } = this.#server;
    await this.#server.stop();
    this.#server = await launch(this.#folder, this.#options, port);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function launch(folder: string, options: ChangingServerOptions, port?: number): Promise<NatsServer> {
  const { fixed = "", storeDir = join(folder, "store") } = options;
  // An included file is looked for from the folder of the one that includes it, which is not known yet: from the root.
  const include = `include "${"../".repeat(16)}${join(folder, "changing.conf").slice(1)}"`;
  const config = `${fixed}\n${include}`;
  return await startNatsServer({ config, storeDir, ...(port === undefined ? {} : { port }) });
}

import { join } from "node:path";
import { NatsServerError } from "./errors.ts";
import { makeTempFolder, removeFolder } from "./files.ts";
import { freePorts } from "./ports.ts";
import { isPortTaken, type NatsServer, startNatsServer } from "./server.ts";

/** How {@linkcode startNatsCluster} starts a cluster. */
export interface NatsClusterOptions {
  /**
   * The number of servers.
   *
   * @default {3}
   */
  size?: number;
  /** Text added to every server's configuration. */
  config?: string;
  /**
   * Where one server reaches another, by their places in the cluster: the port of a proxy in front of `port`. The
   * servers then know no other way to each other, so that one can be cut off.
   *
   * @default {`port` itself}
   */
  routeVia?: (from: number, to: number, port: number) => number;
}

/** One server of a cluster. Its streams stay while it is down. */
export interface NatsClusterNode {
  /** The server's name. */
  readonly name: string;
  /** Where clients connect; the same after a restart. */
  readonly url: string;
  /** Ends the server in good order. */
  stop(): Promise<void>;
  /** Kills the server, as a crash would. */
  kill(): Promise<void>;
  /** Starts the server again (killing it first where it runs); resolves when it accepts connections. */
  restart(): Promise<void>;
}

/** Servers that {@linkcode startNatsCluster} started. */
export interface NatsCluster extends AsyncDisposable {
  /** The servers. */
  readonly nodes: readonly NatsClusterNode[];
  /** The addresses of all servers. */
  readonly urls: readonly string[];
  /** Resolves when every server that is up knows the leaders of JetStream and of its streams, and has caught up. */
  ready(): Promise<void>;
  /** Ends all servers and removes their streams. May be called again. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const MOST_TRIES = 5;

/**
 * Starts a cluster of NATS servers with JetStream on 127.0.0.1, and resolves when it has a JetStream leader.
 *
 * @throws {NatsServerError} Where a server does not come up, or JetStream has no leader in time.
 */
export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const { size = 3 } = options;
  for (let attempt = 1;; attempt++) {
    const cluster = new Cluster(await makeTempFolder("packtrail-cluster-"), await freePorts(3 * size), options);
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      if (attempt === MOST_TRIES || !isPortTaken(error)) throw error;
    }
  }
}

class Cluster implements NatsCluster {
  readonly nodes: readonly Node[];
  readonly #folder: string;

  constructor(folder: string, ports: readonly number[], { config = "", routeVia }: NatsClusterOptions) {
    this.#folder = folder;
    const size = ports.length / 3;
    const routes = routesOf(ports.slice(0, size), routeVia);
    this.nodes = Array.from({ length: size }, (_, index) => {
      const [route, client, monitor] = [ports[index]!, ports[size + index]!, ports[2 * size + index]!];
      const name = `n${index + 1}`;
      const cluster = `cluster { name: packtrail, host: "127.0.0.1", port: ${route}, ${routes[index]} }`;
      const text = `server_name: ${name}\nhttp: "127.0.0.1:${monitor}"\n${cluster}\n${config}`;
      return new Node({ name, port: client, monitor, storeDir: join(folder, name), config: text });
    });
  }

  get urls(): string[] {
    return this.nodes.map((node) => node.url);
  }

  async start(): Promise<void> {
    const starts = await Promise.allSettled(this.nodes.map((node) => node.restart()));
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    await this.ready();
  }

  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const views = await Promise.all(this.nodes.map((node) => node.look()));
      const obstacle = findObstacle(views.filter((view) => view !== undefined));
      if (obstacle === undefined) return;
      if (performance.now() > deadline) {
        throw new NatsServerError("START", `the cluster is not ready after ${READY_TIMEOUT_MS / 1_000} s: ${obstacle}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await removeFolder(this.#folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** The settings of each server about its ways to the others. */
function routesOf(ports: number[], via: NatsClusterOptions["routeVia"]): string[] {
  const routes = (ways: number[]) => `routes: [${ways.map((port) => `"nats://127.0.0.1:${port}"`).join(", ")}]`;
  if (via === undefined) return ports.map(() => routes(ports));
  return ports.map((_, from) => {
    // Each pair has one way: two servers that connect to each other at once close both, and try again a second later.
    const half = Array.from({ length: Math.floor(ports.length / 2) }, (_, step) => (from + step + 1) % ports.length);
    const ways = half.map((to) => via(from, to, ports[to]!));
    // A server tells the others of its address: with a port that nobody listens on, the proxies stay the only way.
    return `${routes(ways)}, no_advertise: true, advertise: "127.0.0.1:1"`;
  });
}

class Node implements NatsClusterNode {
  readonly name: string;
  readonly url: string;
  readonly #options: { port: number; monitor: number; storeDir: string; config: string };
  #server: NatsServer | undefined;

  constructor({ name, ...options }: { name: string; port: number; monitor: number; storeDir: string; config: string }) {
    this.name = name;
    this.url = `nats://127.0.0.1:${options.port}`;
    this.#options = options;
  }

  async restart(): Promise<void> {
    await this.kill();
    const { port, storeDir, config } = this.#options;
    this.#server = await startNatsServer({ port, storeDir, config });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#server = undefined;
  }

  /** What the server says of itself and of who leads; `undefined` while it is down. */
  async look(): Promise<View | undefined> {
    if (!this.#server) return undefined;
    const monitor = `http://127.0.0.1:${this.#options.monitor}`;
    const health = await fetch(`${monitor}/healthz`);
    const problem = await health.text();
    const details = await fetch(`${monitor}/jsz?streams=true&consumers=true`);
    const leaders = new Map<string, string>();
    collectLeaders(await details.json(), leaders);
    return { name: this.name, healthy: health.ok, problem, leaders };
  }
}

interface View {
  name: string;
  healthy: boolean;
  problem: string;
  /** The name of the leader of each Raft group by the group's name; empty where the server knows none. */
  leaders: Map<string, string>;
}

function collectLeaders(value: unknown, leaders: Map<string, string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (key === "meta_cluster") leaders.set(key, part.leader ?? "");
    else if (key === "cluster") leaders.set(part.raft_group, part.leader ?? "");
    else collectLeaders(part, leaders);
  }
}

/** What keeps the servers from being ready: each must be healthy, and each leader up and leader in its own eyes. */
function findObstacle(views: View[]): string | undefined {
  const byName = new Map(views.map((view) => [view.name, view]));
  for (const { name, healthy, problem, leaders } of views) {
    if (!healthy) return `${name} is not healthy: ${problem}`;
    if (!leaders.has("meta_cluster")) return `${name} has not joined the cluster`;
    for (const [group, leader] of leaders) {
      const seen = byName.get(leader)?.leaders.get(group);
      if (seen !== leader) return `${name} sees ${leader || "no server"} lead ${group}, which does not`;
    }
  }
  return undefined;
}

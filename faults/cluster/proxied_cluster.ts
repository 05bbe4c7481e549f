/** A cluster of three servers whose ways to each other, and those of their clients, go through proxies. @module */

import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-deno";
import { type NatsCluster, type NatsClusterNode, startNatsCluster } from "../../tools/nats.ts";
import { type Judges, Proxy, type Way } from "../proxy.ts";

const SIZE = 3;
const CONFIG = `accounts { $SYS { users: [{user: "admin", pass: "admin"}] } }`;

/** The user of the system account. */
export const SYSTEM_LOGIN = { user: "admin", pass: "admin" };

/** How to connect. */
export interface ConnectOptions {
  /** The servers, by their places. @default {all} */
  readonly nodes?: readonly number[];
  /** Judge the frames of this connection. */
  readonly judges?: Judges;
  /** The user, where it is not the anonymous one. */
  readonly login?: { readonly user: string; readonly pass: string };
}

interface Route {
  readonly from: number;
  readonly to: number;
  readonly proxy: Proxy;
}

/** Three servers, each of which can be cut off. */
export class ProxiedCluster implements AsyncDisposable {
  readonly #cluster: NatsCluster;
  readonly #routes: readonly Route[];
  readonly #doors: Proxy[] = [];
  readonly #doorsOf = new WeakMap<NatsConnection, readonly Proxy[]>();

  private constructor(cluster: NatsCluster, routes: readonly Route[]) {
    this.#cluster = cluster;
    this.#routes = routes;
  }

  /** Starts the servers. */
  static async start(): Promise<ProxiedCluster> {
    const routes = new Map<string, Route>();
    const routeVia = (from: number, to: number, port: number) => {
      void routes.get(`${from}-${to}`)?.proxy[Symbol.asyncDispose](); // of a start that found its ports taken
      const proxy = new Proxy(port);
      routes.set(`${from}-${to}`, { from, to, proxy });
      return proxy.port;
    };
    const cluster = await startNatsCluster({ size: SIZE, config: CONFIG, routeVia });
    return new ProxiedCluster(cluster, [...routes.values()]);
  }

  /** The servers. */
  get nodes(): readonly NatsClusterNode[] {
    return this.#cluster.nodes;
  }

  /** A connection through proxies of its own, which comes back for ever. */
  async connect(options: ConnectOptions = {}): Promise<NatsConnection> {
    const { nodes = this.nodes.map((_, place) => place), judges, login = {} } = options;
    const doors = nodes.map((node) => new Proxy(portOf(this.nodes[node]!.url), judges));
    this.#doors.push(...doors);
    const nc = await connect({
      servers: doors.map(({ url }) => url),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      // The servers tell of addresses that are not the proxies'.
      ignoreClusterUpdates: true,
      pingInterval: 10_000,
      ...login,
    });
    this.#doorsOf.set(nc, doors);
    return nc;
  }

  /** Changes the ways between one connection and the servers. */
  turn(nc: NatsConnection, way: Way): void {
    for (const door of this.#doorsOf.get(nc) ?? []) door.turn(way);
  }

  /** Changes the ways between a server and the others. Its clients still reach it. */
  isolate(node: number, way: Way): void {
    for (const { from, to, proxy } of this.#routes) if (from === node || to === node) proxy.turn(way);
  }

  /** Opens all ways. */
  heal(): void {
    for (const { proxy } of this.#routes) proxy.turn("open");
  }

  /** Resolves when the servers agree on who leads, and have caught up. */
  ready(): Promise<void> {
    return this.#cluster.ready();
  }

  /** The place of the server that leads a stream; `undefined` where none does. */
  async leaderOf(nc: NatsConnection, stream: string): Promise<number | undefined> {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const info = await jsm.streams.info(stream).catch(() => undefined);
    const place = this.nodes.findIndex(({ name }) => name === info?.cluster?.leader);
    return place < 0 ? undefined : place;
  }

  /** Ends all. */
  async [Symbol.asyncDispose](): Promise<void> {
    const proxies = [...this.#routes.map(({ proxy }) => proxy), ...this.#doors];
    await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
    await this.#cluster.stop();
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/**
 * Serving the dashboard on an address of its own.
 *
 * @module
 */

import type { Server } from "../../mod.ts";
import { dashboard } from "./dashboard.ts";
import { listen } from "./listen.ts";
import { isLoopback } from "./loopback.ts";
import type { DashboardOptions } from "./options.ts";
import { badOption } from "./problem.ts";

/** How {@linkcode serveDashboard} serves. */
export interface ServeOptions extends Omit<DashboardOptions, "signal"> {
  /**
   * Where to listen: `host:port`. Any other address than a loopback one needs a `token`. Port 0 is a free one.
   *
   * @default {"127.0.0.1:8088"}
   */
  addr?: string;
}

/** A dashboard that is being served. */
export interface DashboardServer extends AsyncDisposable {
  /** Where it is: `http://127.0.0.1:8088/`. */
  readonly url: string;
  /** Stops it: live connections end, answers under way are given to whoever takes them within two seconds. */
  stop(): Promise<void>;
}

/**
 * Serves a dashboard. Resolves when it listens.
 *
 * @throws {ValidationError} Where an option is not valid, or the address is open to others and there is no token.
 * @throws {Error} Where the address cannot be listened on, as when its port is in use.
 */
export async function serveDashboard(server: Server, options: ServeOptions = {}): Promise<DashboardServer> {
  const { addr = "127.0.0.1:8088", ...rest } = options;
  const { hostname, port } = parseAddress(addr);
  const isOurs = hostname === "localhost" || isLoopback(hostname);
  if (!isOurs && rest.token === undefined) {
    throw badOption("token", `${addr} can be reached by others: a token must be set`);
  }
  const stopping = new AbortController();
  const allowHosts = [...rest.allowHosts ?? [], ...isOurs || isWildcard(hostname) ? [] : [bracketed(hostname)]];
  const handler = dashboard(server, { ...rest, allowHosts, signal: stopping.signal });
  const http = await listen(handler, { hostname, port });
  const stop = async () => {
    stopping.abort();
    await http.stop();
  };
  const base = rest.basePath ?? "";
  const shown = isWildcard(hostname) ? "127.0.0.1" : bracketed(hostname);
  return { url: `http://${shown}:${http.port}${base}/`, stop, [Symbol.asyncDispose]: stop };
}

/** A host and a port. @throws {ValidationError} */
export function parseAddress(addr: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(addr);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw badOption("addr", `${JSON.stringify(addr)} is not host:port`);
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port };
}

function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

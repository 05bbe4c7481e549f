/**
 * The options of the dashboard, checked once.
 *
 * @module
 */

import { badOption } from "./problem.ts";
import { type Redactor, redactor } from "./redact.ts";

/** How {@linkcode dashboard} is set up. */
export interface DashboardOptions {
  /**
   * Asked of every request but those to `/healthz` and `/assets/`: as `Authorization: Bearer`, or once on the sign-in
   * page, which keeps it in a cookie. At least 16 characters.
   *
   * @default {none: everybody who reaches the handler may look, but for other machines where `Deno.serve` tells of them}
   */
  token?: string;
  /**
   * Host names under which the dashboard is reached, beside `localhost` and the loopback addresses; with a port, only
   * that one.
   *
   * @default {[]}
   */
  allowHosts?: readonly string[];
  /**
   * Paths of payload fields that are never shown, such as `customer.email`; `*` for any one key, or for everything.
   * Error texts are not payload: those that invokers write are shown as they are.
   *
   * @default {[]}
   */
  redact?: readonly string[];
  /**
   * Whether executions may be started, signalled, resumed and cancelled, and dead letters tried again or discarded.
   *
   * @default {false}
   */
  allowActions?: boolean;
  /**
   * Where the handler is mounted: `"/packtrail"`.
   *
   * @default {""}
   */
  basePath?: string;
  /**
   * Live connections at once.
   *
   * @default {32}
   */
  maxClients?: number;
  /** Ends live connections and the subscription behind them when aborted. */
  signal?: AbortSignal;
  /** Is told of errors that are nobody's fault but ours. Standard error where absent. */
  onError?: (error: unknown) => void;
}

/** The options with their defaults. */
export interface CheckedOptions {
  /** The token, where one is asked for. */
  readonly token: string | undefined;
  /** Allowed hosts, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** Hides what is not to be shown. */
  readonly redact: Redactor;
  /** Whether anything is hidden. */
  readonly isRedacting: boolean;
  /** Whether there are actions. */
  readonly allowActions: boolean;
  /** The prefix of every path. */
  readonly basePath: string;
  /** Live connections at once. */
  readonly maxClients: number;
  /** Ends what is live. */
  readonly signal: AbortSignal | undefined;
  /** Is told of errors. */
  readonly onError: (error: unknown) => void;
}

const MIN_TOKEN = 16;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const KNOWN: ReadonlySet<string> = new Set(
  [
    "token",
    "allowHosts",
    "redact",
    "allowActions",
    "basePath",
    "maxClients",
    "signal",
    "onError",
  ] satisfies (keyof DashboardOptions)[],
);

/** Checks the options. @throws {ValidationError} Where one is not valid; it names the option. */
export function checkOptions(options: DashboardOptions): CheckedOptions {
  for (const key of Object.keys(options)) {
    if (!KNOWN.has(key)) throw badOption(key, `is not known; there are ${[...KNOWN].join(", ")}`);
  }
  const { token, allowHosts = [], redact = [], allowActions = false, basePath = "", maxClients = 32 } = options;
  if (
    token !== undefined && !(typeof token === "string" && token.length >= MIN_TOKEN && /^[\x21-\x7e]+$/.test(token))
  ) {
    throw badOption("token", `must be at least ${MIN_TOKEN} printable characters without blanks`);
  }
  if (!/^(\/[A-Za-z0-9_.~-]+)*$/.test(basePath)) throw badOption("basePath", `must look like "/packtrail"`);
  if (!Number.isSafeInteger(maxClients) || maxClients < 1) throw badOption("maxClients", "must be a positive number");
  for (const host of allowHosts) {
    if (!/^(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:\d+)?$/i.test(host)) {
      throw badOption("allowHosts", `${JSON.stringify(host)} is not a host name`);
    }
  }
  return {
    token,
    hosts: new Set([...LOOPBACK, ...allowHosts.map((host) => host.toLowerCase())]),
    redact: redactor(redact),
    isRedacting: redact.length > 0,
    allowActions,
    basePath,
    maxClients,
    signal: options.signal,
    onError: options.onError ?? ((error) => console.error("dashboard:", error)),
  };
}

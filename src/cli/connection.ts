/**
 * The connection to NATS: from flags, variables, or a context of the `nats` command.
 *
 * @module
 */

import { type Authenticator, type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Connection, PermissionError } from "../../mod.ts";
import { environment } from "./environment.ts";
import { CommandError, EXIT } from "./failure.ts";
import { type NatsContext, readContext } from "./nats_context.ts";
import { withProgress } from "./output.ts";

/** What the user said about the connection. */
export interface ConnectionFlags {
  readonly server?: string;
  readonly creds?: string;
  readonly context?: string;
}

/** Where to connect, and as whom. */
export interface Target {
  /** The servers' addresses, without secrets. */
  readonly servers: string[];
  /** Where the address comes from, in words. */
  readonly origin: string;
  /** The options of the connection. */
  readonly options: ConnectionOptions;
}

const DEFAULT_SERVER = "nats://127.0.0.1:4222";

/**
 * Where to connect: `--server`, else `--context`, else `NATS_URL`, else the context that is selected, else this
 * machine. Credentials: `--creds`, else the context's, else `NATS_CREDS`, else those in the address.
 */
export async function findTarget(flags: ConnectionFlags): Promise<Target> {
  const url = environment("NATS_URL");
  const named = flags.context ??
    (flags.server === undefined && url === undefined ? environment("NATS_CONTEXT") : undefined);
  const isOpen = flags.server === undefined && url === undefined;
  const context = named !== undefined || isOpen ? await readContext(named) : undefined;
  const [address, origin] = flags.server !== undefined
    ? [flags.server, "--server"]
    : context?.url !== undefined
    ? [context.url, `context ${context.name}`]
    : url !== undefined
    ? [url, "NATS_URL"]
    : [DEFAULT_SERVER, "the default"];
  const { servers, ...user } = parseAddress(address);
  const creds = flags.creds ?? context?.creds ?? environment("NATS_CREDS");
  const options = { ...user, ...contextOptions(context), ...await authentication(creds, context) };
  return { servers, origin, options: { servers, name: "packtrail", ...options } };
}

/** Connects. @throws {CommandError | PermissionError} Where that fails: it says where to, and what to do. */
export async function connectTo(target: Target, options: { forever?: boolean } = {}): Promise<Connection> {
  const reconnect = options.forever ? { maxReconnectAttempts: -1, pingInterval: 10_000 } : {};
  const where = target.servers.join(", ");
  try {
    return await withProgress(
      `connecting to ${where}`,
      () => connect({ timeout: 5_000, ...reconnect, ...target.options }),
    );
  } catch (cause) {
    const message = (cause as Error).message;
    if (/authori[sz]ation|authentication/i.test(message)) {
      throw new PermissionError(`the NATS server at ${where} (${target.origin}) refuses the user: ${message}`, {
        cause,
      });
    }
    throw new CommandError(
      EXIT.nats,
      `cannot connect to NATS at ${where} (${target.origin}): ${message}`,
      "start a server with `packtrail dev`, or name one with --server, --context or NATS_URL",
      { cause },
    );
  }
}

interface Address {
  servers: string[];
  user?: string;
  pass?: string;
  token?: string;
}

/** Takes addresses apart: several with commas between them, with user and password or a token before the host. */
function parseAddress(address: string): Address {
  const found: Address = { servers: [] };
  for (const part of address.split(",").map((text) => text.trim()).filter(Boolean)) {
    let url: URL;
    try {
      url = new URL(part.includes("://") ? part : `nats://${part}`);
    } catch {
      throw new CommandError(EXIT.usage, `${JSON.stringify(part)} is not the address of a NATS server`);
    }
    if (/^wss?:$/.test(url.protocol)) {
      throw new CommandError(
        EXIT.usage,
        `${url.protocol}//${url.host} is a websocket: give a nats:// or tls:// address`,
      );
    }
    const [user, pass] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    if (user !== "" && pass !== "") Object.assign(found, { user, pass });
    else if (user !== "") found.token = user;
    found.servers.push(`${url.protocol}//${url.host}`);
  }
  if (found.servers.length === 0) throw new CommandError(EXIT.usage, "the address of the NATS server is empty");
  return found;
}

function contextOptions(context: NatsContext | undefined): ConnectionOptions {
  if (context === undefined) return {};
  const { user, password, token, inbox_prefix, ca, cert, key, tls_first } = context;
  const tls = {
    ...(ca === undefined ? {} : { caFile: expanded(ca) }),
    ...(cert === undefined ? {} : { certFile: expanded(cert) }),
    ...(key === undefined ? {} : { keyFile: expanded(key) }),
    ...(tls_first === true ? { handshakeFirst: true } : {}),
  };
  return {
    ...(user === undefined ? {} : { user, pass: password ?? "" }),
    ...(token === undefined ? {} : { token }),
    ...(inbox_prefix === undefined ? {} : { inboxPrefix: inbox_prefix }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

async function authentication(
  creds: string | undefined,
  context: NatsContext | undefined,
): Promise<{ authenticator?: Authenticator }> {
  if (creds !== undefined) return { authenticator: credsAuthenticator(await readSecret("credentials", creds)) };
  if (context?.nkey === undefined) return {};
  const seed = new TextDecoder().decode(await readSecret("nkey seed", context.nkey)).trim();
  return { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) };
}

async function readSecret(what: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(expanded(path));
  } catch (cause) {
    throw new CommandError(EXIT.usage, `the ${what} file ${path} cannot be read: ${(cause as Error).message}`);
  }
}

/** A path with `~` for the home folder, as contexts have it. */
function expanded(path: string): string {
  const home = environment("HOME") ?? environment("USERPROFILE");
  return home !== undefined && /^~[/\\]/.test(path) ? join(home, path.slice(2)) : path;
}

/**
 * The contexts of the `nats` command: named connections that its users have set up already.
 *
 * @module
 */

import { join } from "node:path";
import { environment, readOptional } from "./environment.ts";
import { CommandError, EXIT } from "./failure.ts";

/** What of a context is used here. */
export interface NatsContext {
  readonly name: string;
  readonly url?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly inbox_prefix?: string;
  readonly tls_first?: boolean;
}

/** What a context may say that changes where requests go, and is not understood here. */
const UNSUPPORTED = ["socks_proxy", "nsc", "jetstream_domain", "jetstream_api_prefix", "user_jwt"] as const;

/**
 * Reads a context.
 *
 * @param name Its name; the one that `nats context select` chose where absent.
 * @returns `undefined` where none is named and none chosen.
 * @throws {CommandError} Where the named one is not there, or cannot be used.
 */
export async function readContext(name?: string): Promise<NatsContext | undefined> {
  const folder = contextFolder();
  if (folder === undefined) {
    if (name === undefined) return undefined;
    throw new CommandError(EXIT.usage, `context ${name} cannot be found: there is no home folder`);
  }
  const chosen = name ?? (await readOptional(join(folder, "context.txt")))?.trim();
  if (!chosen) return undefined;
  if (/[/\\]|^\.+$/.test(chosen)) {
    throw new CommandError(EXIT.usage, `${JSON.stringify(chosen)} is not a context's name`);
  }
  const path = join(folder, "context", `${chosen}.json`);
  const text = await readOptional(path);
  if (text !== undefined) return parseContext(chosen, path, text);
  if (name === undefined) return undefined; // it was chosen and removed since
  throw new CommandError(EXIT.usage, `there is no context ${chosen}: no file ${path}`, "`nats context ls` lists them");
}

function parseContext(name: string, path: string, text: string): NatsContext {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CommandError(EXIT.usage, `context ${name} cannot be read: ${path} is not JSON`, undefined, { cause });
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw new CommandError(EXIT.usage, `context ${name} cannot be read: ${path} is not a JSON object`);
  }
  for (const field of UNSUPPORTED) {
    if (!parsed[field]) continue;
    throw new CommandError(
      EXIT.usage,
      `context ${name} cannot be used: packtrail does not know its \`${field}\``,
      "give --server and --creds instead",
    );
  }
  const known = Object.entries(parsed).filter(([, value]) => value !== "" && value !== null);
  return { ...Object.fromEntries(known), name };
}

function contextFolder(): string | undefined {
  const config = environment("XDG_CONFIG_HOME");
  if (config !== undefined) return join(config, "nats");
  const home = environment("HOME") ?? environment("USERPROFILE");
  return home === undefined ? undefined : join(home, ".config", "nats");
}

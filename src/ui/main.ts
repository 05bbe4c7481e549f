/**
 * `deno task ui`: serves the dashboard of a namespace. `--help` says how.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { connect } from "@nats-io/transport-deno";
import { createServer, PacktrailError } from "../../mod.ts";
import { serveDashboard, type ServeOptions } from "./mod.ts";

const USAGE = `Serves the packtrail dashboard.

  --addr <host:port>       where to listen (127.0.0.1:8088); any other host needs --token
  --namespace <name>       the namespace to show (packtrail)
  --token <text>           ask for this token; PACKTRAIL_UI_TOKEN does the same without showing it to other users
  --allow-host <host>      a further name the dashboard is reached by; may be repeated
  --redact <path>          a payload field that is never shown, such as customer.email; may be repeated
  --allow-actions          allow to start, signal, resume, cancel and redrive
  --base-path <path>       where a proxy mounts it

NATS_URL says where NATS is (nats://127.0.0.1:4222).
`;

/** Serves the dashboard until it is interrupted. Returns the exit code. */
export async function main(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (parsed.help) {
    console.log(USAGE);
    return 0;
  }
  const servers = Deno.env.get("NATS_URL") || "nats://127.0.0.1:4222";
  try {
    const nc = await connect({ servers, name: "packtrail-ui", maxReconnectAttempts: -1, pingInterval: 10_000 });
    const server = await createServer(nc, { namespace: parsed.namespace });
    const ui = serveDashboard(server, parsed.options);
    console.log(`packtrail dashboard of namespace ${parsed.namespace}: ${ui.url}`);
    await interrupted();
    await ui.stop();
    await nc.close();
    return 0;
  } catch (error) {
    const reason = error instanceof PacktrailError ? error.message : `${(error as Error).message} (NATS: ${servers})`;
    console.error(`the dashboard cannot be served: ${reason}`);
    return 1;
  }
}

function parse(args: string[]): { help: boolean; namespace: string; options: ServeOptions } {
  const { values } = parseArgs({
    args,
    options: {
      "addr": { type: "string" },
      "namespace": { type: "string", default: "packtrail" },
      "token": { type: "string" },
      "allow-host": { type: "string", multiple: true, default: [] },
      "redact": { type: "string", multiple: true, default: [] },
      "allow-actions": { type: "boolean", default: false },
      "base-path": { type: "string" },
      "help": { type: "boolean", short: "h", default: false },
    },
  });
  const token = values.token ?? (Deno.env.get("PACKTRAIL_UI_TOKEN") || undefined);
  return {
    help: values.help,
    namespace: values.namespace,
    options: {
      allowHosts: values["allow-host"],
      redact: values.redact,
      allowActions: values["allow-actions"],
      ...(values.addr === undefined ? {} : { addr: values.addr }),
      ...(token === undefined ? {} : { token }),
      ...(values["base-path"] === undefined ? {} : { basePath: values["base-path"] }),
    },
  };
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const signals = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] as const : ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) Deno.addSignalListener(signal, resolve);
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));

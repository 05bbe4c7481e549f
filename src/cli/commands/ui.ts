/**
 * The command that serves the dashboard.
 *
 * @module
 */

import type { Command } from "commander";
import type { ServeOptions } from "../../ui/mod.ts";
import { action } from "../command.ts";
import { openDashboard } from "../dashboard.ts";
import { environment, interruption } from "../environment.ts";

interface UiFlags {
  readonly addr: string;
  readonly token?: string;
  readonly allowHost: readonly string[];
  readonly redact: readonly string[];
  readonly allowActions?: boolean;
  readonly basePath?: string;
}

/** Adds the command. */
export function addUiCommand(program: Command): void {
  const several = (value: string, before: readonly string[]) => [...before, value];
  const command = program.command("ui").summary("serve the dashboard, until it is interrupted")
    .description("Serves the dashboard of the namespace, until it is interrupted.")
    .option("--addr <host:port>", "where to listen; any other than a loopback address needs a token", "127.0.0.1:8088")
    .option("--token <text>", "ask for this token (PACKTRAIL_UI_TOKEN does the same, unseen by other users)")
    .option("--allow-host <host>", "a further name it is reached by; may be repeated", several, [])
    .option("--redact <path>", "a payload field that is never shown, as customer.email; may be repeated", several, [])
    .option("--allow-actions", "allow to start, signal, resume, cancel, redrive and discard")
    .option("--base-path <path>", "where a proxy mounts it");
  action(command, (scene, flags: UiFlags) =>
    scene.served(async (server) => {
      const signal = interruption();
      const { addr, allowHost, redact, allowActions = false, basePath } = flags;
      const token = flags.token ?? environment("PACKTRAIL_UI_TOKEN");
      const options: ServeOptions & { addr: string } = {
        addr,
        allowHosts: allowHost,
        redact,
        allowActions,
        ...(token === undefined ? {} : { token }),
        ...(basePath === undefined ? {} : { basePath }),
      };
      const dashboard = await openDashboard(server, options, "`--addr 127.0.0.1:0` takes a free port");
      scene.out.json({ url: dashboard.url, namespace: server.namespace });
      scene.out.say(`The dashboard of namespace ${server.namespace}: ${dashboard.url}`);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
      await dashboard.stop();
    }));
}

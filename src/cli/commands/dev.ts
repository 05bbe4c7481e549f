/**
 * The command for development: everything in one process.
 *
 * @module
 */

import type { Command } from "commander";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { ValidationError } from "../../../mod.ts";
import { cacheFolder, isPortTaken, type NatsServer, startNatsServer } from "../../nats_server/mod.ts";
import { action, Scene, wholeNumber, withServer } from "../command.ts";
import { openDashboard } from "../dashboard.ts";
import { DevEngine } from "../engine/dev.ts";
import { loadExtension } from "../engine/extension.ts";
import { environment, interruption } from "../environment.ts";
import { CommandError, EXIT, explain } from "../failure.ts";
import { checkPaths, type FlowFile, pathsOrDefault, shownPlace } from "../flow_files.ts";
import { printable, withProgress } from "../output.ts";
import { printEvent } from "./follow.ts";

interface DevFlags {
  readonly with?: string;
  readonly port: number;
  readonly storeDir?: string;
  readonly echo: boolean;
  readonly delay: number;
  readonly ui: boolean;
  readonly uiPort: number;
}

/** Adds the command. */
export function addDevCommand(program: Command): void {
  const command = program.command("dev").summary("run everything for development, until it is interrupted")
    .description(
      "Runs a local NATS server (unless one is named), an engine with a folder's flows that are loaded again when they " +
        "change, an echo for every task that nobody does, and the dashboard; and prints what happens.",
    )
    .argument("[paths...]", "files, and folders with *.yaml and *.yml files (default: flows/)")
    .option("--with <module>", "a module that exports `invokers`, `asyncInvokers` or `handlers`")
    .option("--port <port>", "the port of the NATS server it starts; 0 is a free one", wholeNumber, 4222)
    .option("--store-dir <folder>", "where that keeps its streams (default: a folder of the port in the user's cache)")
    .option("--no-echo", "leave tasks that nobody does alone")
    .option("--delay <ms>", "how long an echo takes", wholeNumber, 200)
    .option("--no-ui", "leave the dashboard out")
    .option("--ui-port <port>", "the port of the dashboard; 0 is a free one", wholeNumber, 8088);
  action(command, async (scene, paths: string[], flags: DevFlags) => {
    const signal = interruption();
    await checkPaths(pathsOrDefault(paths));
    const { server, context } = scene.flags;
    const isGiven = server !== undefined || context !== undefined || environment("NATS_URL") !== undefined;
    if (isGiven) return await develop(scene, pathsOrDefault(paths), flags, signal);
    const nats = await startServer(flags);
    try {
      scene.out.say(`NATS       ${nats.url}`);
      await develop(new Scene({ ...scene.flags, server: nats.url }), pathsOrDefault(paths), flags, signal);
    } finally {
      await nats.stop();
    }
  });
}

async function startServer({ port, storeDir }: DevFlags): Promise<NatsServer> {
  const folder = storeDir ?? (port === 0 ? undefined : join(cacheFolder(), `nats-${port}`));
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  const options = { ...(port === 0 ? {} : { port }), ...(folder === undefined ? {} : { storeDir: folder }) };
  try {
    return await withProgress("starting nats-server", () => startNatsServer(options));
  } catch (cause) {
    if (!isPortTaken(cause)) throw cause;
    throw new CommandError(
      EXIT.nats,
      `port ${port} is in use`,
      `is it a NATS server? then: packtrail dev --server nats://127.0.0.1:${port}; otherwise choose another --port`,
      { cause },
    );
  }
}

async function develop(scene: Scene, paths: readonly string[], flags: DevFlags, signal: AbortSignal): Promise<void> {
  const { namespace } = scene.flags;
  const extension = await loadExtension(flags.with);
  await scene.connected((nc) =>
    withServer(nc, namespace, async (observer) => {
      const engine: DevEngine = new DevEngine(nc, {
        namespace,
        paths,
        extension,
        ...(flags.echo ? { echoMs: flags.delay } : {}),
        loaded: (files, error) => showLoaded(scene, files, { error, isRunning: engine.server !== undefined }),
      });
      const events = observer.watchEvents({ signal });
      // It comes first: where its port is in use, no engine has begun that would be cut off.
      const dashboard = flags.ui
        ? await openDashboard(observer, {
          addr: `127.0.0.1:${flags.uiPort}`,
          allowActions: true,
        }, "`--ui-port 0` takes a free port, `--no-ui` leaves the dashboard out")
        : undefined;
      try {
        await engine.load();
        if (dashboard !== undefined) scene.out.say(`Dashboard  ${dashboard.url}`);
        scene.out.say(scene.out.styled("Try        packtrail start <flow> '{}'     (Ctrl-C ends everything)", "dim"));
        const watching = engine.watch(signal);
        for await (const event of events) printEvent(scene, event, { withId: true });
        await watching;
      } finally {
        await dashboard?.stop();
        await engine.close();
      }
    }), { forever: true });
}

function showLoaded(
  { out }: Scene,
  files: readonly FlowFile[],
  { error, isRunning }: { error: unknown; isRunning: boolean },
): void {
  const names = files.flatMap(({ flow }) => flow === undefined ? [] : [flow.definition.name]);
  const issues = files.flatMap(({ path, issues }) => issues.map((issue) => ({ file: path, ...issue })));
  const message = error === undefined ? undefined : explain(error)?.message ?? inspect(error);
  out.jsonLine({ flows: names, issues, ...(message === undefined ? {} : { error: message }) });
  if (issues.length === 0 && message === undefined) return out.say(`Flows      ${names.join(", ")}`);
  out.say(out.styled(`Flows      not loaded${isRunning ? ", the ones before go on" : ""}:`, "red"));
  for (const issue of issues) {
    out.say(`           ${shownPlace(issue.file, issue)}: ${issue.path}: ${printable(issue.message)}`);
  }
  if (message !== undefined && !(error instanceof ValidationError && issues.length > 0)) {
    out.say(`           ${printable(message, true)}`);
  }
}

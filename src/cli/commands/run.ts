/**
 * The command that runs an engine.
 *
 * @module
 */

import type { Command } from "commander";
import { consoleLogger, ValidationError } from "../../../mod.ts";
import { action, positiveNumber } from "../command.ts";
import { loadExtension } from "../engine/extension.ts";
import { startEngine } from "../engine/running.ts";
import { interruption } from "../environment.ts";
import { pathsOrDefault, readFlowFiles, shownPlace } from "../flow_files.ts";

interface RunFlags {
  readonly with?: string;
  readonly maxConcurrency?: number;
  readonly replicas?: number;
}

/** Adds the command. */
export function addRunCommand(program: Command): void {
  const command = program.command("run").summary("run an engine, until it is interrupted")
    .description(
      "Runs an engine with the flows of files and folders, until it is interrupted; then it drains. Tasks of the kind " +
        "`nats-task` are done by workers; a module of yours adds invokers, or handlers in this process. The log is JSON.",
    )
    .argument("[paths...]", "files, and folders with *.yaml and *.yml files (default: flows/)")
    .option("--with <module>", "a module that exports `invokers`, `asyncInvokers` or `handlers`")
    .option("--max-concurrency <number>", "work items processed at once", positiveNumber)
    .option("--replicas <number>", "copies of the streams it creates, on a cluster", positiveNumber);
  action(command, async (scene, paths: string[], flags: RunFlags) => {
    const signal = interruption();
    const extension = await loadExtension(flags.with);
    const kinds = [...Object.keys(extension.invokers), ...Object.keys(extension.asyncInvokers)];
    const files = await readFlowFiles(pathsOrDefault(paths), kinds);
    const faulty = files.filter(({ issues }) => issues.length > 0);
    if (faulty.length > 0) throw invalidFiles(faulty);
    const { maxConcurrency, replicas } = flags;
    await scene.connected(async (nc) => {
      const engine = await startEngine(nc, {
        namespace: scene.flags.namespace,
        flows: files.map(({ text }) => text),
        logger: consoleLogger(),
        ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
        ...(replicas === undefined ? {} : { replicas }),
      }, extension);
      const stop = () => void engine.server.close();
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
      await engine.ended;
      await engine.server.close();
    }, { forever: true });
  });
}

/** One error of all that is wrong in some files. */
export function invalidFiles(
  files: readonly { path: string; issues: ValidationError["issues"] }[],
): ValidationError {
  const lines = files.flatMap(({ path: file, issues }) =>
    issues.map((issue) => `${shownPlace(file, issue)}: ${issue.path}: ${issue.message}`)
  );
  return new ValidationError(
    `the flows are not valid:\n  ${lines.join("\n  ")}`,
    files.flatMap(({ issues }) => issues),
  );
}

/**
 * The command line: its commands, their flags, and what is said when they fail.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import { inspect } from "node:util";
import { environment } from "./environment.ts";
import { addCareCommands } from "./commands/care.ts";
import { addCompletionsCommand } from "./commands/completions.ts";
import { addDeadLetterCommands } from "./commands/dead_letters.ts";
import { addDevCommand } from "./commands/dev.ts";
import { addExecutionCommands } from "./commands/executions.ts";
import { addFlowCommands } from "./commands/flows.ts";
import { addListCommands } from "./commands/lists.ts";
import { addRunCommand } from "./commands/run.ts";
import { addScheduleCommands } from "./commands/schedules.ts";
import { addUiCommand } from "./commands/ui.ts";
import { ExitError } from "./command.ts";
import { EXIT, EXIT_HELP, explain, type Explanation } from "./failure.ts";
import { VERSION } from "./version.ts";

const SURROUNDINGS = `Surroundings:
  NATS_URL             the NATS server, where --server and --context are not given
  NATS_CREDS           the credentials file, where --creds is not given
  NATS_CONTEXT         the context of the \`nats\` command, where no server is given
  PACKTRAIL_NAMESPACE  the namespace, where --namespace is not given
  NO_COLOR             no colours`;

/** The command line. */
export function createProgram(): Command {
  const program = new Command("packtrail")
    .description("Durable workflows on NATS: run flows, start and follow executions, look after them.")
    .version(VERSION, "-V, --version", "print the version")
    .option("-s, --server <address>", "the NATS server, several with commas between them")
    .option("--creds <file>", "the credentials file of the NATS user")
    .option("--context <name>", "a context of the `nats` command")
    .option("-n, --namespace <name>", "the namespace", environment("PACKTRAIL_NAMESPACE") ?? "packtrail")
    .option("--json", "print JSON", false)
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText("after", `\n${SURROUNDINGS}\n\n${EXIT_HELP}`);
  addDevCommand(program);
  addRunCommand(program);
  addExecutionCommands(program);
  addListCommands(program);
  addDeadLetterCommands(program);
  addScheduleCommands(program);
  addFlowCommands(program);
  addCareCommands(program);
  addUiCommand(program);
  addCompletionsCommand(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ outputError: () => {} });
  return program;
}

/** Runs a command line. Returns the exit code; nothing is thrown that a user could have caused. */
export async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes("--json");
  try {
    const program = createProgram();
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.usage;
    }
    await program.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ExitError) return error.exitCode;
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const told = error instanceof CommanderError ? usage(error) : explain(error);
    if (told === undefined) {
      console.error(`packtrail: something unexpected went wrong: ${inspect(error)}`);
      return EXIT.failed;
    }
    tell(told, isJson);
    return told.exitCode;
  }
}

function usage(error: CommanderError): Explanation {
  const message = error.message.replace(/^error: /, "").replace(/\n\(?(Did you mean.*?)\)?$/s, "; $1");
  return { exitCode: EXIT.usage, code: "USAGE", message, hint: "`packtrail help <command>` shows how" };
}

function tell({ exitCode: _, ...told }: Explanation, isJson: boolean): void {
  if (isJson) return console.error(JSON.stringify({ error: told }));
  console.error(`packtrail: ${told.message}`);
  if (told.hint !== undefined) console.error(`hint: ${told.hint}`);
}

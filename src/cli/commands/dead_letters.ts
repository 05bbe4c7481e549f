/**
 * Commands about dead letters: list them, try them again, remove them.
 *
 * @module
 */

import type { Command } from "commander";
import { NotFoundError, type Server, StateError } from "../../../mod.ts";
import { action, positiveNumber, wholeNumber } from "../command.ts";
import { CommandError, EXIT } from "../failure.ts";
import { shownTime, withProgress } from "../output.ts";

const LISTS = "`packtrail dead-letters` lists them";

/** How many are removed between two looks at what there is. */
const BATCH = 1_000;

/** Adds the commands. */
export function addDeadLetterCommands(program: Command): void {
  const letters = program.command("dead-letters").summary("list what was given up on")
    .description("Lists what was given up on, newest first: `redrive` tries one again, `discard` removes it.")
    .option("--limit <number>", "how many at most", positiveNumber, 50);
  action(letters, (scene, { limit }: { limit: number }) =>
    scene.served(async (server) => {
      const found = await withProgress("listing", () => server.deadLetters({ limit }));
      scene.out.table(found, [
        { title: "NUMBER", cell: ({ sequence }) => String(sequence), style: () => "bold" },
        { title: "SOURCE", cell: ({ source }) => source },
        { title: "KEY", cell: ({ key }) => key },
        { title: "TIME", cell: ({ time }) => shownTime(time), style: () => "dim" },
        { title: "REASON", cell: ({ reason }) => reason, style: () => "red" },
      ], "nothing was given up on");
    }));
  const redrive = program.command("redrive").summary("try again what was given up on")
    .description("Tries again what was given up on, and removes its dead letter.")
    .argument("<number>", "the dead letter's number", wholeNumber);
  action(redrive, (scene, sequence: number) =>
    scene.served(async (server) => {
      await server.redrive(sequence).catch((error) => notRedriven(sequence, error));
      scene.out.json({ sequence });
      scene.out.say(`tried dead letter ${sequence} again`);
    }));
  const discard = program.command("discard").summary("remove what was given up on")
    .description("Removes dead letters for good. Nothing is tried again; executions stay as they are.")
    .argument("[numbers...]", "the dead letters' numbers", severalNumbers)
    .option("--all", "all that there are");
  action(discard, async (scene, numbers: readonly number[] = [], { all = false }: { all?: boolean }) => {
    if (all === numbers.length > 0) {
      throw new CommandError(EXIT.usage, "give the numbers of dead letters, or --all", LISTS);
    }
    await scene.served(async (server) => {
      const unknown: number[] = [];
      const discarded = await withProgress(
        "removing",
        () => all ? discardAll(server) : discardEach(server, numbers, unknown),
      );
      scene.out.json({ discarded });
      scene.out.say(`discarded ${discarded} dead letter${discarded === 1 ? "" : "s"}`);
      if (unknown.length > 0) {
        throw new CommandError(EXIT.notFound, `there is no dead letter ${unknown.join(", ")}`, LISTS);
      }
    });
  });
}

/** Removes some. Those that are not there are left in `unknown`. Returns how many there were. */
async function discardEach(server: Server, numbers: readonly number[], unknown: number[]): Promise<number> {
  let discarded = 0;
  for (const number of new Set(numbers)) {
    try {
      await server.discard(number);
      discarded++;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      unknown.push(number);
    }
  }
  return discarded;
}

async function discardAll(server: Server): Promise<number> {
  let discarded = 0;
  for (;;) {
    const letters = await server.deadLetters({ limit: BATCH });
    if (letters.length === 0) return discarded;
    // Somebody else may remove them at the same time.
    discarded += await discardEach(server, letters.map(({ sequence }) => sequence), []);
  }
}

function severalNumbers(text: string, before: readonly number[] = []): number[] {
  return [...before, wholeNumber(text)];
}

/** Says what to do with a dead letter that cannot be tried again. */
function notRedriven(sequence: number, error: unknown): never {
  const discard = `\`packtrail discard ${sequence}\` removes it`;
  if (error instanceof StateError) throw new CommandError(EXIT.state, error.message, discard, { cause: error });
  if (!(error instanceof NotFoundError)) throw error;
  const isUnknown = error.message === `there is no dead letter ${sequence}`;
  throw new CommandError(EXIT.notFound, error.message, isUnknown ? LISTS : discard, { cause: error });
}

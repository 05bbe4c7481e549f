/**
 * Commands that list: executions, events, history; and what looks over all of them.
 *
 * @module
 */

import { type Command, Option } from "commander";
import type { ExecutionEvent, ExecutionStatus } from "../../../mod.ts";
import { action, positiveNumber, wholeNumber } from "../command.ts";
import { interruption } from "../environment.ts";
import { CommandError, EXIT } from "../failure.ts";
import { type Column, shownMoment, shownTime, statusStyle, withProgress } from "../output.ts";
import { follow, printEvent } from "./follow.ts";

const STATUSES = ["running", "waiting", "completed", "failed", "cancelled"];

/** Adds the commands. */
export function addListCommands(program: Command): void {
  addList(program);
  addWatch(program);
  const history = program.command("history").summary("show what happened to an execution")
    .description("Shows what happened to an execution, oldest first.")
    .argument("<id>", "the execution's id").option("--limit <number>", "only the latest ones", positiveNumber);
  action(history, (scene, id: string, { limit }: { limit?: number }) =>
    scene.served(async (server) => {
      const events = await withProgress("reading", () => server.history(id, limit === undefined ? {} : { limit }));
      if (events.length === 0) {
        throw new CommandError(EXIT.notFound, `nothing is known of ${id}`, "`packtrail list` shows what there is");
      }
      scene.out.table(events, [MOMENT, STATUS, NODE, ATTEMPT, ERROR], "");
    }));
  addReconcile(program);
}

interface ListFlags {
  readonly status?: ExecutionStatus;
  readonly flow?: string;
  readonly limit: number;
  readonly before?: number;
}

const ID: Column<ExecutionEvent> = { title: "ID", cell: ({ executionId }) => executionId, style: () => "bold" };
const FLOW: Column<ExecutionEvent> = { title: "FLOW", cell: ({ flow }) => flow };
const STATUS: Column<ExecutionEvent> = {
  title: "STATUS",
  cell: ({ status }) => status,
  style: ({ status }) => statusStyle(status),
};
const NODE: Column<ExecutionEvent> = { title: "NODE", cell: ({ node }) => node };
const ATTEMPT: Column<ExecutionEvent> = { title: "ATTEMPT", cell: ({ attempt = 0 }) => String(attempt + 1) };
const TIME: Column<ExecutionEvent> = { title: "TIME", cell: ({ time }) => shownTime(time), style: () => "dim" };
const MOMENT: Column<ExecutionEvent> = { ...TIME, cell: ({ time }) => shownMoment(time) };
const ERROR: Column<ExecutionEvent> = { title: "ERROR", cell: ({ error = "" }) => error, style: () => "red" };

function addList(program: Command): void {
  const command = program.command("list").alias("ls").summary("list executions, the latest change first")
    .description("Lists executions, those that changed last first.")
    .addOption(new Option("--status <status>", "only those of this status").choices(STATUSES))
    .option("--flow <flow>", "only those of this flow")
    .option("--limit <number>", "how many at most", positiveNumber, 50)
    .option("--before <revision>", "only changes before this one: the `revision` of the last one seen", wholeNumber);
  action(command, (scene, flags: ListFlags) =>
    scene.served(async (server) => {
      const { status, flow, limit, before } = flags;
      const wanted = {
        limit,
        ...(status === undefined ? {} : { status }),
        ...(flow === undefined ? {} : { flow }),
        ...(before === undefined ? {} : { before }),
      };
      const events = await withProgress("listing", () => server.recent(wanted));
      scene.out.table(events, [ID, FLOW, STATUS, NODE, TIME, ERROR], "no executions");
      const last = events.at(-1);
      if (last === undefined || events.length < limit) return;
      scene.out.say(scene.out.styled(`more with --before ${last.revision}`, "dim"));
    }));
}

interface WatchFlags {
  readonly flow?: string;
  readonly status?: ExecutionStatus;
}

function addWatch(program: Command): void {
  const command = program.command("watch").summary("show what happens, as it happens")
    .description("Shows what happens in the namespace, or to one execution until it ends; JSON is one event a line.")
    .argument("[id]", "an execution's id")
    .option("--flow <flow>", "only executions of this flow")
    .addOption(new Option("--status <status>", "only changes to this status").choices(STATUSES));
  action(command, (scene, id: string | undefined, { flow, status }: WatchFlags) =>
    scene.served(async (server) => {
      const signal = interruption();
      if (id !== undefined) {
        await follow(scene, server, { id, signal });
        return;
      }
      for await (const event of server.watchEvents({ signal })) {
        if (flow !== undefined && event.flow !== flow) continue;
        if (status === undefined || event.status === status) printEvent(scene, event, { withId: true });
      }
    }));
}

function addReconcile(program: Command): void {
  const reconcile = program.command("reconcile").summary("look over the namespace")
    .description("Removes leftovers and orphans, and drives stalled executions again. Needs an engine's permissions.");
  action(reconcile, (scene) =>
    scene.served(async (server) => {
      const report = await withProgress("looking over the namespace", () => server.reconcile());
      scene.out.json(report);
      const counts = Object.entries(report).filter(([, count]) => typeof count === "number");
      if (!scene.out.isJson) scene.out.fields(counts.map(([name, count]) => [name, String(count)]));
    }));
}

/**
 * Commands about recurring schedules.
 *
 * @module
 */

import type { Command } from "commander";
import { action, readObject } from "../command.ts";
import { CommandError, EXIT } from "../failure.ts";
import { flowMissing } from "../flow_names.ts";
import { shownTime } from "../output.ts";

/** Adds the commands. */
export function addScheduleCommands(program: Command): void {
  const schedule = program.command("schedule").summary("start a flow on a recurring schedule")
    .description("Starts a flow on a recurring schedule. Replaces a schedule of the same name.")
    .argument("<name>", "the schedule's name").argument("<flow>", "the flow's name")
    .argument("<cron>", "six fields: second minute hour day month weekday, as in '0 30 9 * * MON-FRI'")
    .argument("[payload]", "the payload of what it starts, a JSON object; @file reads a file")
    .option("--time-zone <zone>", "the IANA time zone the fields are in (default: UTC)");
  action(
    schedule,
    async (
      scene,
      name: string,
      flow: string,
      cron: string,
      payload: string | undefined,
      { timeZone }: { timeZone?: string },
    ) => {
      const given = await readObject("payload", payload);
      await scene.served(async (server) => {
        await server.scheduleFlow(name, flow, cron, given, timeZone === undefined ? {} : { timeZone })
          .catch((error) => flowMissing(server, flow, error));
        const made = (await server.schedules()).find((each) => each.name === name);
        scene.out.json(made ?? { name, flow, cron });
        scene.out.say(`scheduled ${name}${made === undefined ? "" : `, next at ${shownTime(made.next)}`}`);
      });
    },
  );
  const schedules = program.command("schedules").summary("list recurring schedules")
    .description("Lists the recurring schedules, by name.");
  action(schedules, (scene) =>
    scene.served(async (server) =>
      scene.out.table(await server.schedules(), [
        { title: "NAME", cell: ({ name }) => name, style: () => "bold" },
        { title: "FLOW", cell: ({ flow }) => flow },
        { title: "CRON", cell: ({ cron }) => cron },
        { title: "ZONE", cell: ({ timeZone }) => timeZone },
        { title: "NEXT (LOCAL)", cell: ({ next }) => shownTime(next) },
        { title: "LAST (LOCAL)", cell: ({ last }) => last === undefined ? "" : shownTime(last), style: () => "dim" },
      ], "no schedules")
    ));
  const unschedule = program.command("unschedule").summary("remove a recurring schedule")
    .description("Removes a recurring schedule; what it has started goes on.")
    .argument("<name>", "the schedule's name");
  action(unschedule, (scene, name: string) =>
    scene.served(async (server) => {
      if (!await server.unschedule(name)) {
        throw new CommandError(EXIT.notFound, `there is no schedule ${name}`, "`packtrail schedules` lists them");
      }
      scene.out.json({ name });
      scene.out.say(`removed ${name}`);
    }));
}

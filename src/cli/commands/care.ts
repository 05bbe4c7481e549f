/**
 * Commands for operators: `doctor` and `permissions`.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { permissionsBlock, permissionsFor, type Role } from "../../../mod.ts";
import { action, type Scene } from "../command.ts";
import type { Finding } from "../doctor/finding.ts";
import { examine } from "../doctor/mod.ts";
import { ROLES } from "../doctor/permissions.ts";
import { EXIT } from "../failure.ts";
import { printable, type Style, withProgress } from "../output.ts";

const ASYNC_KINDS = "the kinds of async invokers of an engine or async worker, with commas between them";

/** Adds the commands. */
export function addCareCommands(program: Command): void {
  const doctor = program.command("doctor").summary("look at the server and the namespace, and say what to do")
    .description(
      "Looks at the NATS server and the namespace, and says what to do. It only reads; exit code 8 where " +
        "something does not work.",
    )
    .addOption(new Option("--role <role>", "the role that this user is to play").choices(ROLES))
    .option("--async-kinds <kinds>", ASYNC_KINDS)
    .option("--monitor <url>", "the server's monitoring address, for what clients cannot see: http://HOST:8222");
  action(
    doctor,
    async (scene, { role, asyncKinds, monitor }: { role?: Role; asyncKinds?: string; monitor?: string }) => {
      const options = {
        namespace: scene.flags.namespace,
        ...(role === undefined ? {} : { role }),
        ...(asyncKinds === undefined ? {} : { asyncKinds: listed(asyncKinds) }),
        ...(monitor === undefined ? {} : { monitor }),
      };
      return await scene.connected(async (nc, target) => {
        const findings = await withProgress("looking", () => examine(nc, target, options));
        showFindings(scene, findings);
        return findings.some(({ state }) => state === "bad") ? EXIT.unwell : EXIT.ok;
      });
    },
  );
  const permissions = program.command("permissions").summary("print the NATS permissions of a role")
    .description("Prints the permissions that a NATS user needs for a role, as a block of the server's configuration.")
    .addOption(new Option("--role <role>", "the role").choices(ROLES).makeOptionMandatory())
    .option("--tasks <subjects>", "what a worker serves, with commas between them (default: tasks.>)")
    .option("--async-kinds <kinds>", ASYNC_KINDS);
  action(
    permissions,
    (scene, { role, tasks, asyncKinds }: { role: Role; tasks?: string; asyncKinds?: string }) => {
      const options = {
        namespace: scene.flags.namespace,
        ...(tasks === undefined ? {} : { tasks: listed(tasks) }),
        ...(asyncKinds === undefined ? {} : { asyncKinds: listed(asyncKinds) }),
      };
      scene.out.json(permissionsFor(role, options));
      scene.out.say(permissionsBlock(role, options));
      return Promise.resolve();
    },
  );
}

const MARKS: Readonly<Record<Finding["state"], [mark: string, style: Style]>> = {
  good: ["✔", "green"],
  advice: ["!", "yellow"],
  bad: ["✘", "red"],
  unknown: ["?", "dim"],
};

function showFindings({ out }: Scene, findings: readonly Finding[]): void {
  if (out.isJson) return out.json(findings);
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, state, found, todo } of findings) {
    const [mark, style] = MARKS[state];
    out.say(`${out.styled(mark, style)} ${check.padEnd(width)}  ${printable(found)}`);
    if (todo !== undefined) out.say(`  ${" ".repeat(width)}  ${out.styled(`→ ${todo}`, "dim")}`);
  }
}

function listed(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter(Boolean);
}

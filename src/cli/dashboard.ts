/**
 * The dashboard as the command serves it.
 *
 * @module
 */

import type { Server } from "../../mod.ts";
import { type DashboardServer, serveDashboard, type ServeOptions } from "../ui/mod.ts";
import { CommandError, EXIT } from "./failure.ts";

/** What is wrong with an address that cannot be listened on, by the system's code. */
const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use",
  EACCES: "may not be listened on by this user",
  EADDRNOTAVAIL: "is no address of this machine",
  EINVAL: "cannot be listened on",
  ENOTFOUND: "has a name that is not known",
};

/**
 * Serves the dashboard.
 *
 * @param hint What to do where its address is taken.
 * @throws {CommandError} Where its address cannot be listened on.
 */
export async function openDashboard(
  server: Server,
  options: ServeOptions & { addr: string },
  hint: string,
): Promise<DashboardServer> {
  try {
    return await serveDashboard(server, options);
  } catch (cause) {
    const problem = PROBLEMS[(cause as NodeJS.ErrnoException).code ?? ""];
    if (problem === undefined) throw cause;
    throw new CommandError(EXIT.usage, `${options.addr} ${problem}`, hint, { cause });
  }
}

/**
 * Names of flows that nobody knows, and what may have been meant.
 *
 * @module
 */

import { NotFoundError, PacktrailError, type Server } from "../../mod.ts";
import { suggestion } from "../flow/suggest.ts";
import { CommandError, EXIT } from "./failure.ts";

/** Throws what a call about a flow threw; where there is no such flow, with the name of one that there is. */
export async function flowMissing(server: Server, flow: string, error: unknown): Promise<never> {
  if (!(error instanceof NotFoundError)) throw error;
  throw new CommandError(
    EXIT.notFound,
    `there is no flow ${flow}${suggestion(flow, await knownFlows(server))}`,
    "`packtrail flows` lists them",
    { cause: error },
  );
}

/** The flows that there are; none where this user may not see them. */
async function knownFlows(server: Server): Promise<string[]> {
  try {
    return await server.listFlows();
  } catch (error) {
    if (error instanceof PacktrailError) return [];
    throw error;
  }
}

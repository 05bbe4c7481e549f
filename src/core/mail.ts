/**
 * Mail: when a head is to be looked at together with the signals and completions that came too early for it (R7).
 *
 * Branches of a fan-out can park in a head of any phase: `active` while others run, `ready` at the next node once the
 * join is decided. So the phase alone does not tell.
 *
 * @module
 */

import { getOwn } from "../json.ts";
import type { State } from "./state.ts";

/** Whether something in a state waits for what may have been kept in the mail. */
export function awaitsMail(state: State): boolean {
  return state.phase === "waiting" || state.wait !== undefined || awaitsCompletion(state);
}

/** Whether a branch is pending: its completion may have been kept by the time its work is taken up again. */
export function awaitsCompletion(state: State): boolean {
  return parkedBranches(state).length > 0;
}

/** Whether who wrote a state after another has to look into the mail: it waits, or a branch has parked in it. */
export function hasParked(next: State, previous: State | undefined): boolean {
  if (next.phase === "waiting") return true;
  return parkedBranches(next).some((name) => {
    const [now, before] = [next.branches![name]!, getOwn(previous?.branches ?? {}, name)];
    return !before?.parked || before.attempt !== now.attempt || before.generation !== now.generation;
  });
}

/** Whether an execution has been waiting, as far as its head tells: then mail may have been kept for it. */
export function hasWaited({ trail = [], version }: State): boolean {
  return version > trail.length + 1 || trail.some(([, phase]) => phase === "waiting");
}

function parkedBranches({ branches }: State): string[] {
  return Object.keys(branches ?? {}).filter((name) => branches![name]!.parked);
}

/**
 * Burials: what an execution that the server has removed leaves behind goes after it, and then its tombstone.
 *
 * @module
 */

import type { State } from "../core/state.ts";
import { refsOf } from "../core/values.ts";
import type { Executions } from "./executions.ts";

/** Clears up behind an execution: its values, its mail, its superseded messages; not what it needs where it is back. */
export async function bury({ parts }: Executions, state: State, tombstone: number): Promise<void> {
  const { heads, data, mailbox } = parts;
  const { id } = state;
  const { stale, newer } = await heads.leftOf(state, tombstone);
  const refs = refsOf(state);
  if (refs.length > 0) {
    // The id may be that of an execution of another flow now.
    const head = newer ?? (await heads.read(id))?.state;
    const kept = new Set(head === undefined ? [] : refsOf(head));
    const gone = refs.filter((ref) => !kept.has(ref));
    if (kept.size === 0) await data.removeAll(id, gone);
    else data.discard(gone);
  }
  // One that was resumed in time is the same execution.
  if (newer?.startedAt !== state.startedAt) await mailbox.removeAll(id, tombstone);
  await heads.remove(id, [...stale, tombstone]);
}

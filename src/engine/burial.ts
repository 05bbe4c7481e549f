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
  const head = await heads.read(state.id);
  const kept = new Set(head === undefined ? [] : refsOf(head.state));
  const gone = refsOf(state).filter((ref) => !kept.has(ref));
  if (kept.size === 0) await data.removeAll(state.id, gone);
  else data.discard(gone);
  // One that was resumed in time is the same execution.
  if (head?.state.startedAt !== state.startedAt) await mailbox.removeAll(state.id, tombstone);
  await heads.bury(state, tombstone);
}

/**
 * The trail: what an execution has gone through, carried by its head until there is enough of it to be put away.
 *
 * So history is written together with the state, in the same message: it has no gap that a crash could leave. Every
 * {@linkcode MAX_TRAIL} heads the trail goes to the event stream in one message, before the head that drops it.
 *
 * @module
 */

/**
 * A former head: `[revision, phase, node, attempt, milliseconds since the start, error, nodes walked through]`, the
 * last two only where there is something to say.
 */
export type TrailEntry = readonly [
  revision: number,
  phase: string,
  node: string,
  attempt: number,
  elapsedMs: number,
  error?: string | null,
  path?: readonly string[],
];

/** How many former heads a head carries at most. */
export const MAX_TRAIL = 16;

const MAX_ERROR_LENGTH = 500;

/** What of a head's state goes into its entry. */
interface Entered {
  readonly phase: string;
  readonly node: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly error?: string;
  readonly path?: readonly string[];
}

/** The entry of a head. */
export function trailEntry(state: Entered, revision: number): TrailEntry {
  const { phase, node, attempt, error, path } = state;
  const base = [revision, phase, node, attempt, state.updatedAt - state.startedAt] as const;
  if (path !== undefined) return [...base, error === undefined ? null : boundedError(error), path];
  return error === undefined ? base : [...base, boundedError(error)];
}

/** An error as one line of bounded length. */
export function boundedError(error: string): string {
  const line = error.replace(/\s*[\r\n]+\s*/g, " ");
  return line.length > MAX_ERROR_LENGTH ? `${line.slice(0, MAX_ERROR_LENGTH)}…` : line;
}

/**
 * Where tasks may not live: the parts of a namespace that its streams capture.
 *
 * A request published there would be stored as if an engine or a client had written it, and a worker that listens there
 * would answer in the place of the streams.
 *
 * @module
 */

const CAPTURED = new Set(["async", "cron", "data", "dead", "events", "exec", "in", "mail", "sys", "tick"]);

/** Whether a target, or a subject within a namespace, belongs to the namespace's streams: `exec.x`, `in.signal.y.z`. */
export function isCapturedTarget(target: string): boolean {
  const end = target.indexOf(".");
  return CAPTURED.has(end === -1 ? target : target.slice(0, end));
}

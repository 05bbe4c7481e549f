/**
 * Checks the subject of a `nats-task` node.
 *
 * @module
 */

import { isCapturedTarget } from "../names.ts";

/** A subject is at most this long, in bytes. */
const MAX_SUBJECT_BYTES = 255;

const PLACEHOLDER = "{execution_id}";

/** What is wrong with a subject, or `undefined` where nothing is. */
export function subjectFault(subject: string): string | undefined {
  const bytes = new TextEncoder().encode(subject).length;
  if (bytes > MAX_SUBJECT_BYTES) return `is ${bytes} bytes long: a subject has at most ${MAX_SUBJECT_BYTES}`;
  if (/\p{Cc}/u.test(subject)) return "holds a control character: a subject must not";
  if (/[\s\u200b\ufeff]/.test(subject)) return "holds a blank: a subject must not";
  if (/[*>]/.test(subject)) return "holds a wildcard: a task calls one subject";
  if (subject.split(".").includes("")) return "has an empty token: write words with single dots between them";
  const other = /\{[^{}]*\}?|\}/.exec(subject.replaceAll(PLACEHOLDER, ""));
  if (other !== null) return `holds \`${other[0]}\`: the one placeholder is \`${PLACEHOLDER}\``;
  if (!isCapturedTarget(subject)) return undefined;
  return `begins with \`${subject.split(".")[0]}\`, which is packtrail's own: write \`tasks.${subject}\`, for example`;
}

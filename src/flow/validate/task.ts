/**
 * Checks a task: its kind of invoker and its target.
 *
 * @module
 */

import { quoted } from "../../names.ts";
import { DEFAULT_KIND } from "../format.ts";
import type { NodeDraft } from "../read.ts";
import { subjectFault } from "../subject.ts";
import { suggestion } from "../suggest.ts";
import type { Context } from "./context.ts";

/** Checks one task. */
export function checkTask(task: NodeDraft<"task">, context: Context): void {
  const { draft: { places } } = context;
  checkKind(task, context);
  // What is known of the kind decides about the target; an unreadable one was reported.
  if (places.has(task, "invoker") && task.invoker === undefined) return;
  if ((task.invoker ?? DEFAULT_KIND) === DEFAULT_KIND) checkSubject(task, context);
  else checkNoSubject(task, context);
}

function checkKind(task: NodeDraft<"task">, { draft: { places }, problems, kinds }: Context): void {
  const { invoker } = task;
  if (kinds === undefined || invoker === undefined || invoker === DEFAULT_KIND || kinds.has(invoker)) return;
  problems.add(places.of(task, "invoker"), () => {
    const known = [...new Set([DEFAULT_KIND, ...kinds])].sort();
    const some = known.slice(0, 20).join(", ") + (known.length > 20 ? ", …" : "");
    return `no invoker of kind ${quoted(invoker)} is registered; there are: ${some}${suggestion(invoker, known)}`;
  });
}

function checkSubject(task: NodeDraft<"task">, { draft: { places }, problems }: Context): void {
  const given = (["target", "subject"] as const).filter((field) => places.has(task, field));
  const [field] = given;
  if (field === undefined) {
    problems.add(places.of(task), "is missing: a nats-task needs the subject it calls", { field: "subject" });
    return;
  }
  if (given.length === 2) {
    problems.add(places.of(task, "subject"), "is another name for `target`: give one of them");
  }
  for (const each of given) {
    const fault = task[each] === undefined ? undefined : subjectFault(task[each]);
    if (fault !== undefined) problems.add(places.of(task, each), fault);
  }
}

function checkNoSubject(task: NodeDraft<"task">, { draft: { places }, problems }: Context): void {
  if (places.has(task, "subject")) {
    problems.add(
      places.of(task, "subject"),
      `is for the invoker ${DEFAULT_KIND} only: give ${quoted(task.invoker)} a \`target\``,
    );
  }
  if (/\p{Cc}/u.test(task.target ?? "")) {
    problems.add(places.of(task, "target"), "holds a control character: a target must not");
  }
}

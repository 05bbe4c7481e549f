/**
 * Checks a flow that was read, and makes it ready to run.
 *
 * @module
 */

import type { Predicate } from "../../expr/mod.ts";
import { linksOf } from "../links.ts";
import type { Problems } from "../problems.ts";
import type { FlowDraft } from "../read.ts";
import type { Spelling } from "../source.ts";
import type { Context } from "./context.ts";
import { checkEdges } from "./edges.ts";
import { checkFans } from "./fans.ts";
import { checkNodes, indexNodes } from "./nodes.ts";
import { checkPaths } from "./paths.ts";

/** How a flow is checked. */
export interface CheckOptions {
  /** Where faults go. */
  readonly problems: Problems;
  /** How the source spells its fields. */
  readonly spelling: Spelling;
  /** The kinds of invoker there are; not checked where absent. */
  readonly kinds?: ReadonlySet<string> | undefined;
}

/**
 * Checks a flow; faults are added to `problems`.
 *
 * Each stage looks at what the stage before it found to be right, so that one mistake shows as one fault.
 *
 * @returns The compiled expressions, by their rule.
 */
export function checkFlow(draft: FlowDraft, options: CheckOptions): ReadonlyMap<object, Predicate> {
  const { problems } = options;
  const before = problems.count;
  const byId = indexNodes(draft, problems);
  const unique = problems.count === before;
  const context: Context = { ...options, draft, byId, predicates: new Map() };
  checkNodes(context);
  if (draft.whole && unique) checkGraph(context);
  return context.predicates;
}

function checkGraph(context: Context): void {
  const links = linksOf(context.draft.def);
  const before = context.problems.count;
  checkEdges(context, links);
  checkFans(context, links);
  if (context.problems.count === before) checkPaths(context, links);
}

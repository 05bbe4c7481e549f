/**
 * What the checks of a flow share.
 *
 * @module
 */

import type { Predicate } from "../../expr/mod.ts";
import type { Problems } from "../problems.ts";
import type { FlowDraft, NodeDraft } from "../read.ts";
import type { Spelling } from "../source.ts";

/** One flow that is being checked. */
export interface Context {
  /** The flow as it was read. */
  readonly draft: FlowDraft;
  /** Where faults go. */
  readonly problems: Problems;
  /** How the source spells its fields. */
  readonly spelling: Spelling;
  /** The kinds of invoker there are; not checked where absent. */
  readonly kinds?: ReadonlySet<string> | undefined;
  /** The nodes by id; the first of those that share one. */
  readonly byId: ReadonlyMap<string, NodeDraft>;
  /** The compiled expressions, by their rule. */
  readonly predicates: Map<object, Predicate>;
}

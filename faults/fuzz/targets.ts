/** All targets. @module */

import { EXPRESSION_TARGETS } from "./expression_targets.ts";
import { FLOW_TARGETS } from "./flow_targets.ts";
import { NAME_TARGETS } from "./name_targets.ts";
import { STATE_TARGETS } from "./state_targets.ts";
import type { Target } from "./target.ts";
import { WIRE_TARGETS } from "./wire_targets.ts";

/** Everything that reads what comes from outside, without a server. */
export const TARGETS: readonly Target[] = [
  ...FLOW_TARGETS,
  ...EXPRESSION_TARGETS,
  ...WIRE_TARGETS,
  ...STATE_TARGETS,
  ...NAME_TARGETS,
];

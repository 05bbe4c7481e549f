/**
 * Checks the rooms of `src/`: the direction of imports, cycles, and that pure rooms are pure. The rooms themselves
 * are in `layers/rooms.ts`.
 *
 * @module
 */

import { dirname } from "node:path";
import { checkLayers } from "./layers/check.ts";

if (import.meta.main) {
  const problems = await checkLayers(dirname(import.meta.dirname!));
  for (const problem of problems) console.error(problem);
  console.error(problems.length === 0 ? "layers: in order" : `layers: ${problems.length} to mend`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}

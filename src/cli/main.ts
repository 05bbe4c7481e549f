/**
 * The command `packtrail`: `deno task packtrail`, `deno run -A jsr:@packtrail/core/cli`, or installed with
 * `deno install -g -A -n packtrail jsr:@packtrail/core/cli`; on Node `node node_modules/@packtrail/core/src/cli/main.js`.
 * `packtrail --help` lists what it does.
 *
 * @module
 */

import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "./program.ts";

export { main };

/** Whether this module is the program. */
function isProgram(): boolean {
  if (import.meta.main !== undefined) return import.meta.main;
  // Node before 24 does not say.
  const path = process.argv[1];
  return path !== undefined && realpathSync(path) === fileURLToPath(import.meta.url);
}

if (isProgram()) process.exit(await main(process.argv.slice(2)));

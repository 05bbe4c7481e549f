/**
 * The command `packtrail`: `deno task packtrail`, `deno run -A jsr:@packtrail/core/cli`, or installed with
 * `deno install -g -A -n packtrail jsr:@packtrail/core/cli`. `packtrail --help` lists what it does.
 *
 * @module
 */

import { main } from "./program.ts";

export { main };

if (import.meta.main) Deno.exit(await main(Deno.args));

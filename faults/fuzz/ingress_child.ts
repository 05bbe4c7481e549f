/** The process that fuzzes the ingress, so that its heap can be looked at. It says what came of it. @module */

import { fuzzIngress } from "./ingress.ts";

if (import.meta.main) {
  console.log(JSON.stringify(await fuzzIngress(JSON.parse(Deno.args[0]!))));
  Deno.exit(0);
}

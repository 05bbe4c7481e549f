/**
 * Writes `flow.schema.json`, the JSON Schema of flows, from the description of the format: `deno task schema`.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { flowSchema } from "../src/flow/schema.ts";

/** The schema as it stands in the file. */
export function schemaText(): string {
  return JSON.stringify(flowSchema(), null, 2) + "\n";
}

if (import.meta.main) {
  await Deno.writeTextFile(join(dirname(import.meta.dirname!), "flow.schema.json"), schemaText());
}

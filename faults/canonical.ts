/** Values as text that can be compared. @module */

import type { Json } from "../src/json.ts";

/** As text whose order of keys says nothing. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: Json) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => one < other ? -1 : 1));
  }, 1);
}

/**
 * What `doctor` finds.
 *
 * @module
 */

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at. */
  readonly check: string;
  /** How it is; `unknown` where it could not be seen. */
  readonly state: "good" | "advice" | "bad" | "unknown";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** All is well. */
export function good(check: string, found: string): Finding {
  return { check, state: "good", found };
}

/** It works, and could be better. */
export function advice(check: string, found: string, todo: string): Finding {
  return { check, state: "advice", found, todo };
}

/** It does not work. */
export function bad(check: string, found: string, todo: string): Finding {
  return { check, state: "bad", found, todo };
}

/** It could not be looked at. */
export function unknown(check: string, found: string, todo?: string): Finding {
  return { check, state: "unknown", found, ...(todo === undefined ? {} : { todo }) };
}

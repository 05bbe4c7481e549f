/**
 * Retries: which attempt may be repeated, and after which delay.
 *
 * @module
 */

import type { RetryPolicy } from "../flow/types.ts";
import { unreachable } from "./state.ts";

/** The first delay of every backoff, in milliseconds. */
export const BASE_DELAY_MS = 1_000;

/** The longest delay of every backoff, in milliseconds. */
export const MAX_DELAY_MS = 60_000;

/** The delay after a failed attempt (counted from 0), in milliseconds; `undefined` where it was the last. */
export function delayAfter(policy: RetryPolicy, attempt: number): number | undefined {
  if (attempt + 1 >= policy.maxAttempts) return undefined;
  return Math.min(MAX_DELAY_MS, BASE_DELAY_MS * factor(policy.backoff, attempt));
}

function factor(backoff: RetryPolicy["backoff"], attempt: number): number {
  switch (backoff) {
    case "fixed":
      return 1;
    case "linear":
      return attempt + 1;
    case "exponential":
      return 2 ** attempt;
    default:
      return unreachable(backoff);
  }
}

/**
 * Redelivery: how long a message that cannot be dealt with yet waits for its next delivery.
 *
 * @module
 */

const DELAYS_MS = [250, 500, 1_000, 2_000, 4_000, 5_000];

/** The delay after a delivery (counted from 1), in milliseconds. Ten deliveries take about half a minute. */
export function redeliveryDelay(delivery: number): number {
  return DELAYS_MS[Math.min(delivery, DELAYS_MS.length) - 1] ?? DELAYS_MS[0]!;
}

/** Waiting for conditions: tests never wait for a time. @module */

/** How long a condition may take before the test fails, in milliseconds: far more than it ever does. */
export const PATIENCE_MS = 60_000;

const LONGEST_PAUSE_MS = 50;

/**
 * Waits until a condition holds, and returns what it gave.
 *
 * @param condition Asked again and again; anything truthy ends the waiting.
 * @param what What is waited for, for the failure.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what = condition.toString(),
  patienceMs = PATIENCE_MS,
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  const deadline = performance.now() + patienceMs;
  for (let pause = 1;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    const value = await condition();
    if (value) return value as Exclude<T, false | null | undefined | 0 | "">;
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Waits for a promise, no longer than is patient; the failure says what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patienceMs} ms in vain for: ${what}`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

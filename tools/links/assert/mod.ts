// Stands in for jsr:@std/assert where JSR cannot be reached: the few functions the tests use, over node:assert.
import nodeAssert from "node:assert";

export { AssertionError } from "node:assert";

/** Fails unless `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value {
  nodeAssert.ok(value, message);
}

/** Fails unless the two values are deeply equal; fields that are `undefined` count as absent, as in `@std/assert`. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(withoutUndefined(actual), withoutUndefined(expected), message);
}

/** Fails if the two values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notDeepStrictEqual(withoutUndefined(actual), withoutUndefined(expected), message);
}

/** Fails unless the two values are the same (`Object.is`). */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  nodeAssert.ok(Object.is(actual, expected), message ?? `expected ${String(expected)}, got ${String(actual)}`);
}

/** Fails if `value` is `null` or `undefined`. */
export function assertExists<T>(value: T, message?: string): asserts value is NonNullable<T> {
  nodeAssert.ok(value !== undefined && value !== null, message ?? "expected a value");
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  nodeAssert.ok(
    actual.includes(expected),
    message ?? `expected ${JSON.stringify(actual)} to contain ${JSON.stringify(expected)}`,
  );
}

/** Fails unless `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  nodeAssert.match(actual, expected, message);
}

/** Fails unless `actual` is greater than `expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.ok(actual > expected, message ?? `expected ${String(actual)} > ${String(expected)}`);
}

/** Fails unless `actual` is less than `expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.ok(actual < expected, message ?? `expected ${String(actual)} < ${String(expected)}`);
}

/** Fails unless `value` is an instance of `type`. */
// deno-lint-ignore no-explicit-any
export function assertInstanceOf<T extends abstract new (...args: any[]) => any>(
  value: unknown,
  type: T,
  message?: string,
): asserts value is InstanceType<T> {
  nodeAssert.ok(value instanceof type, message ?? `expected an instance of ${type.name}, got ${String(value)}`);
}

/** Fails always. */
export function fail(message?: string): never {
  nodeAssert.fail(message ?? "failed");
}

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** Fails unless `run` throws; returns what it threw. */
export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  type?: ErrorClass<E>,
  messageIncludes?: string,
): E {
  try {
    run();
  } catch (error) {
    return expectedError(error, type, messageIncludes);
  }
  nodeAssert.fail("expected the function to throw");
}

/** Fails unless the promise that `run` returns rejects; returns what it rejected with. */
export async function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  type?: ErrorClass<E>,
  messageIncludes?: string,
): Promise<E> {
  try {
    await run();
  } catch (error) {
    return expectedError(error, type, messageIncludes);
  }
  nodeAssert.fail("expected the promise to reject");
}

function expectedError<E extends Error>(error: unknown, type?: ErrorClass<E>, includes?: string): E {
  if (type !== undefined && !(error instanceof type)) {
    nodeAssert.fail(`expected ${type.name}, got ${error instanceof Error ? `${error.name}: ${error.message}` : error}`);
  }
  if (includes !== undefined) assertStringIncludes((error as Error).message, includes);
  return error as E;
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined).map((
      [key, field],
    ) => [key, withoutUndefined(field)]),
  );
}

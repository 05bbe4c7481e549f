/** Hostile texts and values, and changes to good ones: what all targets are tried with. @module */

import fc from "fast-check";
import { setOwn } from "../../src/json.ts";

/** Names that mean something to objects. */
export const SPECIAL: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "length",
  "then",
  "toJSON",
];

/** Numbers at the edges. */
export const NUMBERS: readonly string[] = [
  ..."0 -0 1 -1 64 65 1e3 1e308 1e309 -1e309 1e-400 0.1 9007199254740991 9007199254740993 18446744073709551616".split(
    " ",
  ),
  "0x7fffffffffffffff",
  "1".repeat(400),
  "NaN",
  ".inf",
  "1_000",
  "2147483648",
];

/** Any text: Unicode with half surrogates and control characters, or bytes read as UTF-8. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new TextDecoder().decode(bytes)),
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
);

/** Texts made of words. */
export function soup(words: readonly string[], maxLength = 60): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...words), { maxLength }).map((parts) => parts.join(""));
}

/** One change to a text: a piece of it goes, is doubled, is moved or something comes in its place. */
interface Change {
  readonly at: number;
  readonly size: number;
  readonly to: number;
  readonly how: "insert" | "remove" | "double" | "move" | "flip";
  readonly text: string;
}

/** Good texts after some changes, with `words` among what comes in. */
export function changed(good: fc.Arbitrary<string>, words: readonly string[]): fc.Arbitrary<string> {
  const share = fc.nat(9_999);
  const change: fc.Arbitrary<Change> = fc.record({
    at: share,
    size: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 8 }) }, fc.integer({ min: 1, max: 200 })),
    to: share,
    how: fc.constantFrom("insert", "insert", "remove", "double", "move", "flip"),
    text: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...words) }, anyText),
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  return fc.tuple(good, changes).map(([text, list]) => list.reduce(change1, text));
}

function change1(text: string, { at, size, to, how, text: inserted }: Change): string {
  const start = Math.floor(at / 10_000 * (text.length + 1));
  const end = Math.min(text.length, start + size);
  const piece = text.slice(start, end);
  const [before, after] = [text.slice(0, start), text.slice(end)];
  switch (how) {
    case "insert":
      return before + inserted + text.slice(start);
    case "remove":
      return before + after;
    case "double":
      return before + piece + piece + after;
    case "flip":
      return before + String.fromCharCode(text.charCodeAt(start) ^ (1 << (to % 8))) + text.slice(start + 1);
    case "move": {
      const target = Math.floor(to / 10_000 * (before.length + after.length + 1));
      const rest = before + after;
      return rest.slice(0, target) + piece + rest.slice(target);
    }
    default:
      return how satisfies never;
  }
}

const hostileKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...SPECIAL, "a", "b", "x", ""),
  fc.string({ maxLength: 8 }),
);

/** JSON values with hostile keys and numbers. */
export const hostileJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "json" },
    fc.constantFrom<unknown>(null, true, false, 0, -0, 1, -1, 1.5, 1e308, 2 ** 53, 2 ** 31, "", "a", [], {}),
    fc.constantFrom(...SPECIAL),
    fc.string({ maxLength: 12 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(hostileKey, tie("value")), { maxLength: 4 }).map(objectOf),
  ),
})).value;

/** An object with own properties, also where a key is `__proto__`. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [key, value] of entries) setOwn(object, key, value);
  return object;
}

/** One change to a value, somewhere inside of it. */
interface ValueChange {
  readonly path: readonly number[];
  readonly how: "set" | "remove" | "rename" | "double";
  readonly key: string;
  readonly value: unknown;
}

/** Good values after some changes somewhere inside: what is there goes, comes twice, or is something else. */
export function changedValue<T>(good: fc.Arbitrary<T>, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const change: fc.Arbitrary<ValueChange> = fc.record({
    path: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
    how: fc.constantFrom("set", "set", "remove", "rename", "double"),
    key: hostileKey,
    value: values,
  });
  return fc.tuple(good, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) =>
      changes.reduce<unknown>((before, change) => withChange(before, change.path, change), value)
    );
}

function withChange(value: unknown, [step = 0, ...path]: readonly number[], change: ValueChange): unknown {
  if (!isPlain(value)) return change.value;
  const entries = Object.entries(value);
  const at = step % Math.max(1, entries.length);
  const entry = entries[at];
  if (entry === undefined) return change.value;
  const [key, part] = entry;
  const changed = path.length > 0 && isPlain(part)
    ? [[key, withChange(part, path, change)] as const]
    : changedEntry([key, part], change);
  const result = [...entries.slice(0, at), ...changed, ...entries.slice(at + 1)];
  return Array.isArray(value) ? result.map(([, part]) => part) : objectOf(result);
}

function changedEntry(entry: readonly [string, unknown], { how, key, value }: ValueChange) {
  switch (how) {
    case "set":
      return [[entry[0], value] as const];
    case "remove":
      return [];
    case "rename":
      return [[key, entry[1]] as const];
    case "double":
      return [entry, [key, entry[1]] as const];
    default:
      return how satisfies never;
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) ? value.length < 1_000 : Object.getPrototypeOf(value) === Object.prototype;
}

/** A part, many times: what only a bound on depth or size stops. */
export function repeated(parts: readonly string[], max: number): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...parts), fc.integer({ min: 2, max })).map(([part, times]) => part.repeat(times));
}

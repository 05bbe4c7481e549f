import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";

Deno.test("times are read in every form that Go writes", () => {
  const cases = [
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500Z"],
    ["2026-01-02T03:04:05.123999999Z", "2026-01-02T03:04:05.123Z"],
    ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.000Z"],
    ["2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000Z"],
    ["2025-12-31T20:00:00-05:30", "2026-01-01T01:30:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["0099-01-01T00:00:00Z", "0099-01-01T00:00:00.000Z"],
  ] as const;
  for (const [text, utc] of cases) assertEquals(parseRfc3339(text)?.toISOString(), utc);
});

Deno.test("what is not RFC 3339 is not read", () => {
  const cases = ["", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-13-01T00:00:00Z"];
  cases.push("2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-00T00:00:00Z");
  cases.push("2026-01-02T24:00:00Z", "2026-01-02T03:60:00Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z");
  cases.push("2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+1:00", "+012026-01-02T03:04:05Z", "Fri Jan 2 2026");
  for (const text of cases) assertEquals(parseRfc3339(text), undefined, text);
});

Deno.test("times of the years 0 to 9999 survive, others are not written", () => {
  const first = Date.parse("0000-01-01T00:00:00Z");
  const last = Date.parse("9999-12-31T23:59:59.999Z");
  fc.assert(fc.property(fc.integer({ min: first, max: last }), (ms) => {
    assertEquals(parseRfc3339(formatRfc3339(new Date(ms))!)?.getTime(), ms);
  }));
  for (const ms of [first - 1, last + 1, NaN]) assertEquals(formatRfc3339(new Date(ms)), undefined);
});

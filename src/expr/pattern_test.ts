import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compile, ExpressionError } from "./mod.ts";
import { compilePattern, matchPattern } from "./pattern.ts";

class Refused extends Error {}

function matches(pattern: string, text: string): boolean {
  return matchPattern(compilePattern(pattern, (reason) => new Refused(reason)), text, () => {});
}

const MATCHES: readonly (readonly [string, string])[] = [
  ["", ""],
  ["b+", "abbbc"],
  ["^a.c$", "abc"],
  ["a{2,3}b", "xaaab"],
  ["^a{2}$", "aa"],
  ["^a{2,}$", "aaaa"],
  ["^(?:ab|cd)+$", "abcdab"],
  ["^(a|b)*?c$", "ababc"],
  ["^[a-c1-3_-]+$", "a3_-"],
  ["^[^a-c]+$", "xyz"],
  ["^[]a]+$", "]a"],
  ["^[[:alpha:]]+[[:^alpha:]]$", "ab1"],
  ["^\\d+\\s\\w+\\D\\S\\W$", "12 ab_-x!"],
  ["\\bfoo\\b", "a foo b"],
  ["\\Boo", "foo"],
  ["(?i)BiLL", "xbIllx"],
  ["a(?i:B)c", "aBc"],
  ["(?i)straSSe", "STRASSE"],
  ["(?i)[a-z]+Ä", "XYä"],
  ["(?m)^b$", "a\nb\nc"],
  ["(?s)a.b", "a\nb"],
  ["\\Aab\\z", "ab"],
  ["\\Q.*\\E+", "a.***"],
  ["\\x41\\x{1F600}\\t\\.", "A😀\t."],
  ["^.$", "😀"],
  ["^\\pL\\p{Lu}\\P{Greek}\\p{^Latin}$", "äÄaα"],
  ["(?P<year>\\d{4})-(?<month>\\d\\d)", "in 2024-05"],
  ["x{,5}", "x{,5}"],
  ["a||b", ""],
  ["(a*)*b", "aab"],
  ["(|a)+$", "aaa"],
  ["^*a", "a"],
  ["\\012", "\n"],
];

const MISMATCHES: readonly (readonly [string, string])[] = [
  ["^a.c$", "a\nc"],
  ["a(?i:B)c", "aBC"],
  ["^a{2}$", "aaa"],
  ["^[^a]$", "a"],
  ["(?i)[^k]", "K"],
  ["\\bfoo\\b", "afoo"],
  ["^b$", "a\nb"],
  ["a$", "a\n"],
  ["\\p{Greek}", "abc"],
  ["\\d", "٣"],
];

Deno.test("a pattern matches what it matches in RE2", () => {
  for (const [pattern, text] of MATCHES) assertEquals(matches(pattern, text), true, `${pattern} on ${text}`);
  for (const [pattern, text] of MISMATCHES) assertEquals(matches(pattern, text), false, `${pattern} on ${text}`);
});

Deno.test("what is not a pattern of RE2 is refused", () => {
  for (
    const pattern of [
      ...[
        "(",
        ")",
        "a)",
        "(a",
        "[",
        "[a",
        "[b-a]",
        "[[:nope:]]",
        "*",
        "a**",
        "a{2}{3}",
        "a|*",
        "+a",
        "(?:*)",
        "a{1001}",
      ],
      ...[
        "a{3,2}",
        "\\",
        "\\1",
        "(a)\\2",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?>a)",
        "(?x)",
        "(?)",
        "(?P=n)",
        "a++",
      ],
      ...["\\y", "\\p{Nope}", "\\x{110000}", "\\Z", "((a{1000}){1000}){1000}", "((){1000}){1000}", "(".repeat(1_000)],
    ]
  ) {
    assertThrows(() => assertEquals(matches(pattern, ""), null as unknown, `${pattern} is not refused`), Refused);
  }
});

Deno.test("a pattern that makes backtracking engines hang is matched in linear time", () => {
  const payload = { text: "a".repeat(20_000) };
  for (const pattern of ["^(a+)+$", "(a|aa)+b", "(.*)*x", "^(a|a)*b$"]) {
    const matched = compile(`payload.text matches "${pattern}"`).test({ payload });
    assertEquals(matched, pattern === "^(a+)+$", pattern);
  }
});

Deno.test("the work of matching counts as steps", () => {
  const payload = { text: "a".repeat(1_000_000) };
  const error = assertThrows(
    () => compile("payload.text matches '(a{0,100}b){10}'").test({ payload }),
    ExpressionError,
    "too long",
  );
  assertEquals(error.kind, "evaluate");
});

/** Patterns in the part of the syntax that RE2 and ECMAScript have in common. */
const patterns = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\b", "^", "$", "\\w", "é", "😀"),
    fc.array(tie("pattern"), { maxLength: 4 }).map((parts) => parts.join("")),
    fc.array(tie("pattern"), { minLength: 1, maxLength: 3 }).map((parts) => `(?:${parts.join("|")})`),
    fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{0,2}", "{2}", "{1,}", "*?"))
      .map(([body, repetition]) => `(?:${body})${repetition}`),
  ),
})).pattern;

Deno.test("a pattern matches what ECMAScript says, where the two agree on the syntax", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "\n", "é", "😀"), maxLength: 8 });
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      assertEquals(matches(pattern, text), new RegExp(pattern, "u").test(text));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("any text is a pattern or is refused", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab()[]{}|*+?\\^$.-,:12<>=!iPpQEdz"), maxLength: 30 });
  fc.assert(
    fc.property(text, fc.string({ unit: "binary" }), (pattern, subject) => {
      try {
        matches(pattern, subject);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
});

/**
 * From the source of an expression to tokens.
 *
 * @module
 */

import { type ExpressionError, quoted, Site } from "./errors.ts";
import { isSpace } from "./text.ts";

/** A token, with its place in the source. */
export type Token =
  & { readonly start: number; readonly end: number; readonly text: string }
  & (
    | { readonly kind: "number"; readonly value: number }
    | { readonly kind: "string"; readonly value: string }
    | { readonly kind: "name" | "pointer" | "operator" | "end" }
  );

const WORD_OPERATORS: ReadonlySet<string> = new Set([
  ...["not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else"],
]);

/** Longest first, so that the first that fits is the right one. */
const SYMBOLS = [
  ...["===", "!=="],
  ...["&&", "||", "==", "!=", "<=", ">=", "**", "??", "?.", "..", "::"],
  ...[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ":",
    "?",
    ".",
    "|",
    "!",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "=",
    "&",
  ],
];

const NAME = /[\p{L}_$][\p{L}\p{Nd}_$]*/uy;
const NAME_PART = /[\p{L}\p{Nd}_$]/uy;
const PREFIXED_NUMBER = /0(?:[xX][0-9a-fA-F_]*|[oO][0-7_]*|[bB][01_]*)/y;
const DECIMAL_NUMBER = /[0-9_]*(?:\.(?!\.)[0-9_]*)?(?:[eE][+-]?[0-9_]*)?/y;
const INTEGER = /^(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)$/;
const FLOAT = /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const MAX_INTEGER = 2n ** 63n - 1n;

/** All the tokens, the last of kind `end`. Throws {@linkcode ExpressionError}. */
export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = skipBlanks(source, 0); at < source.length;) {
    const token = lexToken(source, at);
    tokens.push(token);
    at = skipBlanks(source, token.end);
  }
  tokens.push({ kind: "end", text: "", start: source.length, end: source.length });
  return tokens;
}

function errorAt(source: string, at: number, reason: string): ExpressionError {
  return new Site(source, at).compileError(reason);
}

/** The offset after blanks and comments. */
function skipBlanks(source: string, start: number): number {
  let at = start;
  while (at < source.length) {
    if (isSpace(source.charCodeAt(at))) {
      at++;
    } else if (source.startsWith("//", at)) {
      const end = source.indexOf("\n", at);
      at = end === -1 ? source.length : end + 1;
    } else if (source.startsWith("/*", at)) {
      const end = source.indexOf("*/", at + 2);
      if (end === -1) throw errorAt(source, at, 'the comment is not closed, expected "*/"');
      at = end + 2;
    } else {
      break;
    }
  }
  return at;
}

function lexToken(source: string, start: number): Token {
  const first = source[start]!;
  if (isDigit(first) || (first === "." && isDigit(source[start + 1]))) return lexNumber(source, start);
  if (first === "'" || first === '"') return lexString(source, start);
  if (first === "`") return lexRawString(source, start);
  if ((first === "b" || first === "B") && /^['"]$/.test(source[start + 1] ?? "")) {
    throw errorAt(source, start, 'byte strings (b"...") are not supported');
  }
  if (first === "#") {
    const name = take(NAME, source, start + 1);
    return { kind: "pointer", text: `#${name}`, start, end: start + 1 + name.length };
  }
  const name = take(NAME, source, start);
  if (name !== "") {
    return { kind: WORD_OPERATORS.has(name) ? "operator" : "name", text: name, start, end: start + name.length };
  }
  const symbol = SYMBOLS.find((text) => source.startsWith(text, start));
  if (symbol !== undefined) return { kind: "operator", text: symbol, start, end: start + symbol.length };
  throw errorAt(source, start, `unexpected character ${quoted(String.fromCodePoint(source.codePointAt(start)!))}`);
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

/** What a sticky pattern takes at an offset; empty if it does not match there. */
function take(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? "";
}

function lexNumber(source: string, start: number): Token {
  const text = take(PREFIXED_NUMBER, source, start) || take(DECIMAL_NUMBER, source, start);
  const end = start + text.length;
  const rest = take(NAME_PART, source, end);
  const digits = text.replaceAll("_", "");
  if (rest !== "" || !(INTEGER.test(digits) || FLOAT.test(digits))) {
    throw errorAt(source, start, `${quoted(text + rest)} is not a number`);
  }
  if (INTEGER.test(digits) && BigInt(digits) > MAX_INTEGER) {
    throw errorAt(source, start, `the integer ${quoted(text)} is too large`);
  }
  const value = Number(digits);
  if (!Number.isFinite(value)) throw errorAt(source, start, `the number ${quoted(text)} is too large`);
  return { kind: "number", value, text, start, end };
}

function lexRawString(source: string, start: number): Token {
  let value = "";
  for (let at = start + 1;;) {
    const end = source.indexOf("`", at);
    if (end === -1) throw errorAt(source, start, "the string is not closed, expected a backtick");
    value += source.slice(at, end);
    if (source[end + 1] !== "`") {
      return { kind: "string", value, text: source.slice(start, end + 1), start, end: end + 1 };
    }
    value += "`";
    at = end + 2;
  }
}

function lexString(source: string, start: number): Token {
  const quote = source[start]!;
  let value = "";
  for (let at = start + 1;;) {
    const character = source[at];
    if (character === undefined || character === "\n") {
      throw errorAt(source, start, `the string is not closed, expected ${quote}`);
    }
    if (character === quote) {
      return { kind: "string", value, text: source.slice(start, at + 1), start, end: at + 1 };
    }
    if (character === "\\") {
      const escape = lexEscape(source, at, quote);
      value += escape.value;
      at = escape.end;
    } else {
      value += character;
      at++;
    }
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

const CODE_ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|([0-7]{3}))/y;

function lexEscape(source: string, start: number, quote: string): { value: string; end: number } {
  const letter = source[start + 1] ?? "";
  if (letter === quote) return { value: quote, end: start + 2 };
  if (Object.hasOwn(SIMPLE_ESCAPES, letter)) return { value: SIMPLE_ESCAPES[letter]!, end: start + 2 };
  CODE_ESCAPE.lastIndex = start;
  const match = CODE_ESCAPE.exec(source);
  const octal = match?.[5];
  const hex = match?.[1] ?? match?.[2] ?? match?.[3] ?? match?.[4];
  const code = octal !== undefined ? parseInt(octal, 8) : parseInt(hex ?? "", 16);
  const valid = octal !== undefined ? code <= 0xff : code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  if (match === null || !valid) {
    throw errorAt(source, start, `${quoted(match?.[0] ?? `\\${letter}`)} is not an escape of a string`);
  }
  return { value: String.fromCodePoint(code), end: start + match[0].length };
}

/**
 * The patterns of `matches`: RE2's syntax, parsed.
 *
 * What cannot be matched in linear time (backreferences, lookaround, possessive repetition) is not in the syntax.
 *
 * @module
 */

import { quoted } from "./errors.ts";
import { MAX_DEPTH, MAX_PATTERN_REPEAT, MAX_SOURCE } from "./limits.ts";

/** A set of characters. */
export interface CharacterSet {
  /** Pairs of the first and the last code point of a range. */
  readonly ranges: readonly number[];
  /** Sets by Unicode property. */
  readonly properties: readonly RegExp[];
  /** Sets within the set, for negated classes such as `\D`. */
  readonly sets: readonly CharacterSet[];
  /** Whether the set is all that it does not name. */
  readonly negated: boolean;
  /** Whether letters stand for both of their cases. */
  readonly folded: boolean;
}

/** What an assertion asserts of the place it is at. */
export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word-boundary" | "no-word-boundary";

/** A pattern. */
export type Pattern =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "choice"; readonly branches: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly body: Pattern; readonly least: number; readonly most: number };

/** The flags `(?i)`, `(?m)`, `(?s)`. */
interface Flags {
  readonly folded: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

const DIGITS = [0x30, 0x39];
const WORDS = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACES = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];
const LETTERS = [0x41, 0x5a, 0x61, 0x7a];

const POSIX_CLASSES: Readonly<Record<string, readonly number[]>> = {
  alnum: [...DIGITS, ...LETTERS],
  alpha: LETTERS,
  ascii: [0x00, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0x00, 0x1f, 0x7f, 0x7f],
  digit: DIGITS,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word: WORDS,
  xdigit: [...DIGITS, 0x41, 0x46, 0x61, 0x66],
};

const CONTROL_ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Parses a pattern; `fail` makes the error that is thrown. */
export function parsePattern(source: string, fail: (reason: string) => Error): Pattern {
  if (source.length > MAX_SOURCE) {
    throw fail(`the pattern is too long: ${source.length} characters, the limit is ${MAX_SOURCE}`);
  }
  return new PatternParser(source, fail).parse();
}

function setOf(ranges: readonly number[], options: Partial<CharacterSet> = {}): CharacterSet {
  return { ranges, properties: [], sets: [], negated: false, folded: false, ...options };
}

class PatternParser {
  readonly #source: string;
  readonly #fail: (reason: string) => Error;
  #at = 0;
  #depth = 0;
  #flags: Flags = { folded: false, multiline: false, dotAll: false };

  constructor(source: string, fail: (reason: string) => Error) {
    this.#source = source;
    this.#fail = (reason) => fail(`the pattern ${quoted(source)} is not valid: ${reason}`);
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#source.length) throw this.#fail('unexpected ")"');
    return pattern;
  }

  #choice(): Pattern {
    if (++this.#depth > MAX_DEPTH) throw this.#fail(`it is nested more than ${MAX_DEPTH} levels deep`);
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    this.#depth--;
    return branches.length === 1 ? branches[0]! : { kind: "choice", branches };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.#source.length && !this.#sees("|") && !this.#sees(")")) {
      const start = this.#at;
      if (this.#repetition() !== undefined) {
        throw this.#fail(`nothing to repeat before ${quoted(this.#source.slice(start, this.#at))}`);
      }
      const atom = this.#atom();
      if (atom !== undefined) parts.push(...(Array.isArray(atom) ? atom : [this.#repeated(atom)]));
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  #repeated(atom: Pattern): Pattern {
    const first = this.#repetition();
    if (first === undefined) return atom;
    const start = this.#at;
    if (this.#repetition() !== undefined) {
      throw this.#fail(`a repetition cannot be repeated: ${quoted(this.#source.slice(start, this.#at))}`);
    }
    return { kind: "repeat", body: atom, least: first[0], most: first[1] };
  }

  /** `*`, `+`, `?`, `{2,3}`, each possibly followed by the `?` that makes it lazy. */
  #repetition(): readonly [number, number] | undefined {
    const match = this.#match(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y);
    if (match === undefined) return undefined;
    const [, symbol, from, comma, to] = match;
    if (symbol !== undefined) return [symbol === "+" ? 1 : 0, symbol === "?" ? 1 : Infinity];
    const least = Number(from);
    const most = comma === undefined ? least : to === "" ? Infinity : Number(to);
    if (least > MAX_PATTERN_REPEAT || (most !== Infinity && most > MAX_PATTERN_REPEAT) || least > most) {
      throw this.#fail(`${quoted(match[0])} is not a repetition, the largest count is ${MAX_PATTERN_REPEAT}`);
    }
    return [least, most];
  }

  /** One thing that may be repeated; several literal characters; nothing for flags. */
  #atom(): Pattern | Pattern[] | undefined {
    if (this.#sees("(")) return this.#group();
    if (this.#sees("[")) return { kind: "set", set: this.#class() };
    if (this.#sees("\\")) return this.#escape();
    if (this.#take(".")) return { kind: "set", set: setOf(this.#flags.dotAll ? [] : [10, 10], { negated: true }) };
    if (this.#take("^")) return assertion(this.#flags.multiline ? "line-start" : "text-start");
    if (this.#take("$")) return assertion(this.#flags.multiline ? "line-end" : "text-end");
    return this.#literal(this.#codePoint());
  }

  #literal(code: number): Pattern {
    return { kind: "set", set: setOf([code, code], { folded: this.#flags.folded }) };
  }

  #group(): Pattern | undefined {
    if (this.#match(/\(\?(?:[=!]|<[=!])/y)) throw this.#fail("lookaround is not supported");
    if (this.#match(/\(\?>/y)) throw this.#fail("atomic groups are not supported");
    const outer = this.#flags;
    const flags = this.#match(/\(\?([imsU]*)(?:-([imsU]+))?([:)])/y);
    if (flags !== undefined) {
      const [, on, off, end] = flags;
      if (end === ")" && on === "" && off === undefined) throw this.#fail('"(?)" has no flag');
      this.#flags = withFlags(withFlags(outer, on!, true), off ?? "", false);
      if (end === ")") return undefined;
    } else if (!this.#match(/\((?:\?P?<[A-Za-z0-9_]+>|(?!\?))/y)) {
      throw this.#fail(`unknown group ${quoted(this.#source.slice(this.#at, this.#at + 4))}`);
    }
    const body = this.#choice();
    if (!this.#take(")")) throw this.#fail('a group is not closed, expected ")"');
    this.#flags = outer;
    return body;
  }

  #escape(): Pattern | Pattern[] {
    if (this.#take("\\A")) return assertion("text-start");
    if (this.#take("\\z")) return assertion("text-end");
    if (this.#take("\\b")) return assertion("word-boundary");
    if (this.#take("\\B")) return assertion("no-word-boundary");
    if (this.#take("\\Q")) {
      const end = this.#source.indexOf("\\E", this.#at);
      const text = this.#source.slice(this.#at, end === -1 ? undefined : end);
      this.#at = end === -1 ? this.#source.length : end + 2;
      const literals = [...text].map((character) => this.#literal(character.codePointAt(0)!));
      const last = literals.pop();
      return last === undefined ? [] : [...literals, this.#repeated(last)];
    }
    const set = this.#setEscape();
    return set !== undefined ? { kind: "set", set } : this.#literal(this.#codeEscape());
  }

  /** `\d`, `\pL`, `\p{Greek}` and their negations. */
  #setEscape(): CharacterSet | undefined {
    const perl = this.#match(/\\([dDwWsS])/y)?.[1];
    if (perl !== undefined) {
      const lower = perl.toLowerCase();
      const ranges = lower === "d" ? DIGITS : lower === "w" ? WORDS : SPACES;
      return setOf(ranges, { negated: perl !== lower, folded: this.#flags.folded });
    }
    const unicode = this.#match(/\\([pP])(?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/y);
    if (unicode === undefined) return undefined;
    const [text, letter, caret, name, short] = unicode;
    const negated = (letter === "P") !== (caret === "^");
    return setOf([], { properties: [this.#property(name ?? short!, text)], negated, folded: this.#flags.folded });
  }

  #property(name: string, text: string): RegExp {
    const property = unicodeProperty(name);
    if (property === undefined) throw this.#fail(`unknown property ${quoted(text)}`);
    return property;
  }

  /** An escape that stands for one character. */
  #codeEscape(): number {
    if (this.#match(/\\[1-9](?![0-7])/y)) throw this.#fail("backreferences are not supported");
    const code = this.#match(/\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|([0-7]{1,3}))/y);
    if (code !== undefined) {
      const value = code[3] !== undefined ? parseInt(code[3], 8) : parseInt(code[1] ?? code[2]!, 16);
      if (value > 0x10ffff) throw this.#fail(`${quoted(code[0])} is not a character`);
      return value;
    }
    const control = this.#match(/\\([afnrtv])/y)?.[1];
    if (control !== undefined) return CONTROL_ESCAPES[control]!;
    const literal = this.#match(/\\([!-/:-@[-`{-~])/y)?.[1];
    if (literal !== undefined) return literal.charCodeAt(0);
    throw this.#fail(`${quoted(this.#source.slice(this.#at, this.#at + 2))} is not an escape`);
  }

  #class(): CharacterSet {
    this.#at++;
    const negated = this.#take("^");
    const ranges: number[] = [];
    const sets: CharacterSet[] = [];
    for (let first = true; first || !this.#sees("]"); first = false) {
      if (this.#at >= this.#source.length) throw this.#fail('a class is not closed, expected "]"');
      const set = this.#posixClass() ?? this.#setEscape();
      if (set !== undefined) {
        sets.push(set);
        continue;
      }
      const from = this.#classCharacter();
      const to = this.#match(/-(?!\])/y) ? this.#classCharacter() : from;
      if (to < from) throw this.#fail("a range of a class ends before it starts");
      ranges.push(from, to);
    }
    this.#at++;
    return setOf(ranges, { sets, negated, folded: this.#flags.folded });
  }

  #posixClass(): CharacterSet | undefined {
    const match = this.#match(/\[:(\^?)([a-z]+):\]/y);
    if (match === undefined) return undefined;
    const name = match[2]!;
    if (!Object.hasOwn(POSIX_CLASSES, name)) throw this.#fail(`unknown class ${quoted(match[0])}`);
    return setOf(POSIX_CLASSES[name]!, { negated: match[1] === "^", folded: this.#flags.folded });
  }

  #classCharacter(): number {
    if (this.#sees("\\")) return this.#codeEscape();
    if (this.#at >= this.#source.length) throw this.#fail('a class is not closed, expected "]"');
    return this.#codePoint();
  }

  #codePoint(): number {
    const code = this.#source.codePointAt(this.#at)!;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #sees(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    const seen = this.#sees(text);
    if (seen) this.#at += text.length;
    return seen;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }
}

/** Making these is slow; there are as many as Unicode has categories and scripts. */
const UNICODE_PROPERTIES = new Map<string, RegExp>();

/** A test of one character, by the name of a general category or of a script. */
function unicodeProperty(name: string): RegExp | undefined {
  const known = UNICODE_PROPERTIES.get(name);
  if (known !== undefined) return known;
  for (const property of [`General_Category=${name}`, `Script=${name}`]) {
    try {
      const test = new RegExp(`^\\p{${property}}$`, "u");
      UNICODE_PROPERTIES.set(name, test);
      return test;
    } catch {
      continue;
    }
  }
  return undefined;
}

function assertion(kind: Assertion): Pattern {
  return { kind: "assertion", assertion: kind };
}

function withFlags(flags: Flags, letters: string, value: boolean): Flags {
  return {
    folded: letters.includes("i") ? value : flags.folded,
    multiline: letters.includes("m") ? value : flags.multiline,
    dotAll: letters.includes("s") ? value : flags.dotAll,
  };
}

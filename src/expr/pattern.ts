/**
 * The patterns of `matches`, run in time linear in the text: all the states a pattern can be in are followed at
 * once (Thompson), so there is nothing to backtrack to.
 *
 * @module
 */

import { quoted } from "./errors.ts";
import { MAX_PATTERN_PROGRAM } from "./limits.ts";
import { type Assertion, type CharacterSet, parsePattern, type Pattern } from "./pattern_parse.ts";

/** One instruction of a program; targets are indexes of instructions. */
type Instruction =
  | { readonly op: "match" }
  | {
    readonly op: "character";
    readonly accepts: (code: number) => boolean;
    readonly cost: number;
    readonly next: number;
  }
  | { readonly op: "assertion"; readonly assertion: Assertion; readonly next: number }
  | { readonly op: "split"; readonly first: number; readonly second: number };

/** A compiled pattern. */
export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  /** Whether the pattern can match only from the start of the text. */
  readonly anchored: boolean;
  /** What compiling it took, in instructions looked at. */
  readonly cost: number;
}

/** Compiles a pattern; `fail` makes the error that is thrown. */
export function compilePattern(source: string, fail: (reason: string) => Error): Program {
  const builder = new Builder(() => fail(`the pattern ${quoted(source)} is too large`));
  const start = builder.build(parsePattern(source, fail), builder.add({ op: "match" }));
  const first = builder.instructions[start];
  const anchored = first?.op === "assertion" && first.assertion === "text-start";
  return { instructions: builder.instructions, start, anchored, cost: builder.cost + source.length };
}

/** Builds a program from its end to its start. */
class Builder {
  readonly instructions: Instruction[] = [];
  cost = 0;
  readonly #tooLarge: () => Error;

  constructor(tooLarge: () => Error) {
    this.#tooLarge = tooLarge;
  }

  add(instruction: Instruction): number {
    if (this.instructions.length >= MAX_PATTERN_PROGRAM) throw this.#tooLarge();
    return this.instructions.push(instruction) - 1;
  }

  /** Adds what matches `pattern` and then goes on at `next`; gives where it starts. */
  build(pattern: Pattern, next: number): number {
    if (++this.cost > 4 * MAX_PATTERN_PROGRAM) throw this.#tooLarge();
    switch (pattern.kind) {
      case "set":
        return this.add({ op: "character", accepts: tester(pattern.set), cost: costOf(pattern.set), next });
      case "assertion":
        return this.add({ op: "assertion", assertion: pattern.assertion, next });
      case "sequence":
        return pattern.parts.reduceRight((following, part) => this.build(part, following), next);
      case "choice":
        return pattern.branches.map((branch) => this.build(branch, next))
          .reduceRight((second, first) => this.add({ op: "split", first, second }));
      case "repeat":
        return this.#repeat(pattern.body, pattern.least, pattern.most, next);
      default:
        return pattern satisfies never;
    }
  }

  #repeat(body: Pattern, least: number, most: number, next: number): number {
    let entry = next;
    if (most === Infinity) {
      entry = this.add({ op: "split", first: next, second: next });
      this.instructions[entry] = { op: "split", first: this.build(body, entry), second: next };
    } else {
      for (let count = least; count < most; count++) {
        entry = this.add({ op: "split", first: this.build(body, entry), second: next });
      }
    }
    for (let count = 0; count < least; count++) entry = this.build(body, entry);
    return entry;
  }
}

function costOf(set: CharacterSet): number {
  return set.sets.reduce((cost, inner) => cost + costOf(inner), 1 + set.properties.length);
}

/** A test of one code point; what it said of ASCII is kept. */
function tester(set: CharacterSet): (code: number) => boolean {
  const [from, to] = set.ranges;
  const single = set.ranges.length === 2 && from === to && set.properties.length === 0 && set.sets.length === 0;
  if (single && !set.folded && !set.negated) return (code) => code === from;
  const ranges = sortedRanges(set.ranges);
  const inner = set.sets.map(tester);
  const known = new Int8Array(128);
  const holds = (code: number) => accepts(set, ranges, inner, code);
  return (code) => {
    if (code >= 128) return holds(code);
    if (known[code] === 0) known[code] = holds(code) ? 1 : -1;
    return known[code] === 1;
  };
}

function accepts(
  set: CharacterSet,
  ranges: readonly number[],
  inner: readonly ((code: number) => boolean)[],
  code: number,
): boolean {
  const named = (candidate: number) =>
    inRanges(ranges, candidate) || set.properties.some((property) => property.test(String.fromCodePoint(candidate)));
  const found = named(code) || inner.some((test) => test(code)) || (set.folded && casesOf(code).some(named));
  return found !== set.negated;
}

/** The other cases of a code point, as far as they are one code point. */
function casesOf(code: number): number[] {
  const character = String.fromCodePoint(code);
  const upper = character.toUpperCase();
  return [upper, upper.toLowerCase(), character.toLowerCase()]
    .filter((other) => other.length === String.fromCodePoint(other.codePointAt(0)!).length)
    .map((other) => other.codePointAt(0)!);
}

/** The same ranges, in order and apart from each other. */
function sortedRanges(ranges: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let index = 0; index < ranges.length; index += 2) pairs.push([ranges[index]!, ranges[index + 1]!]);
  const sorted: number[] = [];
  for (const [from, to] of pairs.sort((left, right) => left[0] - right[0])) {
    const last = sorted.length - 1;
    if (last > 0 && from <= sorted[last]! + 1) sorted[last] = Math.max(sorted[last]!, to);
    else sorted.push(from, to);
  }
  return sorted;
}

function inRanges(ranges: readonly number[], code: number): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < ranges[2 * middle]!) high = middle - 1;
    else if (code > ranges[2 * middle + 1]!) low = middle + 1;
    else return true;
  }
  return false;
}

/** Whether a pattern matches somewhere in a text; `spend` is told of the states visited, and may throw. */
export function matchPattern(program: Program, text: string, spend: (visits: number) => void): boolean {
  const states = new States(program, text);
  spend(program.instructions.length >> 2);
  for (let at = 0;;) {
    if (!program.anchored || at === 0) states.enter(program.start, at);
    if (states.matched) return true;
    spend(states.takeVisits());
    if (at >= text.length || (program.anchored && states.isEmpty())) return false;
    const code = text.codePointAt(at)!;
    at += code > 0xffff ? 2 : 1;
    states.advance(code, at);
  }
}

/** The states a program is in at one place of a text. */
class States {
  matched = false;
  #visits = 0;
  readonly #instructions: readonly Instruction[];
  readonly #text: string;
  /** The character instructions waited at. */
  #waiting: Int32Array;
  #count = 0;
  #before: Int32Array;
  /** For each instruction, the round it was last entered in. */
  readonly #entered: Int32Array;
  #round = 1;
  readonly #stack: number[] = [];

  constructor(program: Program, text: string) {
    this.#instructions = program.instructions;
    this.#text = text;
    this.#waiting = new Int32Array(program.instructions.length);
    this.#before = new Int32Array(program.instructions.length);
    this.#entered = new Int32Array(program.instructions.length);
  }

  isEmpty(): boolean {
    return this.#count === 0;
  }

  takeVisits(): number {
    const visits = this.#visits;
    this.#visits = 0;
    return visits;
  }

  /** Enters an instruction and all that follows from it without a character, at a place of the text. */
  enter(instruction: number, at: number): void {
    const stack = this.#stack;
    stack.push(instruction);
    while (stack.length > 0) {
      const index = stack.pop()!;
      if (this.#entered[index] === this.#round) continue;
      this.#entered[index] = this.#round;
      this.#visits++;
      const found = this.#instructions[index]!;
      switch (found.op) {
        case "match":
          this.matched = true;
          break;
        case "character":
          this.#waiting[this.#count++] = index;
          break;
        case "assertion":
          if (holds(found.assertion, this.#text, at)) stack.push(found.next);
          break;
        case "split":
          stack.push(found.second, found.first);
          break;
        default:
          found satisfies never;
      }
    }
  }

  /** Takes a character, after which the text goes on at `at`. */
  advance(code: number, at: number): void {
    const waiting = this.#waiting;
    const count = this.#count;
    this.#waiting = this.#before;
    this.#before = waiting;
    this.#count = 0;
    this.#round++;
    for (let index = 0; index < count; index++) {
      const instruction = this.#instructions[waiting[index]!]!;
      if (instruction.op !== "character") continue;
      this.#visits += instruction.cost;
      if (instruction.accepts(code)) this.enter(instruction.next, at);
    }
  }
}

function holds(assertion: Assertion, text: string, at: number): boolean {
  switch (assertion) {
    case "text-start":
      return at === 0;
    case "text-end":
      return at === text.length;
    case "line-start":
      return at === 0 || text.charCodeAt(at - 1) === 10;
    case "line-end":
      return at === text.length || text.charCodeAt(at) === 10;
    case "word-boundary":
      return isWord(text, at - 1) !== isWord(text, at);
    case "no-word-boundary":
      return isWord(text, at - 1) === isWord(text, at);
    default:
      return assertion satisfies never;
  }
}

function isWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || code === 0x5f ||
    (code >= 0x61 && code <= 0x7a);
}

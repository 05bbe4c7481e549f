/**
 * Reads a flow written in YAML.
 *
 * Only the plain part of YAML is taken: one document of mappings with string keys, lists and scalars. Tags, anchors,
 * aliases, merge keys and directives are refused, so that what is read is what is written. The lexer and the parser of
 * `yaml` do not recurse, its composer does: nesting is checked between the two.
 *
 * @module
 */

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type ParseOptions,
  Parser,
  Scalar,
  type SchemaOptions,
  type YAMLMap,
} from "yaml";
import { quoted } from "../names.ts";
import type { Problems } from "./problems.ts";
import { MAX_DEPTH, MAX_SOURCE_SIZE, type Place, positionIn, type Value } from "./source.ts";
import { withoutEnvironment } from "./without_environment.ts";

/** Lines are kept unfolded, and keys are checked here: the composer compares each key with each other. */
const OPTIONS: ParseOptions & SchemaOptions & { prettyErrors: boolean } = {
  uniqueKeys: false,
  prettyErrors: false,
  schema: "core",
  strict: true,
};

/** Tokens beside the document's own that are looked at before the rest of a broken text is left alone. */
const MAX_STRAY_TOKENS = 20;

/** Faults of syntax that are reported. */
const MAX_SYNTAX_FAULTS = 3;

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** The text without a byte order mark: lines and columns are counted from what follows it. */
export function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/**
 * Reads a text.
 *
 * @throws {ValidationError} Where it is not YAML, or more of YAML than a flow may use.
 */
export function readYaml(text: string, problems: Problems): Value {
  checkText(text, problems);
  problems.throwIfAny();
  const document = withoutEnvironment(() => compose(text, problems));
  problems.throwIfAny();
  if (document?.contents === undefined || document.contents === null || isEmpty(document.contents)) {
    problems.add({ offset: 0 }, "is empty: a flow needs at least a `name` and `nodes`");
    throw problems.error();
  }
  const value = new Reader(text, problems).read(document.contents, { offset: startOf(document.contents) });
  // A tag shows on its node; what shows on none, as an unknown handle, is only known to the composer.
  if (problems.count === 0) addFaults(faultsOf(document).filter(isOfTag), problems);
  problems.throwIfAny();
  return value;
}

/** Whether a text is larger than a flow may be; known without looking at all of a large one. */
export function isTooLarge(text: string): boolean {
  return text.length > MAX_SOURCE_SIZE || new TextEncoder().encode(text).length > MAX_SOURCE_SIZE;
}

function checkText(text: string, problems: Problems): void {
  const control = CONTROL.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    problems.add({ offset: control.index }, `holds the control character U+${code}, which YAML does not allow`);
  } else if (!text.isWellFormed()) {
    problems.add({ offset: 0 }, "is not well-formed Unicode: it holds half of a surrogate pair");
  }
}

function compose(text: string, problems: Problems): Document.Parsed | undefined {
  const tokens: CST.Token[] = [];
  const documents: Document.Parsed[] = [];
  try {
    if (!parse(text, tokens, problems)) return undefined;
    for (const document of new Composer(OPTIONS).compose(tokens, true, text.length)) {
      if (documents.push(document as Document.Parsed) === 2) break;
    }
  } catch (error) {
    problems.add(
      { offset: 0 },
      `is not YAML: ${error instanceof Error ? oneLine(error.message) : "it cannot be read"}`,
    );
    return undefined;
  }
  const [first, second] = documents;
  addFaults(first === undefined ? [] : faultsOf(first).filter((fault) => !isOfTag(fault)), problems);
  if (second !== undefined && problems.count === 0) {
    problems.add({ offset: secondStart(tokens) }, "a second document begins here: write one flow a file");
  }
  return first;
}

type Fault = Document.Parsed["errors"][number] | Document.Parsed["warnings"][number];

function faultsOf(document: Document.Parsed): Fault[] {
  return [...document.errors, ...document.warnings];
}

function isOfTag({ code }: Fault): boolean {
  return code === "TAG_RESOLVE_FAILED";
}

/** One slip of syntax makes many faults after it: the first few tell. */
function addFaults(faults: readonly Fault[], problems: Problems): void {
  for (const { code, message, pos } of faults.slice(0, MAX_SYNTAX_FAULTS)) {
    problems.add({ offset: pos[0] }, explain(code, message));
  }
}

/** Adds the tokens of the text to `tokens`; `false` where it is nested too deep or uses directives. */
function parse(text: string, tokens: CST.Token[], problems: Problems): boolean {
  const parser = new Parser();
  let strays = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === "directive" && !/^%YAML\s+1\.2\s*$/.test(token.source)) {
        problems.add({ offset: token.offset }, "directives are not supported: remove the line");
        return false;
      }
      if (!EXPECTED.has(token.type) && ++strays > MAX_STRAY_TOKENS) return true;
      tokens.push(token);
    }
    if (depthOf(parser.stack) > MAX_DEPTH) {
      const offset = parser.stack.at(-1)?.offset ?? parser.offset;
      problems.add({ offset }, `is nested too deep: at most ${MAX_DEPTH} levels are allowed`);
      return false;
    }
  }
  tokens.push(...parser.end());
  return true;
}

/** The stack holds the document, the lists and mappings that are open, and then perhaps a scalar. */
function depthOf(stack: readonly CST.Token[]): number {
  const top = stack.at(-1)?.type;
  const isOpen = top === "block-map" || top === "block-seq" || top === "flow-collection";
  return stack.length - (isOpen ? 1 : 2);
}

const EXPECTED: ReadonlySet<string> = new Set([
  "document",
  "directive",
  "comment",
  "space",
  "newline",
  "byte-order-mark",
  "doc-end",
]);

function secondStart(tokens: readonly CST.Token[]): number {
  const documents = tokens.filter((token) => token.type === "document");
  return documents[1]?.offset ?? 0;
}

function explain(code: string, message: string): string {
  if (code === "TAG_RESOLVE_FAILED") return `${NO_TAGS} (${oneLine(message)})`;
  if (code === "TAB_AS_INDENT") return "is indented with a tab: use spaces";
  return `is not YAML: ${oneLine(message)}`;
}

function oneLine(message: string): string {
  const line = message.split("\n")[0]!;
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}

const NO_TAGS = "tags are not supported: write the value plainly, and quote it to make it a string";

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null && node.source === "";
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** Turns the document into values. It recurses at most {@linkcode MAX_DEPTH} deep. */
class Reader {
  readonly #text: string;
  readonly #problems: Problems;

  constructor(text: string, problems: Problems) {
    this.#text = text;
    this.#problems = problems;
  }

  read(node: Node | null, place: Place): Value {
    if (node === null) return { kind: "scalar", value: null, place };
    if (isAlias(node)) {
      this.#problems.add(place, "aliases are not supported: write the value out");
      return { kind: "scalar", value: null, place };
    }
    if (node.tag !== undefined) this.#problems.add(place, NO_TAGS);
    if ("anchor" in node && node.anchor !== undefined) {
      this.#problems.add(place, "anchors are not supported: write the value out where it is needed");
    }
    if (isMap(node)) return this.#readMap(node, place);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.#readChild(item, { parent: place, step: index }));
      return { kind: "list", items, place };
    }
    if (isScalar(node)) return this.#readScalar(node, place);
    return { kind: "other", what: "a value of an unknown kind", place };
  }

  #readChild(item: unknown, place: Place): Value {
    const node = (item ?? null) as Node | null;
    const offset = node === null ? place.offset ?? place.parent?.offset : startOf(node);
    return this.read(node, offset === undefined ? place : { ...place, offset });
  }

  #readMap(map: YAMLMap, place: Place): Value {
    const entries = new Map<string, { key: Place; value: Value }>();
    for (const pair of map.items) {
      const key = this.#readKey(pair.key, place);
      if (key === undefined) continue;
      const earlier = entries.get(key.step as string);
      if (earlier !== undefined) {
        this.#problems.add(key, () => `is given twice, first in line ${this.#lineOf(earlier.key)}: keep one of them`);
        continue;
      }
      entries.set(key.step as string, { key, value: this.#readChild(pair.value, key) });
    }
    return { kind: "table", entries, place };
  }

  #readKey(node: unknown, parent: Place): (Place & { step: string }) | undefined {
    const offset = node === null ? parent.offset : startOf(node as Node);
    const at = offset === undefined ? parent : { ...parent, offset };
    if (!isScalar(node)) {
      this.#problems.add(at, "has a key that is not a string");
      return undefined;
    }
    if (node.tag !== undefined || node.anchor !== undefined) {
      this.#problems.add(at, "has a key with a tag or an anchor: write the key alone");
      return undefined;
    }
    if (typeof node.value !== "string") {
      const written = quoted(node.source ?? "");
      this.#problems.add(at, `has a key that is not a string: ${written}; quote it if it is meant`);
      return undefined;
    }
    if (node.value === "<<" && node.type === Scalar.PLAIN) {
      this.#problems.add(at, "merge keys are not supported: write the fields out");
      return undefined;
    }
    return { parent, step: node.value, ...(offset === undefined ? {} : { offset }) };
  }

  #readScalar(node: Scalar, place: Place): Value {
    const { value } = node;
    if (typeof value === "string") {
      const inside = (line: number, column: number) => offsetInside(this.#text, node, { line, column });
      return { kind: "scalar", value, place: { ...place, inside } };
    }
    if (typeof value === "number" || typeof value === "boolean") {
      return { kind: "scalar", value, place, written: node.source ?? String(value) };
    }
    return { kind: "scalar", value: null, place };
  }

  #lineOf(place: Place): number {
    return positionIn(this.#text, place.offset ?? 0).line;
  }
}

/**
 * The offset in the text of a line and column of a scalar's value, where the value stands in the text as it is: in one
 * line without escapes, or as a literal block.
 */
function offsetInside(text: string, node: Scalar, at: { line: number; column: number }): number | undefined {
  if (node.range === undefined || node.range === null) return undefined;
  const [start, end] = node.range;
  const raw = text.slice(start, end);
  const value = String(node.value);
  if (node.type !== Scalar.BLOCK_LITERAL) {
    const index = raw.indexOf(value);
    return index === -1 || at.line !== 1 ? undefined : start + index + at.column - 1;
  }
  const wanted = value.split("\n")[at.line - 1];
  const rawLines = raw.split("\n");
  const rawLine = rawLines[at.line]?.replace(/\r$/, "");
  if (wanted === undefined || rawLine === undefined || !rawLine.endsWith(wanted)) return undefined;
  const before = rawLines.slice(0, at.line).reduce((sum, line) => sum + line.length + 1, 0);
  return start + before + rawLine.length - wanted.length + at.column - 1;
}

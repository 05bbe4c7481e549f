/**
 * What the checks of the documentation read in a Markdown file: code blocks, headings, links.
 *
 * @module
 */

/** A fenced code block. */
export interface CodeBlock {
  /** The first word after the fence: `ts`. */
  readonly language: string;
  /** The words after it. */
  readonly marks: readonly string[];
  /** What is between the fences. */
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
}

/** A link to something in the same repository. */
export interface Link {
  /** The path, relative to the file; empty for the file itself. */
  readonly path: string;
  /** The anchor, without `#`. */
  readonly anchor: string | undefined;
  /** The line it is in, from 1. */
  readonly line: number;
}

/** A Markdown file. */
export interface Markdown {
  /** The code blocks, in order. */
  readonly blocks: readonly CodeBlock[];
  /** The links that lead nowhere but into the repository. */
  readonly links: readonly Link[];
  /** The anchors there are, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  /** What keeps the file from being read: fences that are indented or never closed. */
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}

const LINK = /!?\[(?:[^\]\\]|\\.)*\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g;
const ATTRIBUTE = /<a\s+(?:name|id)="([^"]+)"/g;

/** Reads a text. */
export function readMarkdown(text: string): Markdown {
  const reader = new Reader();
  for (const [index, line] of text.split(/\r?\n/).entries()) reader.take(line, index + 1);
  return reader.end();
}

class Reader {
  readonly #blocks: CodeBlock[] = [];
  readonly #links: Link[] = [];
  readonly #anchors = new Set<string>();
  readonly #faults: { line: number; message: string }[] = [];
  #open: { fence: string; info: string; line: number; lines: string[] } | undefined;

  take(line: string, number: number): void {
    if (this.#open !== undefined) return this.#inside(line);
    const fence = /^(\s*)(`{3,})\s*([^`]*)$/.exec(line);
    if (fence !== null) return this.#openBlock(fence as unknown as [string, string, string, string], number);
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line);
    if (heading !== null) this.#addAnchor(heading[1]!);
    for (const [, name] of line.matchAll(ATTRIBUTE)) this.#anchors.add(name!);
    for (const [, target] of withoutCode(line).matchAll(LINK)) this.#addLink(target!, number);
  }

  end(): Markdown {
    if (this.#open !== undefined) this.#faults.push({ line: this.#open.line, message: "the code block is not closed" });
    return { blocks: this.#blocks, links: this.#links, anchors: this.#anchors, faults: this.#faults };
  }

  #openBlock([, indent, fence, info]: [string, string, string, string], line: number): void {
    if (indent !== "") this.#faults.push({ line, message: "the code block is indented: its checks would pass it by" });
    this.#open = { fence, info: info.trim(), line, lines: [] };
  }

  #inside(line: string): void {
    const { fence, info, line: start, lines } = this.#open!;
    if (line.trim() !== fence) return void lines.push(line);
    const [language = "", ...marks] = info.split(/\s+/);
    this.#blocks.push({ language, marks, text: lines.map((each) => `${each}\n`).join(""), line: start });
    this.#open = undefined;
  }

  #addLink(target: string, line: number): void {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return;
    const [path = "", anchor] = target.split("#");
    this.#links.push({ path, anchor, line });
  }

  #addAnchor(heading: string): void {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let count = 1; this.#anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    this.#anchors.add(anchor);
  }
}

/** The anchor that GitHub gives a heading. */
export function slugOf(heading: string): string {
  return heading.replaceAll(LINK, (link) => link.slice(link.indexOf("[") + 1, link.lastIndexOf("](")))
    .toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
}

function withoutCode(line: string): string {
  return line.replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/g, (code) => "`".repeat(code.length));
}

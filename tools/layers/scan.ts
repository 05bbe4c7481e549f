/** An import or re-export that a file makes. */
export interface ImportSite {
  /** What is imported, as it is written. */
  specifier: string;
  /** The line, from 1. */
  line: number;
}

const KEYWORDS_BEFORE_REGEX = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/;

/**
 * The source with comments and the contents of strings, templates and regular expressions blanked out, so that what
 * is left is code; every character keeps its place. Code inside `${}` of a template stays.
 */
export function maskSource(source: string): string {
  const out = source.split("");
  const templates: number[] = []; // the brace depth at which each open `${` ends
  let depth = 0;
  let at = 0;
  const blank = (end: number) => {
    for (; at < end; at++) if (out[at] !== "\n") out[at] = " ";
  };
  while (at < source.length) {
    const char = source[at]!;
    if (source.startsWith("//", at)) blank(endOf(source, "\n", at));
    else if (source.startsWith("/*", at)) blank(endOf(source, "*/", at + 2) + 2);
    else if (char === '"' || char === "'") {
      at++;
      blank(endOfString(source, char, at));
      at++;
    } else if (char === "`" || (char === "}" && templates.at(-1) === depth)) {
      if (char === "}") templates.pop();
      at++;
      const end = endOfTemplate(source, at);
      blank(end);
      if (source[end] === "$") templates.push(depth);
      at += source[end] === "$" ? 2 : 1;
    } else if (char === "/" && startsRegex(out, at)) {
      at++;
      blank(endOfRegex(source, at));
      at++;
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      at++;
    }
  }
  return out.join("");
}

/** Everything a file imports or re-exports, types included, static and dynamic. */
export function findImports(source: string, masked: string = maskSource(source)): ImportSite[] {
  const pattern = /\b(?:from|import)\s*(?:\(\s*)?(["'])|\bimport\s*\(\s*(?!["'\s])/g;
  return [...masked.matchAll(pattern)].map((match) => {
    const start = match.index + match[0].length;
    const end = match[1] === undefined ? start : endOfString(source, match[1], start);
    return { specifier: source.slice(start, end), line: lineAt(source, match.index) };
  });
}

/** The line of a place in a text, from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function endOf(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end < 0 ? source.length : end;
}

function endOfString(source: string, quote: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== quote && source[at] !== "\n") at += source[at] === "\\" ? 2 : 1;
  return at;
}

function endOfTemplate(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== "`" && !source.startsWith("${", at)) at += source[at] === "\\" ? 2 : 1;
  return at;
}

function endOfRegex(source: string, from: number): number {
  let inClass = false;
  for (let at = from; at < source.length; at++) {
    const char = source[at];
    if (char === "\\") at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "\n" || (char === "/" && !inClass)) return at;
  }
  return source.length;
}

/** Whether a slash begins a regular expression: it does where no value stands before it. */
function startsRegex(masked: string[], at: number): boolean {
  const before = masked.slice(Math.max(0, at - 80), at).join("").trimEnd();
  return before === "" || /[([{,;=:?!&|+\-*%^~<>}]$/.test(before) || KEYWORDS_BEFORE_REGEX.test(before);
}

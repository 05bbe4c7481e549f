/**
 * HTML as tagged templates. Everything put into one is escaped, unless it is HTML made by one.
 *
 * @module
 */

/** What may stand in a template: HTML, or what is escaped as text; nothing for `undefined`, `null` and `false`. */
export type Part = Html | string | number | undefined | null | false | readonly Part[];

/** A piece of HTML that is safe to put into a page. */
export class Html {
  /** Its source. */
  readonly source: string;

  /** @ignore Use {@linkcode markup}, or {@linkcode trusted} for constants. */
  constructor(source: string) {
    this.source = source;
  }

  /** The source. */
  toString(): string {
    return this.source;
  }
}

/**
 * A piece of HTML: what is put in is escaped, in text and in quoted attributes alike.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(String(markup`<b title="${'"'}">${"<i>"}</b>`), '<b title="&quot;">&lt;i&gt;</b>');
 * ```
 */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Html {
  let source = strings[0]!;
  parts.forEach((part, index) => source += render(part) + strings[index + 1]);
  return new Html(source);
}

/** Source that is taken as it is. For constants of this package only: never for anything that comes from outside. */
export function trusted(source: string): Html {
  return new Html(source);
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ESCAPES[character]!);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

function render(part: Part): string {
  if (part === undefined || part === null || part === false) return "";
  if (part instanceof Html) return part.source;
  if (typeof part === "object") return part.map(render).join("");
  return escapeHtml(String(part));
}

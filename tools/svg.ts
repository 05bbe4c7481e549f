/** What the project's plots share: one look, light or dark as the reader's screen is. @module */

/** What a document is made of. */
export interface SvgOptions {
  /** How wide it is. */
  width: number;
  /** How high it is. */
  height: number;
  /** What it shows, for those who do not see it. */
  label: string;
  /** Rules of its own on a light screen. */
  light: readonly string[];
  /** And on a dark one. */
  dark: readonly string[];
}

/** A document of these elements. Text is dark on light or light on dark; `title`, `section` and `faint` are kinds of it. */
export function svgOf(parts: readonly string[], { width, height, label, light, dark }: SvgOptions): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">`,
    "<style>",
    '  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }',
    "  .title { font-size: 15px; font-weight: 600; }",
    "  .section { font-weight: 600; }",
    "  .faint { fill: #59636e; }",
    ...light.map((rule) => `  ${rule}`),
    "  @media (prefers-color-scheme: dark) {",
    "    text { fill: #e6edf3; }",
    "    .faint { fill: #9198a1; }",
    ...dark.map((rule) => `    ${rule}`),
    "  }",
    "</style>",
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** A line of text. */
export function textOf(x: number | string, y: number | string, words: string, kind?: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text${kind === undefined ? "" : ` class="${kind}"`} x="${x}" y="${y}">${escaped}</text>`;
}

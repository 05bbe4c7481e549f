/**
 * A graph as a document of its own.
 *
 * @module
 */

import { GRAPH_STYLE } from "./assets/graph_style.ts";
import { PALETTE } from "./assets/palette.ts";
import { type Html, html, trusted } from "./html.ts";

/** An SVG document that brings its style with it, in light and dark. */
export function svgDocument(svg: Html, nonce: string): string {
  const style = html`<style nonce="${nonce}">${trusted(PALETTE)}${trusted(GRAPH_STYLE)}</style>`;
  const [head, ...rest] = svg.source.split("\n");
  return `${head}${style}${rest.join("\n")}\n`;
}

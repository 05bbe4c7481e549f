/**
 * A graph as a document of its own.
 *
 * @module
 */

import { GRAPH_STYLE } from "./assets/graph_style.ts";
import { PALETTE } from "./assets/palette.ts";
import { type Html, markup, trusted } from "./html.ts";

/** An SVG document that brings its style with it, in light and dark. */
export function svgDocument(svg: Html, nonce: string): string {
  const style = markup`<style nonce="${nonce}">${trusted(PALETTE)}${trusted(GRAPH_STYLE)}</style>`;
  const end = svg.source.indexOf(">") + 1; // of the opening tag, over however many lines
  return `${svg.source.slice(0, end)}${style}${svg.source.slice(end)}\n`;
}

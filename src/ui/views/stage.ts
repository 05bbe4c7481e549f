/**
 * The stage a graph is shown on: it scrolls, and zooms where the script runs.
 *
 * @module
 */

import { type Html, html } from "../html.ts";

/** The stage of a graph and its buttons, by the same id. */
export const stage = {
  /** The graph. */
  view(id: string, graph: Html, isWide = false): Html {
    return html`<div class="stage${
      isWide ? " wide" : ""
    }" id="stage-${id}" tabindex="0" role="region" aria-label="Graph">${graph}</div>`;
  },
  /** The buttons. */
  tools(id: string): Html {
    const button = (factor: string, name: string, sign: string) =>
      html`
        <button type="button" class="quiet" data-zoom="${factor}" aria-controls="stage-${id}"
          aria-label="${name}">${sign}</button>
      `;
    return html`<div class="zoom" role="group" aria-label="Zoom">${button("1.4", "Zoom in", "+")}${
      button("0.714", "Zoom out", "−")
    }${button("0", "Show all", "Fit")}</div>`;
  },
} as const;

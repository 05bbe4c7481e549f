/**
 * The stage a graph is shown on: it scrolls, and zooms where the script runs.
 *
 * @module
 */

import { type Html, markup } from "../html.ts";

/** The stage of a graph and its buttons, by the same id. */
export const stage = {
  /** The graph. */
  view(id: string, graph: Html, { isWide = false, follow = false } = {}): Html {
    return markup`<div class="stage${isWide ? " wide" : ""}" id="stage-${id}"${
      follow && markup` data-follow`
    } tabindex="0" role="region" aria-label="Graph">${graph}</div>`;
  },
  /** The buttons. */
  tools(id: string): Html {
    const button = (factor: string, name: string, sign: string) =>
      markup`<button type="button" class="quiet" data-zoom="${factor}" aria-controls="stage-${id}" aria-label="${name}">${sign}</button>`;
    return markup`<div class="zoom" role="group" aria-label="Zoom">${button("1.4", "Zoom in (+)", "+")}${
      button("0.714", "Zoom out (−)", "−")
    }${button("0", "Fit all", "Fit")}</div>`;
  },
} as const;

/**
 * The frame of every page.
 *
 * @module
 */

import { iconAsset, MARK, scriptAsset, styleAsset } from "../assets/mod.ts";
import { type Html, markup, type Part, trusted } from "../html.ts";
import { link, type Visit } from "../site.ts";

/** What is on a page. */
export interface Page {
  /** Its title. */
  readonly title: string;
  /** The part of the dashboard it belongs to: the path of an entry of the navigation. */
  readonly section?: string;
  /** Its content. */
  readonly content: Part;
  /** Which events make it stale, as parameters of `/api/events`; it is not live where absent. */
  readonly live?: { readonly flow?: string; readonly execution?: string };
}

const SECTIONS: readonly (readonly [string, string])[] = [
  ["/", "Overview"],
  ["/executions", "Executions"],
  ["/flows", "Flows"],
  ["/waiting", "Waiting"],
  ["/schedules", "Schedules"],
  ["/dead-letters", "Dead letters"],
];

/** A whole page. */
export function renderPage(visit: Visit, page: Page): Html {
  const { nonce, site, now } = visit;
  const { title, section, content, live } = page;
  const { namespace } = site.server;
  const events = live === undefined ? undefined : link(visit, "/api/events", { ...live });
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title} · ${namespace}</title>
        <link rel="icon" href="${link(visit, iconAsset.path)}">
        <link rel="stylesheet" href="${link(visit, styleAsset.path)}" nonce="${nonce}">
        <script src="${link(visit, scriptAsset.path)}" nonce="${nonce}" defer></script>
      </head>
      <body data-now="${now.getTime()}" ${events === undefined ? "" : markup` data-events="${events}"`}>
        <a class="skip" href="#main">Skip to content</a>
        <header class="bar">
    <a class="brand" href="${link(visit, "/")}">${trusted(MARK)}packtrail</a>
    <span class="chip" title="Namespace">${namespace}</span>
    <nav aria-label="Main"><ul>${
    SECTIONS.map(([path, name]) => navEntry(visit, path, name, path === section))
  }</ul></nav>
    ${live === undefined ? "" : markup`<span class="live" id="live" role="status"></span>`}
        </header>
        <main id="main" tabindex="-1" ${live === undefined ? "" : markup` data-live`}>
    ${content}
        </main>
      </body>
    </html>`;
}

/** The page as an answer. */
export function pageResponse(visit: Visit, page: Page, status = 200): Response {
  return new Response(renderPage(visit, page).source, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

function navEntry(visit: Visit, path: string, name: string, isCurrent: boolean): Html {
  return markup`<li><a href="${link(visit, path)}"${isCurrent ? markup` aria-current="page"` : ""}>${name}</a></li>`;
}

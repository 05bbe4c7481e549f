/**
 * The assets, as text in modules: a package from a registry and a compiled binary have them without reading files.
 *
 * @module
 */

import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** Something that pages need. */
export interface Asset {
  /** Its path, which changes with what it holds. */
  readonly path: string;
  /** What it is. */
  readonly type: string;
  /** What it holds. */
  readonly text: string;
}

/** The mark: a trail over three stops. */
export const MARK =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d="M5 18.5C5 12 19 13 19 6" fill="none" stroke="#5b8def" stroke-width="2.4" stroke-linecap="round"/><circle cx="5" cy="18.5" r="3" fill="#3fae70"/><circle cx="12" cy="12.2" r="2.6" fill="#e0a33a"/><circle cx="19" cy="5.5" r="3" fill="#5b8def"/></svg>`;

/** The style sheet. */
export const styleAsset: Asset = asset("dashboard", "css", "text/css; charset=utf-8", STYLE);
/** The script. */
export const scriptAsset: Asset = asset("dashboard", "js", "text/javascript; charset=utf-8", SCRIPT);
/** The icon. */
export const iconAsset: Asset = asset("icon", "svg", "image/svg+xml", MARK);

/** All of them. */
export const ASSETS: readonly Asset[] = [styleAsset, scriptAsset, iconAsset];

function asset(name: string, extension: string, type: string, text: string): Asset {
  return { path: `/assets/${name}-${hashOf(text)}.${extension}`, type, text };
}

/** Tells one version of an asset from another (FNV-1a). */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/**
 * Where a task is posted to.
 *
 * @module
 */

import { quoted } from "../names.ts";

/** A URL to post to. */
export interface Endpoint {
  /** The URL. */
  readonly url: URL;
  /** What it is called in errors: without its query, which may hold secrets. */
  readonly name: string;
}

/** Why a target is no URL to post to. */
export interface NoEndpoint {
  /** A sentence for the node's error. */
  readonly problem: string;
}

/**
 * The URL of a target: the target itself, or the path below a base that it is.
 *
 * @param base Ends with a slash; no target leads out of it.
 */
export function endpointOf(target: string, base: URL | undefined): Endpoint | NoEndpoint {
  const relative = base === undefined ? target : target.replace(/^\/+/, "");
  const url = URL.parse(relative, base);
  if (url === null) {
    return { problem: `target ${quoted(target)} is not a URL: use http:// or https://, or set baseUrl` };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { problem: `target ${quoted(target)} is not a URL of http:// or https://` };
  }
  const name = `${url.origin}${url.pathname}`;
  if (url.username !== "" || url.password !== "") {
    return { problem: `target ${name} must hold no user or password: use the option headers` };
  }
  if (base !== undefined && !(url.origin === base.origin && url.pathname.startsWith(base.pathname))) {
    return { problem: `target ${quoted(target)} leads out of ${base.href}` };
  }
  return { url, name };
}

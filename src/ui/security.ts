/**
 * Who may ask, and what browsers may do with the answer.
 *
 * - S1. The `Host` must be one we are known by: a name that an attacker points at us (DNS rebinding) is refused.
 * - S2. Other sites get nothing: a request that a browser says another origin makes is refused, on every route, but for
 *   a person who follows a link to a page.
 * - S3. What changes something must say that it comes from here, or bear the token.
 * - S4. The token is compared in constant time; the cookie holds a digest of it, not the token.
 * - S5. Pages run one script and one style sheet of ours, by a nonce, and cannot be framed.
 * - S6. Without a token, who is known to ask from another machine gets nothing: a `Host` says only what they want it to.
 *
 * @module
 */

import type { CheckedOptions } from "./options.ts";
import { isLoopback } from "./loopback.ts";
import { Problem } from "./problem.ts";

/** The cookie that holds the digest of the token. */
const COOKIE = "packtrail_session";

/** Checks requests. */
export class Guard {
  readonly #options: CheckedOptions;
  readonly #secret: Promise<{ token: string; cookie: string }> | undefined;

  /** Creates the guard. */
  constructor(options: CheckedOptions) {
    this.#options = options;
    const { token } = options;
    if (token !== undefined) {
      this.#secret = Promise.all([digest(`token:${token}`), digest(`cookie:${token}`)])
        .then(([token, cookie]) => ({ token, cookie }));
    }
  }

  /** Whether a token is asked for. */
  get asksForToken(): boolean {
    return this.#secret !== undefined;
  }

  /** Refuses another machine where no token is asked for (S6). @throws {Problem} */
  checkPeer(info: unknown): void {
    const peer = peerOf(info);
    if (this.asksForToken || peer === undefined || isLoopback(peer)) return;
    throw new Problem(403, "FORBIDDEN", `without a token only this machine may ask, ${peer} may not: set a token`);
  }

  /** Refuses what comes by a wrong name, or from another site (S1, S2). @throws {Problem} */
  checkOrigin(request: Request, url: URL): void {
    const host = request.headers.get("host") ?? url.host;
    if (!this.#isOurs(host) || !this.#isOurs(url.host)) {
      throw new Problem(403, "FORBIDDEN", `the dashboard is not known as ${JSON.stringify(host)}: allow that host`);
    }
    const { headers, method } = request;
    const origin = headers.get("origin");
    if (origin !== null && !isSameHost(origin, host)) throw foreign();
    const site = headers.get("sec-fetch-site");
    if (site === null || site === "same-origin" || site === "none") return;
    const isFollowedLink = method === "GET" && headers.get("sec-fetch-mode") === "navigate" &&
      headers.get("sec-fetch-dest") === "document";
    if (!isFollowedLink) throw foreign();
  }

  /** Refuses a change that does not say it comes from here (S3). @throws {Problem} */
  async checkChange(request: Request): Promise<void> {
    const { headers } = request;
    if (headers.get("sec-fetch-site") === "same-origin" || headers.get("origin") !== null) return;
    if (this.#secret !== undefined && await this.#bearsToken(request)) return;
    throw new Problem(403, "FORBIDDEN", "a change needs an Origin header, or the token as Authorization: Bearer");
  }

  /** Whether the request may see anything (S4). */
  async isAllowed(request: Request): Promise<boolean> {
    if (this.#secret === undefined || await this.#bearsToken(request)) return true;
    const cookie = cookieOf(request);
    return cookie !== undefined && isEqual(await digest(cookie), await digest((await this.#secret).cookie));
  }

  /** Whether a token is the right one (S4). */
  async isToken(token: string): Promise<boolean> {
    return this.#secret !== undefined && isEqual(await digest(`token:${token}`), (await this.#secret).token);
  }

  /** The header that keeps somebody signed in; with no age, until the browser is closed. */
  async sessionCookie(url: URL): Promise<string> {
    const value = (await this.#secret)?.cookie ?? "";
    const secure = url.protocol === "https:" ? "; Secure" : "";
    return `${COOKIE}=${value}; HttpOnly; SameSite=Lax; Path=${this.#options.basePath}/${secure}`;
  }

  async #bearsToken(request: Request): Promise<boolean> {
    const match = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "");
    return match !== null && await this.isToken(match[1]!);
  }

  #isOurs(host: string): boolean {
    const name = host.toLowerCase();
    return this.#options.hosts.has(name) || this.#options.hosts.has(name.replace(/:\d+$/, ""));
  }
}

/** The headers of every answer (S5). */
export function securityHeaders(nonce: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
}

/** A number used once. */
export function newNonce(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18))));
}

/** The address of who asks, where `Deno.serve` tells it: a socket of a file system has none, others tell otherwise. */
function peerOf(info: unknown): string | undefined {
  const { remoteAddr } = (info ?? {}) as { remoteAddr?: { hostname?: unknown } | null };
  const hostname = remoteAddr?.hostname;
  return typeof hostname === "string" ? hostname : undefined;
}

function foreign(): Problem {
  return new Problem(403, "FORBIDDEN", "requests from other sites are refused");
}

/** Whether an origin is that of a host. The scheme may differ: a proxy may take TLS off before us. */
function isSameHost(origin: string, host: string): boolean {
  try {
    const { protocol, host: own } = new URL(origin);
    return /^https?:$/.test(protocol) && own === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
}

function cookieOf(request: Request): string | undefined {
  for (const part of (request.headers.get("cookie") ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === COOKIE && value) return value;
  }
  return undefined;
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`packtrail ${text}`)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares digests, which have the same length, without telling by the time it takes where they differ. */
function isEqual(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}

/**
 * The dashboard as a plain handler of requests.
 *
 * @module
 */

import type { Server } from "../../mod.ts";
import { json } from "./api.ts";
import { type Asset, ASSETS } from "./assets/mod.ts";
import { formBody } from "./body.ts";
import { Counter } from "./counts.ts";
import { Live } from "./live.ts";
import { checkOptions, type DashboardOptions } from "./options.ts";
import { Problem, problemOf } from "./problem.ts";
import { findRoute } from "./routes.ts";
import { Guard, newNonce, securityHeaders } from "./security.ts";
import { link, type Site, type Visit } from "./site.ts";
import { problemPage, signInPage } from "./views/notice.ts";

/**
 * Answers requests of the dashboard. `info` is what `Deno.serve` gives beside a request: where it names a peer that is
 * not on this machine, and there is no token, the answer is 403. Whatever else it is, it is not looked at.
 */
export type DashboardHandler = (request: Request, info?: unknown) => Promise<Response>;

/**
 * A web dashboard for a namespace: pages, a JSON API, live events and metrics, as a handler to mount where you like.
 * It only reads, unless `allowActions` is set, and needs no engine and no flow source.
 *
 * It does not choose the address, {@linkcode serveDashboard} does and checks it: without a `token`, listen on a loopback
 * address only.
 *
 * @param server The server of the namespace; it stays the caller's.
 * @throws {ValidationError} Where an option is not valid.
 *
 * @example
 * ```ts no-eval
 * import { createServer } from "@packtrail/core";
 * import { dashboard } from "@packtrail/core/ui";
 * import { connect } from "@nats-io/transport-deno";
 *
 * const server = await createServer(await connect({ servers: "127.0.0.1:4222" }));
 * Deno.serve({ hostname: "127.0.0.1", port: 8088 }, dashboard(server));
 * ```
 */
export function dashboard(server: Server, options: DashboardOptions = {}): DashboardHandler {
  const checked = checkOptions(options);
  const { signal = new AbortController().signal, onError } = checked;
  const site: Site = {
    server,
    options: checked,
    live: new Live(server, { signal, onError }),
    counter: new Counter(server),
    guard: new Guard(checked),
  };
  return async (request, info) => {
    const nonce = newNonce();
    const response = await answer(site, request, { info, nonce });
    for (const [name, value] of Object.entries(securityHeaders(nonce))) response.headers.set(name, value);
    return request.method === "HEAD" ? new Response(null, response) : response;
  };
}

async function answer(
  site: Site,
  request: Request,
  { info, nonce }: { info: unknown; nonce: string },
): Promise<Response> {
  const url = new URL(request.url);
  const path = pathOf(site, url);
  const visit: Visit = { site, request, path, query: url.searchParams, nonce, params: {}, now: new Date() };
  try {
    site.guard.checkPeer(info);
    site.guard.checkOrigin(request, url);
    if (url.pathname === site.options.basePath && site.options.basePath !== "") {
      return new Response(null, { status: 308, headers: { location: link(visit, "/") } });
    }
    return await route(visit, url);
  } catch (error) {
    const problem = problemOf(error);
    if (problem.status >= 500 && !(error instanceof Problem)) site.options.onError(error);
    return refusal(visit, problem);
  }
}

async function route(visit: Visit, url: URL): Promise<Response> {
  const { site, request, path } = visit;
  const method = request.method === "HEAD" ? "GET" : request.method;
  const asset = ASSETS.find((asset) => asset.path === path);
  if (asset !== undefined && method === "GET") return assetResponse(asset);
  if (path === "/sign-in" && site.guard.asksForToken && method === "POST") return await signIn(visit, url);
  if (path !== "/healthz" && !await site.guard.isAllowed(request)) throw unauthorized();
  const match = findRoute(path, site.options.allowActions);
  if (match === undefined) throw new Problem(404, "NOT_FOUND", `there is nothing at ${path}`);
  const handler = method === "GET" || method === "POST" ? match.handlers[method] : undefined;
  if (handler === undefined) {
    const allow = Object.keys(match.handlers).flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]).join(", ");
    throw new Problem(405, "METHOD_NOT_ALLOWED", `${request.method} is not for ${path}: use ${allow}`, { allow });
  }
  if (request.method === "HEAD" && path === "/api/events") return new Response(null);
  if (method === "POST") await site.guard.checkChange(request);
  return await handler({ ...visit, params: match.params });
}

async function signIn(visit: Visit, url: URL): Promise<Response> {
  const { guard } = visit.site;
  await guard.checkChange(visit.request);
  const form = await formBody(visit.request);
  if (!await guard.isToken(form.get("token") ?? "")) return signInPage(visit, "That is not the token.");
  const to = form.get("to") ?? "/";
  const path = /^\/(?![/\\])/.test(to) && to !== "/sign-in" ? to : "/";
  const location = `${visit.site.options.basePath}${path}`;
  return new Response(null, { status: 303, headers: { location, "set-cookie": await guard.sessionCookie(url) } });
}

/** The path below where the handler is mounted. */
function pathOf({ options }: Site, { pathname }: URL): string {
  const { basePath } = options;
  if (basePath === "") return pathname;
  return pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : "/-";
}

function refusal(visit: Visit, problem: Problem): Response {
  const response = isForPeople(visit)
    ? pageOf(visit, problem)
    : json({ error: problem.message, code: problem.code }, {}, problem.status);
  for (const [name, value] of Object.entries(problem.headers)) response.headers.set(name, value);
  return response;
}

function pageOf(visit: Visit, problem: Problem): Response {
  return problem.code === "UNAUTHORIZED" ? signInPage(visit) : problemPage(visit, problem);
}

function isForPeople({ path, request }: Visit): boolean {
  if (path.startsWith("/api/") || path === "/metrics" || path === "/healthz") return false;
  return (request.headers.get("accept") ?? "text/html").includes("text/html");
}

function unauthorized(): Problem {
  const headers = { "www-authenticate": `Bearer realm="packtrail"` };
  return new Problem(401, "UNAUTHORIZED", "this dashboard asks for a token: Authorization: Bearer", headers);
}

function assetResponse({ text, type }: Asset): Response {
  return new Response(text, {
    headers: { "content-type": type, "cache-control": "public, max-age=31536000, immutable" },
  });
}

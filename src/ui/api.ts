/**
 * The HTTP API: JSON in snake_case.
 *
 * @module
 */

import { NotFoundError } from "../../mod.ts";
import { drawFlow } from "./graph/svg.ts";
import { layOut } from "./graph/layout.ts";
import { shownLetter } from "./letters.ts";
import { checkKnown, numberParam, pathName } from "./params.ts";
import { badRequest } from "./problem.ts";
import { filterOf, findExecutions } from "./search.ts";
import { link, type Visit } from "./site.ts";
import { svgDocument } from "./svg_document.ts";
import { contextWire, deadLetterWire, eventWire, executionWire, scheduleWire, snakeKeys, summaryWire } from "./wire.ts";

const DEFAULT_LIMIT = 100;
const MAX_HISTORY = 10_000;
const MAX_LETTERS = 1_000;

/** `GET /api/flows`: the names. */
export async function flowsApi({ site, query }: Visit): Promise<Response> {
  checkKnown(query, []);
  return json(await site.server.listFlows());
}

/** `GET /api/flows/{name}`: the graph, the newest or that of a `definition`. */
export async function flowApi({ site, params, query }: Visit): Promise<Response> {
  checkKnown(query, ["definition"]);
  const name = pathName(params.name!, "name");
  return json(snakeKeys(await site.server.flowGraph(name, definitionOf(query))));
}

/** `GET /api/flows/{name}.svg`: the graph as a picture. */
export async function flowSvg({ site, params, query, nonce }: Visit): Promise<Response> {
  checkKnown(query, ["definition", "direction"]);
  const name = pathName(params.name!, "name");
  const direction = query.get("direction") || "down";
  if (direction !== "down" && direction !== "right") throw badRequest("direction: is neither down nor right");
  const graph = await site.server.flowGraph(name, definitionOf(query));
  const svg = svgDocument(drawFlow(graph, layOut(graph, { direction })), nonce);
  return new Response(svg, {
    headers: { "content-type": "image/svg+xml; charset=utf-8", "cache-control": "no-cache" },
  });
}

/** `GET /api/executions`: newest change first; the `Link` header names the next page. */
export async function executionsApi(visit: Visit): Promise<Response> {
  const { site, query, now } = visit;
  const found = await findExecutions(site.server, filterOf(query, now, DEFAULT_LIMIT));
  const next = Object.fromEntries(query);
  const headers: Record<string, string> = found.next === undefined
    ? {}
    : { link: `<${link(visit, "/api/executions", { ...next, before: found.next })}>; rel="next"` };
  return json(found.events.map(summaryWire), headers);
}

/** `GET /api/executions/{id}`. */
export async function executionApi({ site, params, query }: Visit): Promise<Response> {
  checkKnown(query, []);
  const { server, options } = site;
  return json(executionWire(await server.get(pathName(params.id!, "id")), options.redact));
}

/** `GET /api/executions/{id}/results`: input, payload, results, signals, branches. */
export async function resultsApi({ site, params, query }: Visit): Promise<Response> {
  checkKnown(query, []);
  const { server, options } = site;
  return json(contextWire(await server.results(pathName(params.id!, "id")), options.redact));
}

/** `GET /api/executions/{id}/history`: oldest first; the latest `limit`. */
export async function historyApi({ site, params, query }: Visit): Promise<Response> {
  checkKnown(query, ["limit"]);
  const id = pathName(params.id!, "id");
  const limit = numberParam(query, "limit", [1, MAX_HISTORY]) ?? MAX_HISTORY;
  const events = await site.server.history(id, { limit });
  if (events.length === 0) throw new NotFoundError(`there is no execution ${id}`);
  return json(events.map(eventWire));
}

/** `GET /api/deadletters`: how many there are, and the latest. */
export async function deadLettersApi({ site, query }: Visit): Promise<Response> {
  checkKnown(query, ["limit"]);
  const { server, options } = site;
  const limit = numberParam(query, "limit", [1, MAX_LETTERS]) ?? DEFAULT_LIMIT;
  const [{ deadLetters: count }, letters] = await Promise.all([server.backlog(), server.deadLetters({ limit })]);
  return json({ count, recent: letters.map((letter) => deadLetterWire(shownLetter(letter, options))) });
}

/** `GET /api/counts`: executions by flow and status. */
export async function countsApi({ site, query }: Visit): Promise<Response> {
  checkKnown(query, []);
  return json(await site.server.counts());
}

/** `GET /api/schedules`. */
export async function schedulesApi({ site, query }: Visit): Promise<Response> {
  checkKnown(query, []);
  const { server, options } = site;
  return json((await server.schedules()).map((schedule) => scheduleWire(schedule, options.redact)));
}

/** `GET /healthz`: whether the namespace can be read. Says no more than that, so it asks for no token. */
export async function health({ site, query }: Visit): Promise<Response> {
  checkKnown(query, []);
  try {
    await site.server.recent({ limit: 1 });
    return json({ status: "ok" });
  } catch (error) {
    site.options.onError(error);
    return json({ status: "unavailable" }, {}, 503);
  }
}

/** An answer in JSON. */
export function json(value: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
  });
}

function definitionOf(query: URLSearchParams): { definition?: string } {
  const value = query.get("definition");
  return value ? { definition: pathName(value, "definition") } : {};
}

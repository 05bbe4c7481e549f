/**
 * The actions: what changes something. Their routes exist only where they are allowed.
 *
 * @module
 */

import type { Json, JsonObject } from "../../mod.ts";
import { json } from "./api.ts";
import { isObject, jsonBody } from "./body.ts";
import { pathName } from "./params.ts";
import { badRequest } from "./problem.ts";
import type { Visit } from "./site.ts";

/** `POST /api/executions` with `{flow, payload?, id?}`: starts one. */
export async function startApi({ site, request }: Visit): Promise<Response> {
  const { flow, payload, id } = known(await jsonBody(request), ["flow", "payload", "id"]);
  if (typeof flow !== "string") throw badRequest("flow: must be a name");
  if (payload !== undefined && !isObject(payload)) throw badRequest("payload: must be a JSON object");
  if (id !== undefined && typeof id !== "string") throw badRequest("id: must be a name");
  return json({ id: await site.server.start(flow, payload, id === undefined ? {} : { id }) }, {}, 201);
}

/** `POST /api/executions/{id}/signal` with `{name, payload?}`. */
export async function signalApi({ site, request, params }: Visit): Promise<Response> {
  const { name, payload } = known(await jsonBody(request), ["name", "payload"]);
  if (typeof name !== "string") throw badRequest("name: must be a name");
  await site.server.signal(pathName(params.id!, "id"), name, payload);
  return json({ status: "sent" }, {}, 202);
}

/** `POST /api/executions/{id}/resume`. */
export async function resumeApi({ site, request, params }: Visit): Promise<Response> {
  known(await jsonBody(request), []);
  await site.server.resume(pathName(params.id!, "id"));
  return json({ status: "resumed" });
}

/** `POST /api/executions/{id}/cancel` with `{reason?}`. */
export async function cancelApi({ site, request, params }: Visit): Promise<Response> {
  const { reason } = known(await jsonBody(request), ["reason"]);
  if (reason !== undefined && typeof reason !== "string") throw badRequest("reason: must be a text");
  const id = pathName(params.id!, "id");
  await site.server.get(id);
  await site.server.cancel(id, reason);
  return json({ status: "cancelled" });
}

/** `POST /api/deadletters/{sequence}/redrive`. */
export async function redriveApi({ site, request, params }: Visit): Promise<Response> {
  known(await jsonBody(request), []);
  await site.server.redrive(sequenceOf(params.sequence!));
  return json({ status: "redriven" });
}

/** `POST /api/deadletters/{sequence}/discard`. */
export async function discardApi({ site, request, params }: Visit): Promise<Response> {
  known(await jsonBody(request), []);
  await site.server.discard(sequenceOf(params.sequence!));
  return json({ status: "discarded" });
}

/** The number of a dead letter in a path. */
export function sequenceOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`sequence: ${JSON.stringify(text.slice(0, 40))} is not a number`);
  return Number(text);
}

function known(body: JsonObject, fields: readonly string[]): Record<string, Json | undefined> {
  for (const key of Object.keys(body)) {
    if (!fields.includes(key)) throw badRequest(`unknown field ${JSON.stringify(key.slice(0, 80))}`);
  }
  return body;
}

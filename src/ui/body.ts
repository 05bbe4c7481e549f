/**
 * Bodies of requests, bounded.
 *
 * @module
 */

import type { Json, JsonObject } from "../../mod.ts";
import { badRequest, Problem } from "./problem.ts";

const MAX_BYTES = 2 * 1024 * 1024;

/** The fields of a form. @throws {Problem} */
export async function formBody(request: Request): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\b/.test(request.headers.get("content-type") ?? "")) {
    throw badRequest("the body must be a form");
  }
  return new URLSearchParams(await text(request));
}

/** A JSON object, or `{}` where there is no body. @throws {Problem} */
export async function jsonBody(request: Request): Promise<JsonObject> {
  const body = await text(request);
  if (body.trim() === "") return {};
  const value = parseJson(body, "the body");
  if (!isObject(value)) throw badRequest("the body must be a JSON object");
  return value;
}

/** A JSON value in a field of a form; `undefined` where the field is empty. @throws {Problem} */
export function parseJson(source: string, what: string): Json {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw badRequest(`${what} is not JSON: ${(error as Error).message}`);
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function text(request: Request): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Problem(413, "PAYLOAD_TOO_LARGE", `the body is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return await new Blob(chunks).text();
}

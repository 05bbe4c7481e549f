/**
 * State as text: the body of a head message.
 *
 * Bodies come from a stream that others might have written to: a body is checked before it is believed.
 *
 * @module
 */

import { isName, quoted } from "../names.ts";
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { isPhase, SCHEMA, type State } from "./state.ts";
import type { TrailEntry } from "./trail.ts";

/** A body that is not a state this code can work with. */
export class StateFormatError extends Error {
  /** Creates the error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StateFormatError";
  }
}

const BRANCH_STATUSES: ReadonlySet<Json | undefined> = new Set(["pending", "completed", "failed"]);
const WAITS: ReadonlySet<Json | undefined> = new Set(["signal", "activity", "retry", "join"]);

/** A state that a newer version of packtrail has written. */
export class NewerFormatError extends StateFormatError {
  /** Creates the error. */
  constructor(message: string) {
    super(message);
    this.name = "NewerFormatError";
  }
}

/** The body of a head message. */
export function encodeState(state: State): string {
  return JSON.stringify(state);
}

/**
 * The state in the body of a head message.
 *
 * @throws {StateFormatError} Where the body is not a state of a version this code knows.
 */
export function decodeState(body: string): State {
  let value: Json;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new StateFormatError(`the head's body is not JSON`, { cause });
  }
  if (!isJsonObject(value)) throw new StateFormatError(`the head's body is not an object`);
  if (value.schema !== SCHEMA) {
    const problem = `the head's format is ${quoted(value.schema)}, this version of packtrail knows ${SCHEMA}`;
    const isNewer = Number.isSafeInteger(value.schema) && (value.schema as number) > SCHEMA;
    throw isNewer ? new NewerFormatError(`${problem}: run a newer engine`) : new StateFormatError(problem);
  }
  const problem = problemOf(value);
  if (problem !== undefined) throw new StateFormatError(`the head's body has a bad field ${problem}`);
  return value as unknown as State;
}

/** Whether a value is an entry of a trail; trails come from streams that others might have written to. */
export function isTrailEntry(value: unknown): value is TrailEntry {
  if (!Array.isArray(value)) return false;
  const [revision, phase, node, attempt, elapsedMs, error, path] = value;
  return Number.isSafeInteger(revision) && isPhase(phase) && phase !== "due" && typeof node === "string" &&
    Number.isSafeInteger(attempt) && typeof elapsedMs === "number" &&
    (error === undefined || error === null || typeof error === "string") &&
    (path === undefined || Array.isArray(path) && path.every((id) => typeof id === "string"));
}

function problemOf(state: JsonObject): string | undefined {
  if (!isName(state.id)) return "id";
  if (!isName(state.flow)) return "flow";
  if (typeof state.definition !== "string") return "definition";
  if (!isPhase(state.phase) || state.phase === "due") return "phase";
  if (!isName(state.node)) return "node";
  for (const field of ["version", "generation", "attempt", "inlineBytes"]) {
    if (!Number.isSafeInteger(state[field]) || (state[field] as number) < 0) return field;
  }
  for (const field of ["startedAt", "updatedAt"]) if (!isTime(state[field])) return field;
  if (state.alarm !== undefined && !isTime(state.alarm)) return "alarm";
  if (!isStored(state.input)) return "input";
  if (!isPayloadSource(state.payload)) return "payload";
  if (!isJsonObject(state.results) || !Object.values(state.results).every(isStored)) return "results";
  if (state.signals !== undefined && !(isJsonObject(state.signals) && Object.values(state.signals).every(isStored))) {
    return "signals";
  }
  if (state.chunks !== undefined && !(Array.isArray(state.chunks) && state.chunks.every(Number.isSafeInteger))) {
    return "chunks";
  }
  if (state.trail !== undefined && !Array.isArray(state.trail)) return "trail";
  if (state.path !== undefined && !isTexts(state.path)) return "path";
  for (const field of ["lastNode", "fanout", "error"]) if (!isOptional(state[field], "string")) return field;
  if (state.consumed !== undefined && !isTable(state.consumed, Number.isSafeInteger)) return "consumed";
  if (state.branches !== undefined && !isTable(state.branches, isBranch)) return "branches";
  return state.wait === undefined || isWait(state.wait) ? undefined : "wait";
}

function isPayloadSource(value: Json | undefined): boolean {
  if (!isJsonObject(value) || !isOptional(value.from, "string")) return false;
  return value.merged === undefined || Array.isArray(value.merged) && value.merged.every(isMerge);
}

function isMerge(value: Json): boolean {
  return isJsonObject(value) && (typeof value.signal === "string" || isTexts(value.branches));
}

function isBranch(value: Json): boolean {
  return isJsonObject(value) && BRANCH_STATUSES.has(value.status) &&
    Number.isSafeInteger(value.attempt) && Number.isSafeInteger(value.generation) &&
    isOptional(value.until, "number") && isOptional(value.error, "string");
}

function isWait(value: Json): boolean {
  if (!isJsonObject(value) || !isOptional(value.until, "number")) return false;
  return WAITS.has(value.kind) && (value.kind !== "signal" || typeof value.signal === "string");
}

function isTable(value: Json, isRight: (part: Json) => boolean): boolean {
  return isJsonObject(value) && Object.values(value).every(isRight);
}

function isTexts(value: Json | undefined): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isOptional(value: Json | undefined, type: "string" | "number"): boolean {
  return value === undefined || typeof value === type;
}

function isTime(value: Json | undefined): boolean {
  return typeof value === "number" && Number.isFinite(value);
}

function isStored(value: Json | undefined): boolean {
  return isJsonObject(value) && (value.value !== undefined || Number.isSafeInteger(value.ref));
}

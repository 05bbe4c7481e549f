/**
 * One head as a message: its body, its subject and the header that its event is made of.
 *
 * @module
 */

import type { MsgHdrs } from "@nats-io/nats-core";
import { decodeState, StateFormatError } from "../core/codec.ts";
import { isPhase, type Phase, type State } from "../core/state.ts";
import { boundedError } from "../core/trail.ts";
import type { Names } from "../names.ts";

/** The header that says of a head what its event needs: one line of JSON. */
export const HEAD_HEADER = "Packtrail-Head";

/** The head of an execution. */
export interface Head {
  /** The state. That of a schedule that has fired has the phase `active`: it is work in hand. */
  readonly state: State;
  /** The phase in the head's subject. */
  readonly phase: Phase;
  /** The phase it was parked in, where it is `due`. */
  readonly parkedAs?: State["phase"];
  /** The sequence of the head's message. */
  readonly revision: number;
  /** The highest sequence of the execution's subjects: what the next write is fenced with. */
  readonly fence: number;
}

/** What a head says of itself in its header, for events. */
export interface HeadNote {
  /** The version. */
  v: number;
  /** The node. */
  n: string;
  /** The attempt. */
  a: number;
  /** The generation. */
  g: number;
  /** When it was written, in milliseconds since the epoch. */
  t: number;
  /** The id of the write. */
  w: string;
  /** The error, bounded. */
  e?: string;
  /** The choices and fan-outs walked through since the last head. */
  p?: readonly string[];
}

/** The head that a message holds. @throws {StateFormatError} Where it holds none. */
export function headOf(subject: string, body: string, sequence: number, names: Names): Head {
  const parsed = names.parseHead(subject);
  if (parsed === undefined || !isPhase(parsed.phase)) {
    throw new StateFormatError(`${subject} is not a head's subject`);
  }
  const state = decodeState(body);
  if (state.id !== parsed.id || state.flow !== parsed.flow) {
    throw new StateFormatError(`the head at ${subject} is of execution ${state.id} of flow ${state.flow}`);
  }
  const { phase } = parsed;
  if (phase !== "due" && phase !== state.phase) {
    throw new StateFormatError(`the head at ${subject} says its phase is ${state.phase}`);
  }
  const head = { phase, revision: sequence, fence: sequence };
  if (phase !== "due") return { ...head, state };
  return { ...head, state: { ...state, phase: "active" }, parkedAs: state.phase };
}

/** Whether a state is later than another of the same id: of a later life, or a higher version of the same. */
export function isNewer(state: State, than: State): boolean {
  return state.startedAt === than.startedAt ? state.version > than.version : state.startedAt > than.startedAt;
}

/** What a head says of itself in its header; `undefined` where it says nothing that makes sense. */
export function parseNote(note: MsgHdrs | undefined): HeadNote | undefined {
  const text = note?.get(HEAD_HEADER);
  if (!text) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isNote(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isNote(value: unknown): value is HeadNote {
  if (typeof value !== "object" || value === null) return false;
  const { v, n, a, t, e, p } = value as Partial<Record<keyof HeadNote, unknown>>;
  return typeof v === "number" && typeof n === "string" && typeof a === "number" && typeof t === "number" &&
    (e === undefined || typeof e === "string") && (p === undefined || isTexts(p));
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

/** What a head says of itself in its header. */
export function noteOf(state: State, write: string): HeadNote {
  const note: HeadNote = {
    v: state.version,
    n: state.node,
    a: state.attempt,
    g: state.generation,
    t: state.updatedAt,
    w: write,
  };
  if (state.error !== undefined) note.e = boundedError(state.error);
  if (state.path !== undefined) note.p = state.path;
  return note;
}

/**
 * A model of the stream that executions live in: one execution's heads by phase, compare-and-set by fence, schedules
 * that the server fires, its consumer's deliveries, and mail. Worlds are values: an operation gives new ones.
 *
 * @module
 */

import type { Event } from "../events.ts";
import { isSchedule, type Phase, type State } from "../state.ts";

/** A head's message. */
export interface Message {
  readonly seq: number;
  readonly state: State;
}

/** A work item of the consumer that was not acked; nobody works on it where it has no holder. */
export interface Delivery {
  readonly seq: number;
  readonly phase: Phase;
  readonly deliveries: number;
  readonly holder?: string;
}

/** A head as it is read: that of a schedule which has fired is work in hand. */
export interface Head {
  readonly phase: Phase;
  readonly state: State;
  readonly revision: number;
  readonly fence: number;
}

/** A piece of mail. */
export interface Letter {
  readonly sequence: number;
  readonly event: Event;
}

/** Everything outside the processes. */
export interface World {
  readonly clock: number;
  readonly last: number;
  /** The last message of each phase; superseded ones stay (R6). */
  readonly heads: Readonly<Partial<Record<Phase, Message>>>;
  readonly work: readonly Delivery[];
  readonly mail: Readonly<Record<string, Letter>>;
  /** How often each attempt was begun. */
  readonly begun: Readonly<Record<string, number>>;
  /** How many writers won each version. */
  readonly winners: Readonly<Record<number, number>>;
  /** How much more of each trouble may come: a schedule that fires while it is cancelled, a crash, an early alarm. */
  readonly left: { readonly stale: number; readonly crash: number; readonly safety: number };
}

/** The message with the highest sequence. */
function top({ heads }: World): Phase | undefined {
  const phases = Object.keys(heads) as Phase[];
  return phases.reduce<Phase | undefined>(
    (best, phase) => best === undefined || heads[phase]!.seq > heads[best]!.seq ? phase : best,
    undefined,
  );
}

/** The head: where a `due` message is on top, the one with the highest version (R2). */
export function readHead(world: World): Head {
  const first = top(world)!;
  let found = first;
  if (first === "due") {
    for (const phase of Object.keys(world.heads) as Phase[]) {
      if (world.heads[phase]!.state.version > world.heads[found]!.state.version) found = phase;
    }
  }
  return headAt(world, found, world.heads[first]!.seq);
}

/** The head that a message is by itself. */
export function headAt({ heads }: World, phase: Phase, fence: number): Head {
  const { seq, state } = heads[phase]!;
  return { phase, state: phase === "due" ? { ...state, phase: "active" } : state, revision: seq, fence };
}

/** A write by compare-and-set: the worlds it can lead to, and the new head; none where it was lost. */
export function write(world: World, next: State, previous: Head): { world: World; head: Head | null }[] {
  if (world.heads[top(world)!]!.seq !== previous.fence) return [{ world, head: null }];
  const isLeft = isSchedule(previous.phase as State["phase"]) && previous.phase !== next.phase;
  const cancelled = isLeft ? world.heads[previous.phase] : undefined;
  const written = published(isLeft ? without(world, previous.phase) : world, next.phase, next);
  const winners = { ...written.winners, [next.version]: (written.winners[next.version] ?? 0) + 1 };
  const head = { phase: next.phase, state: next, revision: written.last, fence: written.last };
  const results = [{ world: { ...written, winners }, head }];
  if (cancelled !== undefined && world.left.stale > 0) {
    // It fired in the instant it was cancelled: the server writes it without any check (R2).
    const left = { ...world.left, stale: world.left.stale - 1 };
    const late = published({ ...written, winners, left }, "due", cancelled.state);
    results.push({ world: late, head });
  }
  return results;
}

/** The server fires a schedule. */
export function fire(world: World, phase: Phase): World {
  const { state } = world.heads[phase]!;
  return { ...published(without(world, phase), "due", state), clock: Math.max(world.clock, state.alarm!) };
}

/** A work item is given to a holder; to nobody where it is taken away from one. */
export function handedOver(world: World, seq: number, holder: string | undefined): World {
  const work = world.work.map((item) => {
    if (item.seq !== seq) return item;
    const { holder: _holder, ...rest } = item;
    return holder === undefined ? rest : { ...rest, holder, deliveries: item.deliveries + 1 };
  });
  return { ...world, work };
}

/** A work item is done. */
export function acked(world: World, seq: number): World {
  return { ...world, work: world.work.filter((item) => item.seq !== seq) };
}

function without(world: World, phase: Phase): World {
  const { [phase]: _gone, ...heads } = world.heads;
  return { ...world, heads };
}

/** A message takes the place of the last one of its subject, and of its delivery. */
function published(world: World, phase: Phase, state: State): World {
  const seq = world.last + 1;
  const work = world.work.filter((item) => item.phase !== phase);
  const isWork = phase === "ready" || phase === "due";
  return {
    ...world,
    last: seq,
    heads: { ...world.heads, [phase]: { seq, state } },
    work: isWork ? [...work, { seq, phase, deliveries: 0 }] : work,
  };
}

/** The world right after a start. */
export function worldOf(first: State, left: World["left"]): World {
  const empty: World = { clock: 0, last: 0, heads: {}, work: [], mail: {}, begun: {}, winners: {}, left };
  return published({ ...empty, winners: { [first.version]: 1 } }, first.phase, first);
}

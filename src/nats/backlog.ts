/**
 * The backlog: what waits to be done, by the server's own counters.
 *
 * @module
 */

import { isNoResponders, isNotFound, type Nats, packtrailError } from "./client.ts";

/** What waits in a flow. */
export interface FlowBacklog {
  /** Steps that are ready and that no engine has taken yet. */
  ready: number;
  /** Steps that an engine is working on. */
  inFlight: number;
  /** Since when the oldest step that is not done is ready. */
  oldestReady?: Date;
  /** Since when the execution that waits longest is waiting. */
  oldestWaiting?: Date;
}

/** What waits in a namespace. */
export interface Backlog {
  /** By flow; only flows that an engine has served. */
  flows: Record<string, FlowBacklog>;
  /** Commands from outside (starts, signals, completions) that no engine has carried out yet. */
  commands: number;
  /** Dead letters that are kept. */
  deadLetters: number;
}

/** Reads the backlog of some flows. */
export async function readBacklog(nats: Nats, flows: readonly string[]): Promise<Backlog> {
  try {
    const [found, commands, deadLetters] = await Promise.all([
      Promise.all(flows.map(async (flow) => [flow, await flowBacklog(nats, flow)] as const)),
      streamSize(nats, nats.names.inboxStream),
      streamSize(nats, nats.names.deadLetterStream),
    ]);
    const served = found.filter((entry): entry is [string, FlowBacklog] => entry[1] !== undefined);
    return { flows: Object.fromEntries(served), commands, deadLetters };
  } catch (error) {
    throw packtrailError(error, "reading the backlog");
  }
}

async function flowBacklog(nats: Nats, flow: string): Promise<FlowBacklog | undefined> {
  const { names, jsm } = nats;
  const stream = names.executionStream();
  const info = await missing(jsm.consumers.info(stream, names.flowConsumer(flow)));
  if (info === undefined) return undefined;
  const isBusy = info.num_pending + info.num_ack_pending > 0;
  const undone = info.ack_floor.stream_seq + 1;
  const [waiting, ...ready] = await Promise.all([
    firstTime(nats, names.headsIn("waiting", flow), 1),
    ...isBusy ? names.work(flow).map((filter) => firstTime(nats, filter, undone)) : [],
  ]);
  const oldest = ready.filter((time) => time !== undefined).sort((left, right) => left.getTime() - right.getTime())[0];
  return {
    ready: info.num_pending,
    inFlight: info.num_ack_pending,
    ...(oldest === undefined ? {} : { oldestReady: oldest }),
    ...(waiting === undefined ? {} : { oldestWaiting: waiting }),
  };
}

/** When the first message that matches a filter was stored, from a sequence on. */
async function firstTime(nats: Nats, filter: string, from: number): Promise<Date | undefined> {
  const query = { seq: from, next_by_subj: filter };
  return (await missing(nats.jsm.direct.getMessage(nats.names.executionStream(), query)))?.time;
}

async function streamSize(nats: Nats, stream: string): Promise<number> {
  return (await missing(nats.jsm.streams.info(stream)))?.state.messages ?? 0;
}

async function missing<T>(asked: Promise<T>): Promise<NonNullable<T> | undefined> {
  try {
    return await asked ?? undefined;
  } catch (error) {
    if (isNotFound(error) || isNoResponders(error) || (error as { code?: unknown }).code === 404) return undefined;
    throw error;
  }
}

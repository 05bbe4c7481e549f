/**
 * The live stream of events for browsers and programs: server-sent events.
 *
 * The id of an event is its revision. Who reconnects with `Last-Event-ID` is sent what has changed since, as far as the
 * latest change of each execution tells it, and is told by an event `missed` where there was more.
 *
 * @module
 */

import type { ExecutionEvent } from "../../mod.ts";
import { checkKnown, nameParam, numberParam } from "./params.ts";
import { Problem } from "./problem.ts";
import type { Visit } from "./site.ts";
import { eventWire } from "./wire.ts";

const HEARTBEAT_MS = 15_000;
const MAX_REPLAY = 1_000;
const MAX_QUEUED = 2_000;
const RETRY_MS = 2_000;

/** Which events somebody wants. */
interface Wanted {
  readonly execution?: string | undefined;
  readonly flow?: string | undefined;
}

/** Answers with events until the client goes away, which it may do before it is answered. */
export async function eventStream(visit: Visit): Promise<Response> {
  const { site: { live, options, server }, request, query } = visit;
  checkKnown(query, ["execution", "flow", "after"]);
  const wanted = { execution: nameParam(query, "execution"), flow: nameParam(query, "flow") };
  const after = lastEventId(request) ?? numberParam(query, "after", [0, Number.MAX_SAFE_INTEGER]);
  if (live.listeners >= options.maxClients) {
    throw new Problem(503, "TOO_MANY_CLIENTS", `there are ${options.maxClients} live connections already`, {
      "retry-after": "10",
    });
  }
  const client = new Client(wanted);
  client.onEnd(live.listen((event) => client.send(event)));
  for (const signal of [request.signal, options.signal]) client.endOn(signal);
  try {
    live.start();
    if (after !== undefined) {
      const flow = wanted.flow === undefined ? {} : { flow: wanted.flow };
      client.replay(await server.recent({ limit: MAX_REPLAY + 1, ...flow }), after);
    }
    client.open();
  } catch (error) {
    client.end();
    throw error;
  }
  return new Response(client.body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}

/** One who listens. What comes before the replay is held back, so that the order is kept. */
class Client {
  readonly body: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #wanted: Wanted;
  readonly #ends: (() => void)[] = [];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #held: ExecutionEvent[] | undefined = [];
  #missed = 0;
  #hasEnded = false;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.#leave(),
    }, new CountQueuingStrategy({ highWaterMark: MAX_QUEUED }));
    this.#write(`retry: ${RETRY_MS}\n\n`);
  }

  /** Runs when it ends, or now where it has. */
  onEnd(run: () => void): void {
    if (this.#hasEnded) run();
    else this.#ends.push(run);
  }

  /** Ends with a signal, which may be aborted already. */
  endOn(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    if (signal.aborted) return this.end();
    const end = () => this.end();
    signal.addEventListener("abort", end, { once: true });
    this.onEnd(() => signal.removeEventListener("abort", end));
  }

  /** Ends: nothing is sent from now on, and the body is over. */
  end(): void {
    if (this.#hasEnded) return;
    this.#leave();
    this.#controller.close();
  }

  send(event: ExecutionEvent): void {
    if (!this.#wants(event)) return;
    if (this.#held !== undefined) {
      if (this.#held.length < MAX_QUEUED) this.#held.push(event);
      else this.#missed++;
      return;
    }
    this.#missed += event.missed ?? 0;
    if ((this.#controller.desiredSize ?? 0) <= 0) {
      this.#missed++;
      return;
    }
    this.#flushMissed();
    this.#write(`id: ${event.revision}\ndata: ${JSON.stringify(eventWire(event))}\n\n`);
  }

  /** Sends what changed after a revision; `recent` is newest first. */
  replay(recent: readonly ExecutionEvent[], after: number): void {
    const later = recent.filter((event) => event.revision > after);
    if (later.length > MAX_REPLAY) {
      later.length = MAX_REPLAY;
      this.#write(`event: missed\ndata: {}\n\n`);
    }
    const held = this.#held!;
    const newest = later[0]?.revision ?? after;
    this.#held = undefined;
    for (const event of later.reverse()) this.send(event);
    this.#held = held.filter((event) => event.revision > newest);
  }

  /** Sends what was held back, and from now on what comes. */
  open(): void {
    const held = this.#held!;
    this.#held = undefined;
    for (const event of held) this.send(event);
    const heartbeat = setInterval(() => {
      if ((this.#controller.desiredSize ?? 0) > 0) this.#write(": still here\n\n");
    }, HEARTBEAT_MS);
    this.onEnd(() => clearInterval(heartbeat));
  }

  #wants({ executionId, flow }: ExecutionEvent): boolean {
    const { execution, flow: only } = this.#wanted;
    return (execution === undefined || execution === executionId) && (only === undefined || only === flow);
  }

  #flushMissed(): void {
    if (this.#missed === 0) return;
    this.#write(`event: missed\ndata: {"count":${this.#missed}}\n\n`);
    this.#missed = 0;
  }

  #write(text: string): void {
    if (this.#hasEnded) return;
    this.#controller.enqueue(this.#encoder.encode(text));
  }

  #leave(): void {
    this.#hasEnded = true;
    for (const run of this.#ends.splice(0)) run();
  }
}

function lastEventId(request: Request): number | undefined {
  const value = request.headers.get("last-event-id");
  return value !== null && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}

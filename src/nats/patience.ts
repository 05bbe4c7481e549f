/**
 * Patience: what an engine cannot do because of the ground it stands on is waited out, not counted against the
 * execution. No answer, no room and no permission are such: they are an operator's to mend, and nothing is lost by
 * holding the work until then.
 *
 * @module
 */

import type { Logger } from "../logger.ts";
import { isPermission, isUnknownOutcome, type Nats } from "./client.ts";
import { isNoRoom } from "./limits.ts";

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** How often the log says of one kind of hindrance that it is still there, in milliseconds. */
const REMIND_MS = 10_000;

/** What hinders. */
export type Hindrance = "permission" | "room" | "answer";

/** Whether an error may pass without anything being wrong with what was to be done. */
export function isPassing(error: unknown): boolean {
  return isUnknownOutcome(error) || isPermission(error) || isNoRoom(error);
}

/** Waits hindrances out, and says so. */
export class Patience {
  readonly #nats: Nats;
  readonly #logger: Logger;
  readonly #toldAt = new Map<string, number>();
  #fullAt: number | undefined;

  /** Creates one that has met no hindrance yet. */
  constructor(nats: Nats, logger: Logger) {
    this.#nats = nats;
    this.#logger = logger;
  }

  /**
   * Runs something again until it works.
   *
   * @param isStopped Ends the trying; the answer is then `undefined`.
   * @throws What `run` throws, where that will not pass, or the connection is closed for good.
   */
  async until<T>(run: () => Promise<T>, isStopped: () => boolean): Promise<T | undefined> {
    for (let pause = FIRST_PAUSE_MS; !isStopped(); pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        return await run();
      } catch (error) {
        if (!isPassing(error) || this.#nats.nc.isClosed()) throw error;
        this.tell(error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
    return undefined;
  }

  /** Whether there was no room, and there has been for a while: says so once. */
  hasRoomAgain(forMs: number): boolean {
    if (this.#fullAt === undefined || performance.now() - this.#fullAt < forMs) return false;
    this.#fullAt = undefined;
    return true;
  }

  /** Says what hinders, now and then: loudly where only an operator can mend it. */
  tell(error: unknown, kind: Hindrance = hindranceOf(error)): void {
    const now = performance.now();
    if (kind === "room") this.#fullAt = now;
    if (now - (this.#toldAt.get(kind) ?? -Infinity) < REMIND_MS) return;
    this.#toldAt.set(kind, now);
    const message = error instanceof Error ? error.message : String(error);
    if (kind === "answer") this.#logger.warn("work waits for the NATS server", { error: message });
    else this.#logger.error("work is held up until this is mended", { error: message });
  }
}

function hindranceOf(error: unknown): Hindrance {
  if (isPermission(error)) return "permission";
  return isNoRoom(error) ? "room" : "answer";
}

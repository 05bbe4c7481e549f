/**
 * Limits of the server: which errors say that one is reached, and what an operator can do about it.
 *
 * @module
 */

import { JetStreamApiError } from "@nats-io/jetstream";

/** Asked for more than the account allows: consumers of a stream, or unacknowledged deliveries of a consumer. */
const BEYOND = { consumers: 10026, acks: 10121 } as const;

/** A message does not fit into a stream's `max_msg_size`. */
const MESSAGE_TOO_LARGE = 10054;

/** There is no room for a message now; there may be later. */
const NO_ROOM: Readonly<Record<number, string>> = {
  10002: "make room in the account, or raise its JetStream limits (max_mem, max_file)",
  10023: "make room in JetStream's store, or raise the server's limits (max_mem_store, max_file_store)",
  10028: "make room in memory, or raise max_mem of the account or max_mem_store of the server",
  10047: "make room on the disk, or raise max_file of the account or max_file_store of the server",
  10077: "the stream is full, or its disk: make room, or raise the stream's limits",
};

/** Something that packtrail needs is more than a limit allows. */
const NOT_ALLOWED: Readonly<Record<number, string>> = {
  [BEYOND.consumers]:
    "raise max_consumers of the account or of the stream: executions need one for each flow and three more",
  10027: "raise max_streams of the account: packtrail needs six, one for the result cache and one for each async kind",
  10113:
    "set max_bytes_required of the account to false, or create the stream yourself with a limit that is large enough",
  [BEYOND.acks]: "raise max_ack_pending of the account",
  [MESSAGE_TOO_LARGE]: "raise max_msg_size of the stream, or lower maxPayloadBytes",
};

/** What to do about a limit that was reached; `undefined` where an error says nothing of the kind. */
export function limitAdvice(error: unknown): string | undefined {
  if (!(error instanceof JetStreamApiError)) return undefined;
  return NO_ROOM[error.code] ?? NOT_ALLOWED[error.code];
}

/** Whether an error says that there is no room for a message: what was asked for was not done, and may be later. */
export function isNoRoom(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof JetStreamApiError) return NO_ROOM[cause.code] !== undefined;
  }
  return false;
}

/** Whether an error says that the account allows less of something than was asked for. */
export function isBeyondLimit(error: unknown, what: keyof typeof BEYOND): boolean {
  return error instanceof JetStreamApiError && error.code === BEYOND[what];
}

/**
 * Backup of a stream of a running server through the JetStream API, as `nats stream backup` and `restore` do it.
 *
 * @module
 */

import type { StreamConfig, StreamState } from "@nats-io/jetstream";
import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import { within } from "./until.ts";

/** A stream as it was: its configuration, what it held, and its files as the server packed them. */
export interface StreamBackup {
  /** The stream's configuration. */
  config: StreamConfig;
  /** What it held. */
  state: StreamState;
  /** The server's archive of it, in order. */
  chunks: Uint8Array[];
}

const PATIENCE_MS = 30_000;

/** Takes a snapshot of a stream, its consumers included. */
export async function backUpStream(nc: NatsConnection, stream: string): Promise<StreamBackup> {
  const chunks: Uint8Array[] = [];
  const whole = Promise.withResolvers<void>();
  const deliver_subject = createInbox();
  const subscription = nc.subscribe(deliver_subject, {
    callback: (error, msg) => {
      if (error) return whole.reject(error);
      if (msg.data.length === 0) return whole.resolve(); // the end
      chunks.push(msg.data.slice());
      msg.respond(); // lets the server send on
    },
  });
  try {
    const { config, state } = await ask(nc, `$JS.API.STREAM.SNAPSHOT.${stream}`, { deliver_subject });
    await within(whole.promise, `the snapshot of ${stream}`, PATIENCE_MS);
    return { config, state, chunks };
  } finally {
    subscription.unsubscribe();
  }
}

/** Makes a stream of a backup; there must be none of its name. */
export async function restoreStream(nc: NatsConnection, { config, state, chunks }: StreamBackup): Promise<void> {
  const { deliver_subject } = await ask(nc, `$JS.API.STREAM.RESTORE.${config.name}`, { config, state });
  for (const chunk of chunks) await nc.request(deliver_subject, chunk, { timeout: PATIENCE_MS });
  const end = await nc.request(deliver_subject, "", { timeout: PATIENCE_MS });
  checked(end.json());
}

interface Answer extends StreamBackup {
  deliver_subject: string;
  error?: { description: string };
}

async function ask(nc: NatsConnection, subject: string, body: unknown): Promise<Answer> {
  const answer = await nc.request(subject, JSON.stringify(body), { timeout: PATIENCE_MS });
  return checked(answer.json<Answer>());
}

function checked(answer: Answer): Answer {
  if (answer.error !== undefined) throw new Error(`the server refused: ${answer.error.description}`);
  return answer;
}

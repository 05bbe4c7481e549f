/**
 * Mail: signals and completions that came before their execution waited for them.
 *
 * - R7: what finds nobody waiting is put here, then the head is read once more; who parks looks here once more. So
 *   neither can miss the other. Each piece carries the inbox sequence it came with: the latest of a name counts, and
 *   what was consumed before is not consumed again.
 *
 * @module
 */

import { headers } from "@nats-io/nats-core";
import { isConflict, isNotFound, type Nats, packtrailError, removeMessage } from "./client.ts";

const SEQUENCE_HEADER = "Packtrail-Sequence";

/** A piece of mail. */
export interface Mail {
  /** The subject it is kept on. */
  readonly subject: string;
  /** The sequence of its message. */
  readonly revision: number;
  /** The inbox sequence it came with. */
  readonly sequence: number;
  /** What it holds, as JSON text. */
  readonly text: string;
}

/** Keeps mail. */
export class Mailbox {
  readonly #nats: Nats;

  /** Creates the mailbox of a namespace. No I/O. */
  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /** Keeps a piece of mail, unless a later one is kept already. */
  async keep(subject: string, text: string, sequence: number): Promise<void> {
    for (let expected = 0;;) {
      const note = headers();
      note.set("Nats-Expected-Last-Subject-Sequence", String(expected));
      note.set(SEQUENCE_HEADER, String(sequence));
      try {
        await this.#nats.js.publish(subject, text, { headers: note });
        return;
      } catch (error) {
        if (!isConflict(error)) throw packtrailError(error, `keeping ${subject}`);
      }
      const kept = await this.find(subject);
      if (kept !== undefined && kept.sequence >= sequence) return;
      expected = kept?.revision ?? 0;
    }
  }

  /** The latest piece of mail that matches a filter. */
  async find(filter: string): Promise<Mail | undefined> {
    try {
      const message = await this.#nats.jsm.streams.getMessage(this.#nats.names.executionStream(), {
        last_by_subj: filter,
      });
      if (message === null) return undefined;
      const sequence = Number(message.header?.get(SEQUENCE_HEADER) || 0);
      return { subject: message.subject, revision: message.seq, sequence, text: message.string() };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw packtrailError(error, `looking for ${filter}`);
    }
  }

  /** Removes the mail of an execution that was kept before a revision. */
  async removeAll(id: string, before: number): Promise<void> {
    const { names } = this.#nats;
    if (await this.find(names.mailOf(id)) === undefined) return;
    for (const subject of await this.subjectsOf(id)) {
      const mail = await this.find(subject);
      if (mail === undefined || mail.revision > before) continue;
      const at = { stream: names.executionStream(id), sequence: mail.revision };
      await removeMessage(this.#nats, at, `removing mail of execution ${id}`);
    }
  }

  /** The subjects of all mail of an execution. */
  async subjectsOf(id: string): Promise<string[]> {
    const { names, jsm } = this.#nats;
    try {
      const info = await jsm.streams.info(names.executionStream(id), { subjects_filter: names.mailOf(id) });
      return Object.keys(info.state.subjects ?? {});
    } catch (error) {
      throw packtrailError(error, `looking for mail of execution ${id}`);
    }
  }

  /** Removes a piece of mail that was consumed. What fails is harmless: it is not consumed twice (R7). */
  remove(mail: Mail): void {
    this.#nats.jsm.streams.deleteMessage(this.#nats.names.executionStream(), mail.revision, false).catch(() => {});
  }
}

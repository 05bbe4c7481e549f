/**
 * The frames of the NATS protocol in a stream of bytes, in either direction, as far as a proxy has to tell them apart.
 *
 * @module
 */

/** One line of the protocol, with its payload where it has one. */
export interface Frame {
  /** The first word of the line. */
  readonly verb: string;
  /** What a message was published to; empty for what is no message. */
  readonly subject: string;
  /** Where an answer to it goes. */
  readonly reply: string | undefined;
  /** All of it, as it came. */
  readonly bytes: Uint8Array;
  /** Where in {@linkcode Frame.bytes} the headers begin, if there are any, or else the body. */
  readonly payloadAt: number;
  /** Where the body begins. */
  readonly bodyAt: number;
}

const CR = 13;
const LF = 10;
const decoder = new TextDecoder();

/** Whether a frame is a message on its way to the client. */
export function isMessage({ verb }: Frame): boolean {
  return verb === "MSG" || verb === "HMSG";
}

/** The body of a message, as text. */
export function bodyOf({ bytes, bodyAt }: Frame): string {
  return decoder.decode(bytes.subarray(bodyAt, bytes.length - 2));
}

/** The headers of a message, as text. */
export function headersOf({ bytes, payloadAt, bodyAt }: Frame): string {
  return decoder.decode(bytes.subarray(payloadAt, bodyAt));
}

/** Cuts a stream of bytes into frames. */
export class FrameSplitter {
  #pending = new Uint8Array(0);

  /** Takes the next bytes. Returns the frames that are whole with them. */
  take(bytes: Uint8Array): Frame[] {
    const all = new Uint8Array(this.#pending.length + bytes.length);
    all.set(this.#pending);
    all.set(bytes, this.#pending.length);
    const frames: Frame[] = [];
    let start = 0;
    for (;;) {
      const frame = firstFrame(all.subarray(start));
      if (frame === undefined) break;
      frames.push(frame);
      start += frame.bytes.length;
    }
    this.#pending = all.slice(start);
    return frames;
  }
}

function firstFrame(bytes: Uint8Array): Frame | undefined {
  const end = endOfLine(bytes);
  if (end === undefined) return undefined;
  const words = decoder.decode(bytes.subarray(0, end - 2)).split(/[ \t]+/);
  const verb = words[0]!.toUpperCase();
  const sizes = verb === "HMSG" || verb === "HPUB" ? 2 : verb === "MSG" || verb === "PUB" ? 1 : 0;
  if (sizes === 0) {
    return { verb, subject: "", reply: undefined, bytes: bytes.slice(0, end), payloadAt: end, bodyAt: end };
  }
  const length = end + Number(words.at(-1)) + 2;
  if (bytes.length < length) return undefined;
  const replyAt = verb === "MSG" || verb === "HMSG" ? 3 : 2;
  const bodyAt = sizes === 2 ? end + Number(words.at(-2)) : end;
  const reply = words.length - sizes > replyAt ? words[replyAt] : undefined;
  return { verb, subject: words[1]!, reply, bytes: bytes.slice(0, length), payloadAt: end, bodyAt };
}

/** Where the first line ends, its CR and LF included. */
function endOfLine(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (at > 0 && bytes[at - 1] === CR) return at + 1;
  }
  return undefined;
}

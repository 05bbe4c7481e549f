/**
 * A connection that fails at a certain effect.
 *
 * It stands in front of a real connection. Everything that an engine does to the world is a publish: heads, acks, naks,
 * mail, data, dead letters, deletes, purges. So they can be counted, and the connection can fail at any one of them.
 * Reads, pulls and keep-alives are not counted: they leave nothing behind.
 *
 * @module
 */

import {
  errors,
  type Msg,
  type NatsConnection,
  type Payload,
  type PublishOptions,
  type RequestOptions,
  type Subscription,
  type SubscriptionOptions,
} from "@nats-io/nats-core";

/**
 * How the connection fails at its k-th effect.
 *
 * - `die`: the effect is the first that is not let through, and nothing passes any more: a SIGKILL.
 * - `lose-reply`: the effect takes place, its answer is lost. An ack, which has no answer, is lost itself.
 * - `freeze-before`: from the effect on everything waits, in both directions, until {@linkcode FrailConnection.thaw}.
 * - `freeze-after`: the same, but the effect itself has taken place.
 */
export type Failure = "die" | "lose-reply" | "freeze-before" | "freeze-after";

const READS =
  /^\$JS\.API\.(INFO|STREAM\.(INFO|NAMES|LIST|MSG\.GET)|CONSUMER\.(INFO|NAMES|LIST|MSG\.NEXT)|DIRECT\.GET)(\.|$)/;
const KEEP_ALIVE = "+WPI";

/** An effect on its way. */
interface Effect {
  readonly subject: string;
  /** Lets it through. */
  readonly send: () => void;
  /** Where its answer will come, if it has one. */
  readonly reply?: string | undefined;
  readonly isCounted: boolean;
}

/** A connection that fails. */
export class FrailConnection {
  /** What is given to `createServer`. */
  readonly nc: NatsConnection;
  /** The subjects of the effects since the connection was armed, in order. */
  readonly effects: string[] = [];
  readonly #real: NatsConnection;
  #failure: { kind: Failure; at: number } | undefined;
  #isDead = false;
  #hasFailed = false;
  #waiting: (() => void)[] | undefined;
  readonly #lost = new Set<string>();
  readonly #dying = Promise.withResolvers<never>();
  readonly #failed = Promise.withResolvers<void>();

  /** Takes a connection of its own. */
  constructor(real: NatsConnection) {
    this.#real = real;
    this.#dying.promise.catch(() => {});
    this.nc = new Proxy(real, { get: (target, name) => this.#get(target, name) });
  }

  /** Resolves when it has failed. */
  get failed(): Promise<void> {
    return this.#failed.promise;
  }

  /** Whether it has failed. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether nothing passes any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Fails after the next `after` effects. Counts anew. */
  arm(kind: Failure, after: number): void {
    this.effects.length = 0;
    this.#failure = { kind, at: after };
  }

  /** Dies now: nothing passes any more, in either direction, and then the socket is closed. */
  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#waiting = undefined;
    this.#dying.reject(new errors.ClosedConnectionError());
    this.#fail();
    void this.#real.flush().catch(() => {}).then(() => this.#real.close());
  }

  /** Holds everything back, in both directions: a SIGSTOP. */
  freeze(): void {
    if (this.#isDead) return;
    this.#waiting ??= [];
    this.#fail();
  }

  /** Lets go of what was held back, in order: a SIGCONT. */
  thaw(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const pass of waiting) pass();
  }

  #get(target: NatsConnection, name: string | symbol): unknown {
    switch (name) {
      case "publish":
        return (subject: string, data?: Payload, options?: PublishOptions) => this.#publish(subject, data, options);
      case "request":
        return (subject: string, data?: Payload, options?: RequestOptions) => this.#request(subject, data, options);
      case "subscribe":
        return (subject: string, options?: SubscriptionOptions) => this.#subscribe(subject, options);
      case "isClosed":
        return () => this.#isDead || target.isClosed();
      case "requestMany":
        if (this.#isDead) return () => this.#dying.promise;
    }
    const value = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  }

  #publish(subject: string, data?: Payload, options?: PublishOptions): void {
    if (this.#isDead) throw new errors.ClosedConnectionError();
    const send = () => this.#real.publish(subject, data, options);
    this.#pass({ subject, send, reply: options?.reply, isCounted: !READS.test(subject) });
  }

  /** The answer of a request; one that is lost comes when the request's time is up, as an error. */
  async #request(subject: string, data?: Payload, options?: RequestOptions): Promise<Msg> {
    if (this.#isDead) throw new errors.ClosedConnectionError();
    const reply = crypto.randomUUID();
    const answer = Promise.withResolvers<Msg>();
    const send = () => this.#real.request(subject, data, options).then(answer.resolve, answer.reject);
    this.#pass({ subject, send, reply, isCounted: !READS.test(subject) });
    const msg = await Promise.race([answer.promise, this.#dying.promise]);
    if (this.#lost.delete(reply)) throw new errors.TimeoutError();
    const received = new Promise<void>((resolve) => this.#receive(resolve));
    await Promise.race([received, this.#dying.promise]);
    return msg;
  }

  #subscribe(subject: string, options: SubscriptionOptions = {}): Subscription {
    const { callback } = options;
    if (callback === undefined) return this.#real.subscribe(subject, options);
    return this.#real.subscribe(subject, {
      ...options,
      callback: (error, msg) => {
        if (error === null && this.#lost.delete(msg.subject)) return;
        this.#receive(() => callback(error, error === null ? this.#wrapped(msg) : msg));
      },
    });
  }

  /** A message whose answers pass through this connection. */
  #wrapped(msg: Msg): Msg {
    const respond = (data?: Payload, options?: PublishOptions) => {
      const isCounted = data === undefined || textOf(data) !== KEEP_ALIVE;
      this.#pass({ subject: msg.reply ?? "", send: () => void msg.respond(data, options), isCounted });
      return true;
    };
    return new Proxy(msg, {
      get: (target, name) => {
        if (name === "respond") return respond;
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #pass(effect: Effect): void {
    if (this.#isDead) return;
    const { send, isCounted, subject } = effect;
    const fails = isCounted && this.#failure?.at === this.effects.length ? this.#failure.kind : undefined;
    if (isCounted) this.effects.push(subject);
    switch (fails) {
      case "die":
        return this.die();
      case "lose-reply":
        this.#fail();
        if (effect.reply === undefined) return;
        this.#lost.add(effect.reply);
        return send();
      case "freeze-before":
        this.freeze();
        break;
      case "freeze-after":
        send();
        return this.freeze();
    }
    if (this.#waiting === undefined) send();
    else this.#waiting.push(send);
  }

  #fail(): void {
    this.#hasFailed = true;
    this.#failed.resolve();
  }

  #receive(take: () => void): void {
    if (this.#isDead) return;
    if (this.#waiting === undefined) take();
    else this.#waiting.push(take);
  }
}

function textOf(data: Payload): string {
  return typeof data === "string" ? data : new TextDecoder().decode(data);
}

/**
 * Lanes: deliveries that are held here, in turn by flow, so that no flow starves another.
 *
 * Everything that is held is kept alive: what waits for its turn as well as what is being worked on. So its ack wait
 * cannot run out behind our back.
 *
 * @module
 */

import type { Delivery } from "../nats/delivery.ts";

/** How many messages a flow without work asks for. */
const IDLE_ROOM = 16;

/** How many messages a flow may hold at the least, however many flows are busy. */
const MIN_ROOM = 4;

/** A delivery that is held, with those of the same execution that came after it. */
export interface Held {
  /** The execution's id. */
  readonly id: string;
  /** The flow whose lane it is in. */
  readonly flow: string;
  /** The delivery; a redelivery of the same message takes its place. */
  delivery: Delivery;
  /** A delivery of a later head of the execution, which waits for this one to be done with. */
  next?: Delivery;
}

/** Holds deliveries, and hands them out in turn. */
export class Lanes {
  readonly #limit: number;
  readonly #waiting = new Map<string, Held[]>();
  readonly #count = new Map<string, number>();
  readonly #held = new Map<string, Held>();

  /** `concurrency` deliveries are worked on at once; as many again may wait. */
  constructor(concurrency: number) {
    this.#limit = concurrency * 2;
  }

  /** How many deliveries are held. */
  get size(): number {
    return this.#held.size;
  }

  /** How many more messages there is room for in a flow's lane. */
  room(flow: string): number {
    const count = this.#count.get(flow) ?? 0;
    const limit = count === 0 ? IDLE_ROOM : this.#limit;
    return Math.max(MIN_ROOM, Math.min(limit, Math.floor(this.#limit / Math.max(1, this.#count.size)))) - count;
  }

  /** Takes a delivery in. */
  add(id: string, flow: string, delivery: Delivery): void {
    const held = this.#held.get(id);
    if (held === undefined) this.#queue({ id, flow, delivery });
    else if (held.delivery.sequence === delivery.sequence) held.delivery = delivery;
    else if (held.next === undefined || held.next.sequence <= delivery.sequence) held.next = delivery;
  }

  /** The next delivery whose turn it is; `undefined` where none waits. */
  take(): Held | undefined {
    for (const [flow, queue] of this.#waiting) {
      const held = queue.shift()!;
      this.#waiting.delete(flow);
      if (queue.length > 0) this.#waiting.set(flow, queue);
      return held;
    }
    return undefined;
  }

  /** A delivery is done with. */
  done(held: Held): void {
    this.#held.delete(held.id);
    const count = this.#count.get(held.flow)! - 1;
    if (count === 0) this.#count.delete(held.flow);
    else this.#count.set(held.flow, count);
    if (held.next !== undefined) this.#queue({ id: held.id, flow: held.flow, delivery: held.next });
  }

  /** Gives everything back that waits for its turn. */
  release(): void {
    for (let held = this.take(); held !== undefined; held = this.take()) {
      held.delivery.nak();
      held.next?.nak();
      delete held.next;
      this.done(held);
    }
  }

  /** Keeps everything that is held alive. */
  keepAlive(): void {
    for (const held of this.#held.values()) {
      held.delivery.working();
      held.next?.working();
    }
  }

  #queue(held: Held): void {
    this.#held.set(held.id, held);
    this.#count.set(held.flow, (this.#count.get(held.flow) ?? 0) + 1);
    const queue = this.#waiting.get(held.flow);
    if (queue === undefined) this.#waiting.set(held.flow, [held]);
    else queue.push(held);
  }
}

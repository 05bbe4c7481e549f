/** Invokers that remember what they were asked. @module */

import type { InvokeRequest, Result } from "../../mod.ts";
import { until } from "./until.ts";

/** How a {@linkcode Recorder} answers. */
export type Answer = (request: InvokeRequest, call: number) => Result | Promise<Result>;

/** Records every attempt it is asked for, and answers as it is told. */
export class Recorder {
  /** What it was asked, in order. */
  readonly requests: InvokeRequest[] = [];
  /** How it answers; a plain `ok` unless told otherwise. */
  answer: Answer;

  /** `answer` is given the request and how many came before it. */
  constructor(answer: Answer = () => ({ status: "ok" })) {
    this.answer = answer;
  }

  /** The invoker function. */
  readonly invoke = (request: InvokeRequest): Result | Promise<Result> => {
    this.requests.push(request);
    return this.answer(request, this.requests.length - 1);
  };

  /** The nodes that were run, in order. */
  get nodes(): string[] {
    return this.requests.map((request) => request.nodeId);
  }

  /** The idempotency keys, in order. */
  get keys(): string[] {
    return this.requests.map((request) => request.idempotencyKey);
  }

  /** The requests for a node. */
  of(node: string): InvokeRequest[] {
    return this.requests.filter((request) => request.nodeId === node);
  }

  /** Waits for the `count`th request for a node, and returns it. */
  async asked(node: string, count = 1): Promise<InvokeRequest> {
    await until(() => this.of(node).length >= count, `request ${count} for node ${node}`);
    return this.of(node)[count - 1]!;
  }
}

/** Attempts that are held until the test says how they end. */
export class Gate extends Recorder {
  readonly #held = new Map<string, (result: Result) => void>();

  /** Holds the attempts at `nodes`, or at all; others end with `ok`. */
  constructor(nodes?: readonly string[]) {
    super((request) => {
      if (nodes !== undefined && !nodes.includes(request.nodeId)) return { status: "ok" };
      return new Promise((resolve) => this.#held.set(request.idempotencyKey, resolve));
    });
  }

  /** How many attempts are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Ends the attempts that are held: those of a node, or all. */
  open(result: Result = { status: "ok" }, node?: string): void {
    for (const [key, resolve] of [...this.#held]) {
      if (node !== undefined && key.split(".")[1] !== node) continue;
      this.#held.delete(key);
      resolve(result);
    }
  }
}

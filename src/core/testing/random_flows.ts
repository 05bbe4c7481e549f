/**
 * Random flows that are valid: tasks, signals, choices, loops and fans, one after another.
 *
 * @module
 */

import * as fc from "fast-check";
import { buildFlow } from "../../flow/mod.ts";
import type { EdgeDef, Flow, FlowDef, NodeDef, RetryDef } from "../../flow/types.ts";

/** A part of a flow. */
type Block =
  | { readonly kind: "task"; readonly retry: RetryDef; readonly activityTimeout?: number }
  | { readonly kind: "signal"; readonly name: number; readonly timeout?: number; readonly onTimeout: boolean }
  | { readonly kind: "loop"; readonly limit: number; readonly body: readonly Block[] }
  | { readonly kind: "choice"; readonly when: string; readonly fails: boolean; readonly body: readonly Block[] }
  | {
    readonly kind: "fan";
    readonly branches: readonly Block[];
    readonly waited: number;
    readonly required: number;
  };

/** The names that signals have: among them some that are special to objects or payloads. */
export const SIGNALS: readonly string[] = ["go", "__proto__", "value", "branches"];

const SPECIAL = ["__proto__", "constructor", "toString", "value", "branches"];

const retry: fc.Arbitrary<RetryDef> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  backoff: fc.constantFrom("fixed", "linear", "exponential"),
});

const task: fc.Arbitrary<Block> = fc.record({
  kind: fc.constant("task" as const),
  retry,
  activityTimeout: fc.integer({ min: 500, max: 9_000 }),
}, { requiredKeys: ["kind", "retry"] });

const signal: fc.Arbitrary<Block> = fc.record({
  kind: fc.constant("signal" as const),
  name: fc.nat(SIGNALS.length - 1),
  timeout: fc.integer({ min: 500, max: 9_000 }),
  onTimeout: fc.boolean(),
}, { requiredKeys: ["kind", "name", "onTimeout"] });

const fan: fc.Arbitrary<Block> = fc.record({
  kind: fc.constant("fan" as const),
  branches: fc.array(task, { minLength: 1, maxLength: 4 }),
  waited: fc.integer({ min: 1, max: 4 }),
  required: fc.integer({ min: 0, max: 4 }),
});

const loop: fc.Arbitrary<Block> = fc.record({
  kind: fc.constant("loop" as const),
  limit: fc.integer({ min: 1, max: 4 }),
  body: fc.tuple(task, fc.array(fc.oneof(task, signal), { maxLength: 1 })).map(([first, rest]) => [first, ...rest]),
});

const choice: fc.Arbitrary<Block> = fc.record({
  kind: fc.constant("choice" as const),
  when: fc.constantFrom("payload.n < 2", 'payload.kind == "a"', "payload.constructor < 1", "payload.n == 1"),
  fails: fc.boolean(),
  body: fc.array(fc.oneof(task, signal, fan), { minLength: 1, maxLength: 2 }),
});

const blocks: fc.Arbitrary<readonly Block[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: task }, signal, { weight: 2, arbitrary: fan }, loop, choice),
  { minLength: 1, maxLength: 4 },
);

/** Random flows. */
export const flows: fc.Arbitrary<Flow> = fc.tuple(blocks, fc.boolean()).map(([parts, special]) =>
  buildFlow(new Compiler(special).compile(parts))
);

/** Makes a definition of blocks, from the last one to the first. */
class Compiler {
  readonly #nodes: NodeDef[] = [];
  readonly #edges: EdgeDef[] = [];
  readonly #special: boolean;
  #count = 0;

  constructor(special: boolean) {
    this.#special = special;
  }

  compile(parts: readonly Block[]): FlowDef {
    // A loop at the start would lead back to it.
    const start: Block = { kind: "task", retry: { maxAttempts: 1 } };
    this.#chain(parts[0]!.kind === "loop" ? [start, ...parts] : parts, undefined);
    return { name: "f", nodes: this.#nodes, edges: this.#edges };
  }

  /** Adds blocks that lead to `next`, or to the end. Returns the first node. */
  #chain(parts: readonly Block[], next: string | undefined): string {
    return parts.toReversed().reduce<string | undefined>((to, block) => this.#block(block, to), next)!;
  }

  #block(block: Block, next: string | undefined): string {
    switch (block.kind) {
      case "task":
        return this.#add(this.#task(block), next);
      case "signal":
        return this.#signal(block, next);
      case "loop":
        return this.#loop(block, next ?? this.#end());
      case "choice":
        return this.#choice(block, next ?? this.#end());
      case "fan":
        return this.#fan(block, next);
    }
  }

  #signal(block: Block & { kind: "signal" }, next: string | undefined): string {
    const { timeout } = block;
    const times = timeout === undefined ? {} : {
      timeout,
      ...(block.onTimeout ? { onTimeout: next ?? this.#end() } : {}),
    };
    return this.#add({ id: this.#id(), type: "signal", signalName: SIGNALS[block.name]!, ...times }, next);
  }

  #loop(block: Block & { kind: "loop" }, next: string): string {
    const id = this.#id();
    const body = this.#chain(block.body, id);
    const rules = [{ when: `payload.n < ${block.limit}`, to: body }, { default: true as const, to: next }];
    this.#add({ id, type: "choice", rules }, undefined);
    return body;
  }

  #choice(block: Block & { kind: "choice" }, next: string): string {
    const rules = [{ when: block.when, to: this.#chain(block.body, next) }, { default: true as const, to: next }];
    const onError = block.fails ? { onError: "fail" as const } : {};
    return this.#add({ id: this.#id(), type: "choice", rules, ...onError }, undefined);
  }

  #fan(block: Block & { kind: "fan" }, next: string | undefined): string {
    const branches = block.branches.map((branch) =>
      this.#add(this.#task(branch as Block & { kind: "task" }), undefined)
    );
    const waitFor = branches.slice(0, block.waited);
    const required = Math.min(block.required, waitFor.length);
    const joinPolicy = required === 0 ? "any" : required === waitFor.length ? "all" : `quorum:${required}`;
    const join = this.#add({ id: this.#id(), type: "fanin", waitFor, joinPolicy }, next);
    return this.#add({ id: this.#id(), type: "fanout", branches }, join);
  }

  #task({ retry, activityTimeout }: Block & { kind: "task" }): NodeDef {
    const limit = activityTimeout === undefined ? {} : { activityTimeout };
    return { id: this.#id(), type: "task", subject: "s", retry, ...limit };
  }

  #end(): string {
    return this.#add({ id: this.#id(), type: "task", subject: "s" }, undefined);
  }

  #add(node: NodeDef, next: string | undefined): string {
    this.#nodes.push(node);
    if (next !== undefined) this.#edges.push({ from: node.id, to: next });
    return node.id;
  }

  #id(): string {
    const count = this.#count++;
    return (this.#special ? SPECIAL[count] : undefined) ?? `n${count}`;
  }
}

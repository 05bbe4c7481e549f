/**
 * Which invoker runs the tasks of which kind.
 *
 * @module
 */

import { invalid } from "../errors.ts";
import { checkName, quoted } from "../names.ts";
import type { InvocationMeter } from "./meter.ts";
import type { Invoker, InvokerFunction } from "./types.ts";

/** The kind of the built-in invoker: request/reply with workers over NATS. */
export const NATS_TASK_KIND = "nats-task";

/** Invokers by kind, as they are given in the options of a server. */
export type InvokerTable = Readonly<Record<string, Invoker | InvokerFunction>>;

/** The invokers of a server, by kind; `nats-task` is always among them. */
export class InvokerRegistry {
  /** The kinds there are. */
  readonly kinds: ReadonlySet<string>;
  readonly #invokers = new Map<string, Invoker>();

  /**
   * Creates a registry.
   *
   * @param natsTask Runs `nats-task`, unless the table has an invoker of that kind.
   * @param meter Measures the invocations.
   * @throws {ValidationError} Where a kind is not a legal name, or its invoker is none.
   */
  constructor(table: InvokerTable, natsTask: Invoker, meter?: InvocationMeter) {
    const add = (kind: string, invoker: Invoker) => {
      this.#invokers.set(kind, meter === undefined ? invoker : meter.measured(kind, invoker));
    };
    add(NATS_TASK_KIND, natsTask);
    for (const [kind, invoker] of Object.entries(table)) {
      add(checkName("invokers", kind), toInvoker(`invokers.${kind}`, invoker));
    }
    this.kinds = new Set(this.#invokers.keys());
  }

  /** The invoker of a kind, or `undefined` where there is none. */
  get(kind: string): Invoker | undefined {
    return this.#invokers.get(kind);
  }
}

/**
 * The invoker that a function is, or the invoker itself.
 *
 * @param path Where it was given, for the error.
 * @throws {ValidationError} Where it is neither a function nor has a method `invoke`.
 */
export function toInvoker(path: string, invoker: Invoker | InvokerFunction): Invoker {
  if (typeof invoker === "function") return { invoke: invoker };
  if (typeof (invoker as Partial<Invoker> | null | undefined)?.invoke === "function") return invoker;
  throw invalid(path, `an invoker is a function or has a method \`invoke\`; ${quoted(invoker)} is neither`);
}

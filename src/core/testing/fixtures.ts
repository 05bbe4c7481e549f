/**
 * What the unit tests of the core share.
 *
 * @module
 */

import { buildFlow } from "../../flow/mod.ts";
import type { EdgeDef, Flow, NodeDef, TaskDef } from "../../flow/types.ts";
import type { Json, JsonObject } from "../../json.ts";
import { begin, decide } from "../decide.ts";
import type { Decision, Environment, Event, Outcome } from "../events.ts";
import type { State, Stored } from "../state.ts";
import { type Load, MissingValues } from "../values.ts";

/** A load that has what is given, and nothing else. */
export function loadOf(values: Record<number, unknown> = {}): Load {
  const read = (ref: number) => {
    if (!(ref in values)) throw new MissingValues([ref]);
    return values[ref];
  };
  return { value: (ref) => read(ref) as Json, chunk: (ref) => read(ref) as Record<string, Stored> };
}

/** An environment at a time, in milliseconds. */
export function at(now: number, load: Load = loadOf()): Environment {
  return { now, load, defaultTimeoutMs: 30_000, leaseMs: 10_000 };
}

/** A task. */
export function task(id: string, more: Partial<TaskDef> = {}): TaskDef {
  return { id, type: "task", subject: "s", ...more };
}

/** A flow of nodes, with edges written `from>to`. */
export function flowOf(nodes: NodeDef[], ...edges: string[]): Flow {
  const parsed = edges.map((edge): EdgeDef => {
    const [from, to] = edge.split(">");
    return { from: from!, to: to! };
  });
  return buildFlow({ name: "f", nodes, edges: parsed });
}

/** A flow whose fan-out `fan` runs tasks, joined by `join`, which may lead to `after`. */
export function fanOf(
  branches: TaskDef[],
  join: { waitFor: string[]; joinPolicy?: string },
  after?: NodeDef,
): Flow {
  const nodes: NodeDef[] = [
    { id: "fan", type: "fanout", branches: branches.map(({ id }) => id) },
    ...branches,
    { id: "join", type: "fanin", ...join },
    ...(after === undefined ? [] : [after]),
  ];
  return flowOf(nodes, "fan>join", ...(after === undefined ? [] : [`join>${after.id}`]));
}

/** An execution of a flow that was started at time 0. */
export function started(flow: Flow, input: JsonObject = {}): State {
  return begin(flow, { id: "x", definition: "d", input: { value: input } }, at(0));
}

/** An outcome that is ok, with a payload where one is given. */
export function ok(...payload: Json[]): Outcome {
  return payload.length === 0 ? { status: "ok" } : { status: "ok", payload: { value: payload[0]! }, bytes: 10 };
}

/** The outcome that asks for another attempt. */
export const RETRY: Outcome = { status: "retry", error: "busy" };

/** The outcome that fails a node. */
export const ERROR: Outcome = { status: "error", error: "broken" };

/** The outcome that is still to come. */
export const PENDING: Outcome = { status: "pending" };

/** An execution, to which one thing happens after the other. */
export class Run {
  readonly flow: Flow;
  state: State;
  now = 0;

  /** Starts an execution at time 0. */
  constructor(flow: Flow, input: JsonObject = {}) {
    this.flow = flow;
    this.state = started(flow, input);
  }

  /** What an event would do. */
  decide(event: Event): Decision {
    return decide(this.flow, this.state, event, at(this.now));
  }

  /** Applies an event that changes the execution. Returns the nodes walked through. */
  apply(event: Event): readonly string[] {
    const decision = this.decide(event);
    if (decision.type !== "next") throw new Error(`${event.type}: ${JSON.stringify(decision)}`);
    this.state = decision.state;
    return decision.visited;
  }

  /** The outcome of the current attempt at a node. */
  outcome(outcome: Outcome, node: string = this.state.node): readonly string[] {
    return this.apply({ type: "outcome", attempt: this.attempt(node), outcome });
  }

  /** The current attempt at a node. */
  attempt(node: string = this.state.node): { node: string; generation: number; attempt: number } {
    const { generation, attempt } = node === this.state.node ? this.state : this.state.branches![node]!;
    return { node, generation, attempt };
  }

  /** A signal. */
  signal(name: string, sequence: number, payload: Json = null): Event {
    return { type: "signal", name, sequence, payload: { value: payload } };
  }

  /** A completion of the current attempt at a node. */
  completion(outcome: Outcome, node: string = this.state.node): Event {
    return { type: "completion", ...this.attempt(node), outcome };
  }

  /** The schedule has fired: what the server makes of the head. */
  fire(): void {
    this.now = this.state.alarm!;
    this.state = { ...this.state, phase: "active" };
  }
}

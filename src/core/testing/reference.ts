/**
 * The reference interpreter: what a flow comes to under a script, written as plainly as possible. It shares nothing
 * with `decide`: it walks the flow from node to node with a clock in hand, and works a fan-out out from the time lines
 * of its branches, which do not depend on each other.
 *
 * @module
 */

import type { ChoiceNode, FaninNode, FanoutNode, Flow, FlowNode, SignalNode, TaskNode } from "../../flow/types.ts";
import type { Json } from "../../json.ts";
import type { Script, ScriptedResult, ScriptedSignal } from "./script.ts";
import { type Branch, type Park, timelineOf } from "./timeline.ts";

/** What an execution has come to when nothing more happens. */
export interface Outcome {
  readonly status: "waiting" | "completed" | "failed" | "cancelled";
  readonly node: string;
  readonly payload: Json;
  readonly results: Record<string, Json>;
  readonly signals: Record<string, Json>;
  /** The outputs of the completed branches of the fan-out entered last. */
  readonly branches: Record<string, Json>;
  readonly lastNode?: string;
  /** Every attempt that was begun, as `node.visit.attempt`, sorted. */
  readonly attempts: readonly string[];
}

class Failure extends Error {}
class Cancelled extends Error {}
class Stuck extends Error {}

/** What the flow comes to under the script. */
export function interpret(flow: Flow, script: Script, input: Json): Outcome {
  return new Interpreter(flow, script, input).run();
}

interface Fan {
  readonly node: FanoutNode;
  readonly status: Map<string, "pending" | "completed" | "failed">;
}

class Interpreter {
  readonly #flow: Flow;
  readonly #script: Script;
  #cancelAt: number;
  #now = 0;
  #node: FlowNode;
  #payload: Json;
  readonly #results = new Map<string, Json>();
  readonly #signals = new Map<string, Json>();
  readonly #consumed = new Map<string, number>();
  readonly #visits = new Map<string, number>();
  readonly #attempts: string[] = [];
  /** Branches that nobody waited for, pending when their execution went on; by branch. */
  readonly #late = new Map<string, Park>();
  #fan: Fan | undefined;
  #lastNode: string | undefined;

  constructor(flow: Flow, script: Script, input: Json) {
    this.#flow = flow;
    this.#script = script;
    this.#cancelAt = script.cancelAt ?? Infinity;
    this.#node = flow.nodes.get(flow.start)!;
    this.#payload = input;
  }

  run(): Outcome {
    let isResumed = false;
    for (let failures = 0;;) {
      try {
        const next = this.#visit(this.#node, isResumed);
        if (next === undefined) return this.#outcome("completed");
        this.#node = this.#flow.nodes.get(next)!;
        isResumed = false;
      } catch (error) {
        if (error instanceof Cancelled) return this.#outcome("cancelled");
        if (error instanceof Stuck) return this.#outcome("waiting");
        if (!(error instanceof Failure)) throw error;
        const delay = this.#script.resumes[failures++];
        // To cancel what has failed changes nothing.
        if (delay === undefined || this.#cancelAt < this.#now + delay) this.#cancelAt = Infinity;
        if (delay === undefined) return this.#outcome("failed");
        this.#now += delay;
        isResumed = true;
      }
    }
  }

  #outcome(status: Outcome["status"]): Outcome {
    this.#recordLate(status === "cancelled" ? this.#cancelAt : Infinity);
    const completed = [...this.#fan?.status ?? []].filter(([name, settled]) =>
      settled === "completed" && this.#results.has(name)
    );
    return {
      status,
      node: this.#node.id,
      payload: this.#payload,
      results: Object.fromEntries(this.#results),
      signals: Object.fromEntries(this.#signals),
      branches: Object.fromEntries(completed.map(([name]) => [name, this.#results.get(name)!])),
      ...(this.#lastNode === undefined ? {} : { lastNode: this.#lastNode }),
      attempts: this.#attempts.sort(),
    };
  }

  /** Visits a node. Returns the next one. */
  #visit(node: FlowNode, isResumed: boolean): string | undefined {
    switch (node.type) {
      case "task":
        return this.#task(node);
      case "choice":
        return this.#choice(node);
      case "signal":
        return this.#signal(node);
      case "fanout":
        this.#fan = { node, status: new Map(node.branches.map((name) => [name, "pending"])) };
        this.#node = this.#flow.nodes.get(node.join)!;
        return this.#join(this.#node as FaninNode);
      case "fanin":
        if (!isResumed) throw new Error(`entered ${node.id} by itself`);
        return this.#join(node);
    }
  }

  #advance(time: number): void {
    if (this.#cancelAt < time) throw new Cancelled();
    if (time === Infinity) throw new Stuck();
    this.#now = time;
  }

  #task(node: TaskNode): string | undefined {
    const timeline = timelineOf(node, this.#now, this.#begin(node.id));
    const end = Math.min(timeline.end, this.#cancelAt);
    for (const { at, name } of timeline.attempts) if (at <= end) this.#attempts.push(name);
    this.#advance(timeline.end);
    const { result } = timeline;
    if (result!.status !== "ok") throw new Failure(result!.error);
    if (result!.payload !== undefined) {
      this.#record(node.id, result!.payload);
      this.#payload = result!.payload;
    }
    return node.next;
  }

  #begin(node: string): (attempt: number) => { name: string; does: ReturnType<Script["attempt"]> } {
    const visit = (this.#visits.get(node) ?? 0) + 1;
    this.#visits.set(node, visit);
    return (attempt) => ({ name: `${node}.${visit}.${attempt}`, does: this.#script.attempt(node, visit, attempt) });
  }

  #record(node: string, output: Json): void {
    this.#results.set(node, output);
    this.#lastNode = node;
  }

  #choice(node: ChoiceNode): string {
    for (const { when, to } of node.rules) {
      const matches = test(when, this.#payload);
      if (matches === undefined && node.failOnError) throw new Failure(when);
      if (matches) return to;
    }
    return node.otherwise;
  }

  #signal(node: SignalNode): string | undefined {
    const consumed = this.#consumed.get(node.signal) ?? 0;
    const fresh = this.#script.signals.filter(({ name, sequence }) => name === node.signal && sequence > consumed);
    const timeoutAt = this.#now + (node.timeoutMs ?? Infinity);
    const kept = fresh.filter(({ at }) => at <= this.#now).sort((one, other) => other.sequence - one.sequence);
    const coming = fresh.filter(({ at }) => at > this.#now).sort((one, other) => one.at - other.at);
    const signal: ScriptedSignal | undefined = kept[0] ?? coming[0];
    if (signal === undefined || signal.at > timeoutAt) {
      this.#advance(timeoutAt);
      if (node.onTimeout === undefined) throw new Failure("timeout");
      return node.onTimeout;
    }
    this.#advance(Math.max(this.#now, signal.at));
    this.#consumed.set(node.signal, signal.sequence);
    this.#signals.set(node.signal, signal.payload);
    this.#merge(node.signal, signal.payload);
    return node.next;
  }

  #merge(name: string, value: Json): void {
    const payload = this.#payload;
    const isObject = typeof payload === "object" && payload !== null && !Array.isArray(payload);
    const fields = new Map(isObject ? Object.entries(payload) : [["value", payload]]);
    this.#payload = Object.fromEntries(fields.set(name, value));
  }

  /** Runs all branches that have not completed, up to where the join goes on or fails. */
  #join(node: FaninNode): string | undefined {
    const { status } = this.#fan!;
    this.#recordLate(this.#now);
    const names = [...status.keys()].filter((name) => status.get(name) !== "completed");
    for (const name of names) {
      status.set(name, "pending");
      this.#late.delete(name);
    }
    const branches = names.map((name) => timelineOf(this.#taskOf(name), this.#now, this.#begin(name)));
    const { decidedAt, isMet } = this.#decision(node, branches);
    const detached = branches.filter(({ node: { id } }) => !node.waitFor.includes(id));
    const end = isMet ? freeAt(decidedAt, detached) : decidedAt;
    const cut = Math.min(end, this.#cancelAt);
    this.#settle(node, branches, { cut, decidedAt });
    for (const branch of detached) {
      const park = branch.parks.find(({ from, to }) => from <= cut && cut <= to);
      if (park !== undefined && status.get(branch.node.id) === "pending") this.#late.set(branch.node.id, park);
    }
    this.#advance(end);
    if (!isMet) throw new Failure("join");
    const outputs = node.waitFor.filter((name) => status.get(name) === "completed" && this.#results.has(name));
    this.#merge("branches", Object.fromEntries(outputs.map((name) => [name, this.#results.get(name)!])));
    return node.next;
  }

  /** When enough branches have completed, or too many have failed. */
  #decision(node: FaninNode, branches: readonly Branch[]): { decidedAt: number; isMet: boolean } {
    let completed = node.waitFor.filter((name) => this.#fan!.status.get(name) === "completed").length;
    let left = node.waitFor.length;
    const waited = branches.filter(({ node: { id } }) => node.waitFor.includes(id));
    for (const { end, result } of waited.sort((one, other) => one.end - other.end)) {
      if (result?.status === "ok") completed++;
      else if (result !== undefined) left--;
      if (result !== undefined && completed >= node.required) return { decidedAt: end, isMet: true };
      if (left < node.required) return { decidedAt: end, isMet: false };
    }
    return { decidedAt: Infinity, isMet: false };
  }

  /** Records what happened in the branches until the cut; those waited for count no more once the join is decided. */
  #settle(node: FaninNode, branches: readonly Branch[], { cut, decidedAt }: { cut: number; decidedAt: number }): void {
    for (const branch of branches.toSorted((one, other) => one.end - other.end)) {
      const { id } = branch.node;
      const isWaitedFor = node.waitFor.includes(id);
      const until = isWaitedFor ? Math.min(cut, decidedAt) : cut;
      for (const { at, name } of branch.attempts) if (at <= until) this.#attempts.push(name);
      const isLate = !isWaitedFor && branch.parks.some(({ from, to }) => from <= cut && cut <= to);
      if (branch.end <= until && branch.end < Infinity && !isLate) this.#settled(id, branch.result!, true);
    }
  }

  #settled(name: string, result: ScriptedResult, isInTime: boolean): void {
    if (this.#fan!.status.has(name)) this.#fan!.status.set(name, result.status === "ok" ? "completed" : "failed");
    if (result.status !== "ok" || result.payload === undefined) return;
    if (isInTime) this.#record(name, result.payload);
    else this.#results.set(name, result.payload);
  }

  #recordLate(until: number): void {
    for (const [name, { completedAt, result }] of this.#late) {
      if (completedAt === Infinity || completedAt > until) continue;
      this.#late.delete(name);
      this.#settled(name, result!, false);
    }
  }

  #taskOf(name: string): TaskNode {
    return this.#flow.nodes.get(name) as TaskNode;
  }
}

/** The first moment from `time` on at which no branch runs: each is pending or has settled. */
function freeAt(time: number, branches: readonly Branch[]): number {
  for (let at = time;;) {
    const busy = branches.find(({ end, parks }) => at < end && !parks.some(({ from, to }) => from <= at && at <= to));
    if (busy === undefined) return at;
    const stops = [busy.end, ...busy.parks.map(({ from }) => from)].filter((stop) => stop > at);
    at = Math.min(...stops);
  }
}

/** Whether a rule matches; `undefined` where it cannot be evaluated. Knows what the random flows are made of. */
function test(when: string, payload: Json): boolean | undefined {
  const [, field, operator, literal] = /^payload\.(\w+) (<|==) (.+)$/.exec(when)!;
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return undefined;
  const value = Object.hasOwn(payload, field!) ? payload[field!]! : null;
  if (operator === "==") return value === JSON.parse(literal!);
  return typeof value === "number" ? value < JSON.parse(literal!) : undefined;
}

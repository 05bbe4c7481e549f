/**
 * The functions that go over a list with a predicate.
 *
 * @module
 */

import type { IterationName } from "./ast.ts";
import type { Site } from "./errors.ts";
import { add } from "./operators.ts";
import { BYTES_PER_ITEM, elementAt, type Frame, isList, kindOf, type List, type Value } from "./value.ts";

/** What is compiled: a function from the state of an evaluation to a value. */
export type Run = (frame: Frame) => Value;

/** One function over a list, compiled. */
export interface Iteration {
  readonly name: IterationName;
  readonly list: Run;
  /** What is evaluated for each element; the element itself where there is no predicate. */
  readonly predicate: Run;
  /** The steps of one element. */
  readonly weight: number;
  readonly site: Site;
}

/** Compiles a function over a list. */
export function compileIteration(iteration: Iteration): Run {
  const { name } = iteration;
  switch (name) {
    case "any":
      return (frame) => search(iteration, frame, true);
    case "all":
      return (frame) => !search(iteration, frame, false);
    case "none":
      return (frame) => !search(iteration, frame, true);
    case "one":
      return (frame) => count(iteration, frame) === 1;
    case "count":
      return (frame) => count(iteration, frame);
    case "filter":
      return (frame) => filter(iteration, frame);
    case "map":
      return (frame) => map(iteration, frame);
    case "sum":
      return (frame) => sum(iteration, frame);
    default:
      return name satisfies never;
  }
}

/** Visits the elements until `visit` says stop; gives whether it did. What encloses the loop keeps its element. */
function forEach(iteration: Iteration, frame: Frame, visit: (result: Value, item: Value) => boolean): boolean {
  const list = listOf(iteration, frame);
  const { item, index } = frame;
  let stopped = false;
  for (let at = 0; at < list.length && !stopped; at++) {
    frame.spend(iteration.weight, iteration.site);
    const element = elementAt(list, at);
    frame.item = element;
    frame.index = at;
    stopped = visit(iteration.predicate(frame), element);
  }
  frame.item = item;
  frame.index = index;
  return stopped;
}

function listOf({ name, list, site }: Iteration, frame: Frame): List {
  const value = list(frame);
  if (isList(value)) return value;
  throw site.evaluateError(`the function "${name}" goes over an array, found ${kindOf(value)}`);
}

function holds({ name, site }: Iteration, result: Value): boolean {
  if (typeof result === "boolean") return result;
  throw site.evaluateError(`the predicate of "${name}" must be a boolean, found ${kindOf(result)}`);
}

function search(iteration: Iteration, frame: Frame, wanted: boolean): boolean {
  return forEach(iteration, frame, (result) => holds(iteration, result) === wanted);
}

function count(iteration: Iteration, frame: Frame): number {
  let found = 0;
  forEach(iteration, frame, (result) => {
    if (holds(iteration, result)) found++;
    return false;
  });
  return found;
}

function filter(iteration: Iteration, frame: Frame): Value {
  const kept: Value[] = [];
  forEach(iteration, frame, (result, item) => {
    if (holds(iteration, result)) {
      frame.allocate(BYTES_PER_ITEM, iteration.site);
      kept.push(item);
    }
    return false;
  });
  return kept;
}

function map(iteration: Iteration, frame: Frame): Value {
  const results: Value[] = [];
  forEach(iteration, frame, (result) => {
    frame.allocate(BYTES_PER_ITEM, iteration.site);
    results.push(result);
    return false;
  });
  return results;
}

function sum(iteration: Iteration, frame: Frame): Value {
  let total: Value = 0;
  forEach(iteration, frame, (result) => {
    total = add(result, total, frame, iteration.site);
    return false;
  });
  return total;
}

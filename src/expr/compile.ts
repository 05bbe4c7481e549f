/**
 * From a checked tree to nested functions.
 *
 * @module
 */

import type {
  BinaryNode,
  ChainNode,
  LogicalNode,
  MapNode,
  MemberNode,
  Node,
  OrderNode,
  OrderOperator,
  SliceNode,
  UnaryOperator,
} from "./ast.ts";
import { Site } from "./errors.ts";
import { FUNCTIONS } from "./functions.ts";
import { compileIteration, type Run } from "./iterate.ts";
import { add, calculate, hasText, inBounds, isIn, matches, matchesProgram } from "./operators.ts";
import { compilePattern } from "./pattern.ts";
import { byteLength, sliceBytes } from "./text.ts";
import {
  BYTES_PER_CHARACTER,
  BYTES_PER_ITEM,
  compare,
  equals,
  type Frame,
  isList,
  kindOf,
  makeRange,
  ownProperty,
  Range,
  readKey,
  readName,
  toInteger,
  type Value,
} from "./value.ts";

/** What a `?.` on `nil` gives to the rest of its chain, which hands it on to the chain's end. */
const SKIPPED: Value = Object.freeze({});

/** Compiles a tree; the errors of its evaluation have places in `source`. */
export function compileNode(source: string, node: Node): Run {
  return new Compiler(source).compile(node);
}

class Compiler {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  compile(node: Node): Run {
    const site = this.#site(node.at);
    switch (node.kind) {
      case "literal": {
        const { value } = node;
        return () => value;
      }
      case "variable": {
        const { name } = node;
        return (frame) => ownProperty(frame.context, name);
      }
      case "pointer":
        return node.name === "item" ? (frame) => frame.item : (frame) => frame.index;
      case "array":
        return compileArray(node.items.map((item) => this.compile(item)), site);
      case "map":
        return this.#map(node, site);
      case "unary":
        return compileUnary(node.operator, this.compile(node.operand), site);
      case "binary":
        return this.#binary(node, site);
      case "order":
        return this.#order(node);
      case "logical":
        return this.#logical(node, site);
      case "member":
        return this.#member(node);
      case "chain":
        return this.#chain(node);
      case "slice":
        return this.#slice(node, site);
      case "conditional": {
        const [test, yes, no] = [this.compile(node.test), this.compile(node.yes), this.compile(node.no)];
        return (frame) => requireBoolean(test(frame), 'the test before "?"', site) ? yes(frame) : no(frame);
      }
      case "call": {
        const args = node.args.map((arg) => this.compile(arg));
        const call = FUNCTIONS[node.name];
        return (frame) => call(args.map((arg) => arg(frame)), frame, site);
      }
      case "iteration": {
        const predicate: Run = node.predicate === undefined ? (frame) => frame.item : this.compile(node.predicate);
        const weight = 1 + (node.predicate?.weight ?? 0);
        return compileIteration({ name: node.name, list: this.compile(node.list), predicate, weight, site });
      }
      default:
        return node satisfies never;
    }
  }

  #site(at: number): Site {
    return new Site(this.#source, at);
  }

  #map(node: MapNode, site: Site): Run {
    const entries = node.entries.map(({ key, value }) => [this.compile(key), this.compile(value)] as const);
    return (frame) => {
      frame.allocate(entries.length * BYTES_PER_ITEM, site);
      const map: Record<string, Value> = Object.create(null);
      for (const [key, value] of entries) {
        const name = key(frame);
        if (typeof name !== "string") throw site.evaluateError(`the key of a map is a string, found ${kindOf(name)}`);
        map[name] = value(frame);
      }
      return map;
    };
  }

  #binary(node: BinaryNode, site: Site): Run {
    const [left, right] = [this.compile(node.left), this.compile(node.right)];
    const { operator } = node;
    switch (operator) {
      case "==":
        return (frame) => equals(left(frame), right(frame), frame, site);
      case "!=":
        return (frame) => !equals(left(frame), right(frame), frame, site);
      case "in":
        return this.#in(node, left, right, site);
      case "matches":
        return this.#matches(node, left, right, site);
      case "contains":
      case "startsWith":
      case "endsWith":
        return (frame) => hasText(operator, left(frame), right(frame), frame, site);
      case "..":
        return (frame) => makeRange(...rangeBounds(left, right, frame, site), site);
      case "+":
        return (frame) => add(left(frame), right(frame), frame, site);
      case "-":
      case "*":
      case "/":
      case "%":
      case "**":
        return (frame) => calculate(operator, left(frame), right(frame), site);
      case "??":
        return (frame) => left(frame) ?? right(frame);
      default:
        return operator satisfies never;
    }
  }

  /** A range after `in` is tested by its bounds and never made. */
  #in(node: BinaryNode, left: Run, right: Run, site: Site): Run {
    if (node.right.kind !== "binary" || node.right.operator !== "..") {
      return (frame) => isIn(left(frame), right(frame), frame, site);
    }
    const [from, to] = [this.compile(node.right.left), this.compile(node.right.right)];
    const bounds = this.#site(node.right.at);
    return (frame) => inBounds(left(frame), ...rangeBounds(from, to, frame, bounds));
  }

  #matches(node: BinaryNode, left: Run, right: Run, site: Site): Run {
    if (node.right.kind !== "literal" || typeof node.right.value !== "string") {
      return (frame) => matches(left(frame), right(frame), frame, site);
    }
    const place = this.#site(node.right.at);
    const program = compilePattern(node.right.value, (reason) => place.compileError(reason));
    return (frame) => matchesProgram(left(frame), program, frame, site);
  }

  #order(node: OrderNode): Run {
    const first = this.compile(node.first);
    const rest = node.rest.map(({ operator, operand, at }) => {
      return { operator, operand: this.compile(operand), site: this.#site(at) };
    });
    const only = rest[0]!;
    if (rest.length === 1) {
      return (frame) => isOrdered(first(frame), only.operator, only.operand(frame), frame, only.site);
    }
    return (frame) => {
      let left = first(frame);
      for (const { operator, operand, site } of rest) {
        const right = operand(frame);
        if (!isOrdered(left, operator, right, frame, site)) return false;
        left = right;
      }
      return true;
    };
  }

  #logical(node: LogicalNode, site: Site): Run {
    const operands = node.operands.map((operand) => this.compile(operand));
    const decisive = node.operator === "or";
    const what = `an operand of "${node.operator}"`;
    return (frame) => {
      for (let index = 0; index < operands.length; index++) {
        if (requireBoolean(operands[index]!(frame), what, site) === decisive) return decisive;
      }
      return !decisive;
    };
  }

  #member(node: MemberNode): Run {
    const read = this.#reader(node.property, this.#site(node.at));
    const object = this.compile(node.object);
    return (frame) => read(object(frame), frame);
  }

  /** Reads a property of a value. */
  #reader(property: Node, site: Site): (object: Value, frame: Frame) => Value {
    if (property.kind === "literal" && typeof property.value === "string") {
      const name = property.value;
      return (object) => readName(object, name, site);
    }
    const key = this.compile(property);
    return (object, frame) => readKey(object, key(frame), frame, site);
  }

  #chain(node: ChainNode): Run {
    const body = this.#link(node.body);
    return (frame) => {
      const value = body(frame);
      return value === SKIPPED ? null : value;
    };
  }

  /** A member of a chain, down to where the chain starts. */
  #link(node: Node): Run {
    if (node.kind !== "member") return this.compile(node);
    const read = this.#reader(node.property, this.#site(node.at));
    const object = this.#link(node.object);
    const { optional } = node;
    return (frame) => {
      const value = object(frame);
      return value === SKIPPED || (optional && value === null) ? SKIPPED : read(value, frame);
    };
  }

  #slice(node: SliceNode, site: Site): Run {
    const object = this.compile(node.object);
    const from = node.from && this.compile(node.from);
    const to = node.to && this.compile(node.to);
    const what = "the bound of a slice";
    return (frame) => {
      const value = object(frame);
      const start = from === undefined ? 0 : toInteger(from(frame), what, site);
      const end = to === undefined ? Infinity : toInteger(to(frame), what, site);
      return slice(value, start, end, frame, site);
    };
  }
}

function compileArray(items: readonly Run[], site: Site): Run {
  return (frame) => {
    frame.allocate(items.length * BYTES_PER_ITEM, site);
    return items.map((item) => item(frame));
  };
}

function compileUnary(operator: UnaryOperator, operand: Run, site: Site): Run {
  switch (operator) {
    case "not":
      return (frame) => !requireBoolean(operand(frame), 'the operand of "not"', site);
    case "-":
      return (frame) => {
        const value = operand(frame);
        if (typeof value === "number") return -value + 0;
        throw site.evaluateError(`the operator "-" is not defined on ${kindOf(value)}`);
      };
    case "+":
      return operand;
    default:
      return operator satisfies never;
  }
}

function requireBoolean(value: Value, what: string, site: Site): boolean {
  if (typeof value === "boolean") return value;
  throw site.evaluateError(`${what} must be a boolean, found ${kindOf(value)}`);
}

function rangeBounds(from: Run, to: Run, frame: Frame, site: Site): [number, number] {
  return [
    toInteger(from(frame), "the start of a range", site),
    toInteger(to(frame), "the end of a range", site),
  ];
}

function isOrdered(left: Value, operator: OrderOperator, right: Value, frame: Frame, site: Site): boolean {
  const order = compare(left, right, operator, frame, site);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    default:
      return operator satisfies never;
  }
}

/** A part of a list or of a text's bytes; bounds outside are moved to the nearest end. */
function slice(value: Value, from: number, to: number, frame: Frame, site: Site): Value {
  if (!isList(value) && typeof value !== "string") throw site.evaluateError(`cannot slice ${kindOf(value)}`);
  if (typeof value === "string") frame.spendText(value.length, site);
  const length = typeof value === "string" ? byteLength(value) : value.length;
  const end = Math.min(Math.max(to < 0 ? length + to : to, 0), length);
  const start = Math.min(Math.max(from < 0 ? length + from : from, 0), end);
  if (value instanceof Range) return new Range(value.from + start, end - start);
  const size = typeof value === "string" ? BYTES_PER_CHARACTER : BYTES_PER_ITEM;
  frame.allocate((end - start) * size, site);
  return typeof value === "string" ? sliceBytes(value, start, end) : value.slice(start, end);
}

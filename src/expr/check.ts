/**
 * What can be known of an expression's types before it is evaluated.
 *
 * A type is the set of kinds a value may have; only what is wrong for every kind in the set is an error.
 *
 * @module
 */

import type {
  BinaryNode,
  CallNode,
  FunctionName,
  IterationNode,
  MemberNode,
  Node,
  OrderNode,
  SliceNode,
} from "./ast.ts";
import { type ExpressionError, Site } from "./errors.ts";

const NIL = 1;
const BOOLEAN = 2;
const NUMBER = 4;
const STRING = 8;
const ARRAY = 16;
const MAP = 32;
const ANY = NIL | BOOLEAN | NUMBER | STRING | ARRAY | MAP;

const KIND_NAMES: readonly (readonly [number, string])[] = [
  [NIL, "nil"],
  [BOOLEAN, "boolean"],
  [NUMBER, "number"],
  [STRING, "string"],
  [ARRAY, "array"],
  [MAP, "map"],
];

/** The kinds a value may have, and those its elements may have where it is a list. */
interface Type {
  readonly kinds: number;
  readonly element: number;
}

/** Fails if an expression cannot be boolean, or has a part that cannot be evaluated. Throws `ExpressionError`. */
export function check(source: string, node: Node): void {
  const { kinds } = new Checker(source).visit(node);
  if ((kinds & BOOLEAN) === 0) {
    throw new Site(source, node.at).compileError(`it can never be a boolean, it is ${describe(kinds)}`);
  }
}

function describe(kinds: number): string {
  if (kinds === ANY) return "any value";
  return KIND_NAMES.filter(([kind]) => (kinds & kind) !== 0).map(([, name]) => name).join(" or ");
}

function typed(kinds: number, element = ANY): Type {
  return { kinds, element };
}

class Checker {
  readonly #source: string;
  /** For each predicate around the node at hand, what it is given. */
  readonly #scopes: { readonly element: number; readonly indexed: boolean }[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  visit(node: Node): Type {
    switch (node.kind) {
      case "literal":
        return typed(literalKind(node.value));
      case "variable":
        return typed(ANY);
      case "pointer":
        return this.#pointer(node.name, node.at);
      case "array":
        return typed(ARRAY, node.items.reduce((kinds, item) => kinds | this.visit(item).kinds, 0) || ANY);
      case "map":
        return this.#map(node.entries);
      case "unary":
        return this.#unary(node.operator, this.visit(node.operand).kinds, node.at);
      case "binary":
        return this.#binary(node);
      case "order":
        return this.#order(node);
      case "logical":
        for (const operand of node.operands) {
          this.#require(operand, this.visit(operand).kinds, BOOLEAN, `an operand of "${node.operator}"`);
        }
        return typed(BOOLEAN);
      case "member":
        return this.#member(node);
      case "chain": {
        const { kinds, element } = this.visit(node.body);
        return typed(kinds | NIL, element);
      }
      case "slice":
        return this.#slice(node);
      case "conditional": {
        this.#require(node.test, this.visit(node.test).kinds, BOOLEAN, 'the test before "?"');
        const yes = this.visit(node.yes);
        const no = this.visit(node.no);
        return typed(yes.kinds | no.kinds, yes.element | no.element);
      }
      case "call":
        return this.#call(node);
      case "iteration":
        return this.#iteration(node);
      default:
        return node satisfies never;
    }
  }

  #pointer(name: "item" | "index", at: number): Type {
    const scope = this.#scopes.at(-1);
    if (name === "item") return typed(scope?.element ?? ANY);
    if (scope?.indexed) return typed(NUMBER);
    throw this.#error(at, '"#index" has a meaning in the predicate of "map" only');
  }

  #map(entries: readonly { readonly key: Node; readonly value: Node }[]): Type {
    for (const { key, value } of entries) {
      this.#require(key, this.visit(key).kinds, STRING, "the key of a map");
      this.visit(value);
    }
    return typed(MAP);
  }

  #unary(operator: "not" | "-" | "+", kinds: number, at: number): Type {
    const wanted = operator === "not" ? BOOLEAN : NUMBER;
    if ((kinds & wanted) !== 0) return typed(operator === "+" ? kinds : wanted);
    throw this.#error(at, `the operator "${operator}" is not defined on ${describe(kinds)}`);
  }

  #binary(node: BinaryNode): Type {
    const left = this.visit(node.left);
    const right = this.visit(node.right);
    const both = left.kinds & right.kinds;
    switch (node.operator) {
      case "==":
      case "!=":
        return typed(BOOLEAN);
      case "??":
        return (left.kinds & NIL) === 0 ? left : typed((left.kinds & ~NIL) | right.kinds, left.element | right.element);
      case "in":
        return this.#in(node, left.kinds, right.kinds);
      case "matches":
      case "contains":
      case "startsWith":
      case "endsWith":
        return (both & STRING) !== 0 ? typed(BOOLEAN) : this.#mismatch(node, left.kinds, right.kinds);
      case "+": {
        const sum = both & (NUMBER | STRING);
        return sum !== 0 ? typed(sum) : this.#mismatch(node, left.kinds, right.kinds);
      }
      case "%":
      case "..":
        this.#requireInteger(node.left, `the left side of "${node.operator}"`);
        this.#requireInteger(node.right, `the right side of "${node.operator}"`);
        if ((both & NUMBER) === 0) return this.#mismatch(node, left.kinds, right.kinds);
        return node.operator === "%" ? typed(NUMBER) : typed(ARRAY, NUMBER);
      case "-":
      case "*":
      case "/":
      case "**":
        return (both & NUMBER) !== 0 ? typed(NUMBER) : this.#mismatch(node, left.kinds, right.kinds);
      default:
        return node.operator satisfies never;
    }
  }

  #in(node: BinaryNode, left: number, right: number): Type {
    if ((right & (ARRAY | MAP)) === 0 || (right === MAP && (left & (STRING | NIL)) === 0)) {
      return this.#mismatch(node, left, right);
    }
    return typed(BOOLEAN);
  }

  #order(node: OrderNode): Type {
    let left = this.visit(node.first).kinds;
    for (const { operator, operand, at } of node.rest) {
      const right = this.visit(operand).kinds;
      if ((left & right & (NUMBER | STRING)) === 0) {
        throw this.#error(at, `the operator "${operator}" is not defined on ${describe(left)} and ${describe(right)}`);
      }
      left = right;
    }
    return typed(BOOLEAN);
  }

  #member(node: MemberNode): Type {
    const object = this.visit(node.object);
    const property = this.visit(node.property).kinds;
    const readable = STRING | ARRAY | MAP | (node.optional ? NIL : 0);
    this.#require(node, object.kinds, readable, "what is read from");
    if (object.kinds === MAP) this.#require(node.property, property, STRING | NIL, "the key of a map");
    if (object.kinds === ARRAY || object.kinds === STRING) {
      this.#require(node.property, property, NUMBER | STRING, "an index");
      this.#requireInteger(node.property, "an index");
      if (property === NUMBER) return typed(object.kinds === STRING ? NUMBER : object.element);
    }
    return typed(ANY);
  }

  #slice(node: SliceNode): Type {
    const object = this.visit(node.object);
    this.#require(node, object.kinds, STRING | ARRAY, "what is sliced");
    for (const bound of [node.from, node.to]) {
      if (bound === undefined) continue;
      this.#require(bound, this.visit(bound).kinds, NUMBER, "the bound of a slice");
      this.#requireInteger(bound, "the bound of a slice");
    }
    return typed(object.kinds & (STRING | ARRAY), object.element);
  }

  #call(node: CallNode): Type {
    const { accepts, gives } = SIGNATURES[node.name];
    const args = node.args.map((arg) => {
      const type = this.visit(arg);
      this.#require(arg, type.kinds, accepts, `the argument of "${node.name}"`);
      return type;
    });
    return gives(args);
  }

  #iteration(node: IterationNode): Type {
    const list = this.visit(node.list);
    this.#require(node.list, list.kinds, ARRAY, `the list of "${node.name}"`);
    let result = list.element;
    if (node.predicate !== undefined) {
      this.#scopes.push({ element: list.element, indexed: node.name === "map" });
      result = this.visit(node.predicate).kinds;
      this.#scopes.pop();
    }
    const judged = node.predicate ?? node.list;
    switch (node.name) {
      case "map":
        return typed(ARRAY, result);
      case "sum":
        this.#require(judged, result, NUMBER, 'what "sum" adds up');
        return typed(NUMBER);
      case "filter":
        this.#require(judged, result, BOOLEAN, 'the predicate of "filter"');
        return typed(ARRAY, list.element);
      case "any":
      case "all":
      case "none":
      case "one":
      case "count":
        this.#require(judged, result, BOOLEAN, `the predicate of "${node.name}"`);
        return typed(node.name === "count" ? NUMBER : BOOLEAN);
      default:
        return node.name satisfies never;
    }
  }

  #require(node: Node, kinds: number, wanted: number, what: string): void {
    if ((kinds & wanted) === 0) {
      throw this.#error(node.at, `${what} must be ${describe(wanted)}, found ${describe(kinds)}`);
    }
  }

  #requireInteger(node: Node, what: string): void {
    if (node.kind !== "literal" || typeof node.value !== "number" || Number.isInteger(node.value)) return;
    throw this.#error(node.at, `${what} must be an integer, found ${node.value}`);
  }

  #mismatch(node: BinaryNode, left: number, right: number): never {
    const operands = `${describe(left)} and ${describe(right)}`;
    throw this.#error(node.at, `the operator "${node.operator}" is not defined on ${operands}`);
  }

  #error(at: number, reason: string): ExpressionError {
    return new Site(this.#source, at).compileError(reason);
  }
}

function literalKind(value: null | boolean | number | string): number {
  if (value === null) return NIL;
  if (typeof value === "boolean") return BOOLEAN;
  return typeof value === "number" ? NUMBER : STRING;
}

/** What each function accepts, and what it gives for arguments of some types. */
interface Signature {
  readonly accepts: number;
  readonly gives: (args: readonly Type[]) => Type;
}

const SIGNATURES: Readonly<Record<FunctionName, Signature>> = {
  len: { accepts: STRING | ARRAY | MAP, gives: () => typed(NUMBER) },
  lower: { accepts: STRING, gives: () => typed(STRING) },
  upper: { accepts: STRING, gives: () => typed(STRING) },
  trim: { accepts: STRING, gives: () => typed(STRING) },
  abs: { accepts: NUMBER, gives: () => typed(NUMBER) },
  int: { accepts: NUMBER | STRING, gives: () => typed(NUMBER) },
  float: { accepts: NUMBER | STRING, gives: () => typed(NUMBER) },
  string: { accepts: ANY, gives: () => typed(STRING) },
  keys: { accepts: MAP, gives: () => typed(ARRAY, STRING) },
  first: { accepts: ARRAY, gives: elementOrNil },
  last: { accepts: ARRAY, gives: elementOrNil },
  min: { accepts: NUMBER | ARRAY, gives: () => typed(NUMBER | NIL) },
  max: { accepts: NUMBER | ARRAY, gives: () => typed(NUMBER | NIL) },
};

function elementOrNil([list]: readonly Type[]): Type {
  return typed(list!.kinds === ARRAY ? list!.element | NIL : ANY);
}

/**
 * From tokens to a tree, by the precedences of expr-lang.
 *
 * @module
 */

import { measured, type Node, type NodeShape, type OrderOperator } from "./ast.ts";
import { type ExpressionError, quoted, Site } from "./errors.ts";
import { INFIX, type Infix, NEGATABLE, PREFIX, UNSUPPORTED } from "./grammar.ts";
import { lex, type Token } from "./lex.ts";
import { MAX_DEPTH, MAX_NODES, MAX_SOURCE } from "./limits.ts";
import {
  FUNCTION_ARGUMENTS,
  isFunctionName,
  isIterationName,
  ITERATION_WITHOUT_PREDICATE,
  unknownFunction,
  unknownVariable,
  VARIABLES,
} from "./names.ts";

/** Parses an expression. Throws `ExpressionError` of kind `compile`. */
export function parse(source: string): Node {
  if (source.length > MAX_SOURCE) {
    throw new Site(source, MAX_SOURCE).compileError(
      `the source is too long: ${source.length} characters, the limit is ${MAX_SOURCE}`,
    );
  }
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #nodes = 0;
  #nesting = 0;
  #predicates = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = lex(source);
  }

  parse(): Node {
    if (this.#isEnd()) throw this.#error(this.#token, "it is empty");
    const node = this.#expression(0);
    if (!this.#isEnd()) throw this.#unexpected("an operator or the end of the expression");
    return node;
  }

  /** An expression of operators that bind at least as tightly as `precedence`. */
  #expression(precedence: number): Node {
    if (++this.#nesting > MAX_DEPTH) throw this.#tooDeep(this.#token.start);
    const node = this.#infix(this.#primary(), precedence);
    const result = precedence === 0 ? this.#conditional(node) : node;
    this.#nesting--;
    return result;
  }

  #infix(first: Node, precedence: number): Node {
    let left = first;
    let previous: Infix | undefined;
    for (;;) {
      const negated = this.#is("not") ? this.#token : undefined;
      const token = negated === undefined ? this.#token : this.#tokens[this.#next + 1]!;
      if (negated !== undefined && !(token.kind === "operator" && NEGATABLE.has(token.text))) {
        this.#next++;
        throw this.#unexpected('"in", "contains", "startsWith", "endsWith" or "matches" after "not"');
      }
      const infix = token.kind === "operator" ? INFIX.get(token.text) : undefined;
      if (infix === undefined || infix.precedence < precedence) return left;
      if (previous?.operator === "??" && infix.operator !== "??") {
        throw this.#error(token, `"??" and "${token.text}" cannot be mixed, put one of them in parentheses`);
      }
      this.#next += negated === undefined ? 1 : 2;
      left = this.#infixRight(left, infix, token);
      if (negated !== undefined) {
        left = this.#make({ kind: "unary", operator: "not", operand: left, at: negated.start });
      }
      previous = infix;
    }
  }

  #infixRight(left: Node, infix: Infix, token: Token): Node {
    const at = token.start;
    switch (infix.kind) {
      case "order":
        return this.#order(left, infix.operator, infix.precedence, at);
      case "logical": {
        const right = this.#expression(infix.precedence + 1);
        const operands = left.kind === "logical" && left.operator === infix.operator ? left.operands : [left];
        return this.#make({ kind: "logical", operator: infix.operator, operands: [...operands, right], at });
      }
      case "binary": {
        const right = this.#expression(infix.precedence + (infix.rightAssociative ? 0 : 1));
        return this.#make({ kind: "binary", operator: infix.operator, left, right, at });
      }
      default:
        return infix satisfies never;
    }
  }

  /** `a < b <= c`, from the first operator on. */
  #order(first: Node, operator: OrderOperator, precedence: number, at: number): Node {
    const rest = [{ operator, operand: this.#expression(precedence + 1), at }];
    for (;;) {
      const token = this.#token;
      const next = token.kind === "operator" ? INFIX.get(token.text) : undefined;
      if (next?.kind !== "order") return this.#make({ kind: "order", first, rest, at });
      this.#next++;
      rest.push({ operator: next.operator, operand: this.#expression(precedence + 1), at: token.start });
    }
  }

  #conditional(first: Node): Node {
    let test = first;
    while (this.#is("?")) {
      const at = this.#token.start;
      this.#next++;
      const yes = this.#is(":") ? test : this.#expression(0);
      this.#expect(":");
      const no = this.#expression(0);
      test = this.#make({ kind: "conditional", test, yes, no, at });
    }
    return test;
  }

  #primary(): Node {
    const token = this.#token;
    const prefix = token.kind === "operator" ? PREFIX.get(token.text) : undefined;
    if (prefix !== undefined) {
      this.#next++;
      const operand = this.#expression(prefix.precedence);
      return this.#make({ kind: "unary", operator: prefix.operator, operand, at: token.start });
    }
    if (token.kind === "pointer" || (this.#predicates > 0 && this.#is("."))) return this.#postfix(this.#pointer());
    if (token.kind === "number") return this.#literal(token, token.value);
    if (token.kind === "string") return this.#postfix(this.#literal(token, token.value));
    if (token.kind === "name") return this.#name(token);
    if (this.#is("(")) {
      this.#next++;
      const node = this.#expression(0);
      this.#expect(")");
      return this.#postfix(node);
    }
    if (this.#is("[")) return this.#postfix(this.#array());
    if (this.#is("{")) return this.#postfix(this.#map());
    throw this.#unexpected("a value");
  }

  #literal(token: Token, value: null | boolean | number | string): Node {
    this.#next++;
    return this.#make({ kind: "literal", value, at: token.start });
  }

  #pointer(): Node {
    const token = this.#token;
    if (this.#predicates === 0) throw this.#error(token, `${quoted(token.text)} has a meaning in predicates only`);
    if (token.kind !== "pointer") return this.#make({ kind: "pointer", name: "item", at: token.start });
    if (token.text !== "#" && token.text !== "#index") {
      throw this.#error(token, `unknown pointer ${quoted(token.text)}; there are "#" and, in "map", "#index"`);
    }
    this.#next++;
    return this.#make({ kind: "pointer", name: token.text === "#" ? "item" : "index", at: token.start });
  }

  #name(token: Token): Node {
    switch (token.text) {
      case "true":
        return this.#literal(token, true);
      case "false":
        return this.#literal(token, false);
      case "nil":
        return this.#literal(token, null);
    }
    this.#next++;
    if (this.#is("(")) return this.#postfix(this.#call(token));
    if (!VARIABLES.includes(token.text)) throw this.#error(token, unknownVariable(token.text));
    return this.#postfix(this.#make({ kind: "variable", name: token.text, at: token.start }));
  }

  #call(token: Token): Node {
    const name = token.text;
    if (isIterationName(name)) return this.#iteration(token);
    if (!isFunctionName(name)) throw this.#error(token, unknownFunction(name));
    const args = this.#list("(", ")", () => this.#expression(0));
    const [least, most] = FUNCTION_ARGUMENTS[name];
    if (args.length < least || args.length > most) {
      const expected = most === Infinity ? `at least ${least}` : least === most ? least : `${least} or ${most}`;
      throw this.#error(
        token,
        `"${name}" takes ${expected} argument${least === 1 && most !== 2 ? "" : "s"}, found ${args.length}`,
      );
    }
    return this.#make({ kind: "call", name, args, at: token.start });
  }

  #iteration(token: Token): Node {
    const name = token.text;
    if (!isIterationName(name)) throw this.#error(token, unknownFunction(name));
    this.#expect("(");
    if (this.#is(")")) throw this.#unexpected(`the list that "${name}" goes over`);
    const list = this.#expression(0);
    let predicate: Node | undefined;
    if (this.#is(",")) {
      this.#next++;
      if (!(this.#is(")") && ITERATION_WITHOUT_PREDICATE[name])) predicate = this.#predicate();
    } else if (!ITERATION_WITHOUT_PREDICATE[name]) {
      throw this.#unexpected(`"," and the predicate of "${name}"`);
    }
    if (predicate !== undefined && this.#is(",")) this.#next++;
    this.#expect(")");
    return this.#make({ kind: "iteration", name, list, predicate, at: token.start });
  }

  #predicate(): Node {
    const braced = this.#is("{");
    if (braced) this.#next++;
    this.#predicates++;
    const node = this.#expression(0);
    this.#predicates--;
    if (braced) this.#expect("}");
    return node;
  }

  #array(): Node {
    const at = this.#token.start;
    return this.#make({ kind: "array", items: this.#list("[", "]", () => this.#expression(0)), at });
  }

  #map(): Node {
    const at = this.#token.start;
    const entries = this.#list("{", "}", () => {
      const key = this.#mapKey();
      this.#expect(":");
      return { key, value: this.#expression(0) };
    });
    return this.#make({ kind: "map", entries, at });
  }

  #mapKey(): Node {
    const token = this.#token;
    if (token.kind === "name" || token.kind === "number") return this.#literal(token, token.text);
    if (token.kind === "string") return this.#literal(token, token.value);
    if (this.#is("(")) return this.#expression(0);
    throw this.#unexpected("a key: a name, a string, a number or an expression in parentheses");
  }

  /** Items between brackets, separated by commas; a comma after the last one is allowed. */
  #list<T>(open: string, close: string, item: () => T): T[] {
    this.#expect(open);
    const items: T[] = [];
    while (!this.#is(close)) {
      if (items.length > 0) {
        if (!this.#is(",")) throw this.#unexpected(`"," or "${close}"`);
        this.#next++;
        if (this.#is(close)) break;
      }
      items.push(item());
    }
    this.#next++;
    return items;
  }

  #postfix(first: Node): Node {
    let node = first;
    for (;;) {
      if (this.#is(".") || this.#is("?.")) {
        node = this.#member(node);
      } else if (this.#is("[")) {
        node = this.#index(node, false);
      } else {
        return node;
      }
    }
  }

  #member(object: Node): Node {
    const optional = this.#is("?.");
    this.#next++;
    if (optional && this.#is("[")) return this.#index(object, true);
    const token = this.#token;
    if (!(token.kind === "name" || (token.kind === "operator" && /^[a-zA-Z]/.test(token.text)))) {
      throw this.#unexpected(`a name after "${optional ? "?." : "."}"`);
    }
    const property = this.#literal(token, token.text);
    if (this.#is("(")) throw this.#error(token, `calling the method ${quoted(token.text)} is not supported`);
    const chained = object.kind === "chain";
    const inner = chained ? object.body : object;
    const member = this.#make({ kind: "member", object: inner, property, optional, at: token.start });
    return chained || optional ? this.#make({ kind: "chain", body: member, at: token.start }) : member;
  }

  #index(object: Node, optional: boolean): Node {
    const at = this.#token.start;
    this.#next++;
    const from = this.#is(":") ? undefined : this.#expression(0);
    if (this.#is(":")) {
      this.#next++;
      const to = this.#is("]") ? undefined : this.#expression(0);
      this.#expect("]");
      return this.#make({ kind: "slice", object, from, to, at });
    }
    if (from === undefined || !this.#is("]")) throw this.#unexpected('":" or "]"');
    this.#next++;
    const member = this.#make({ kind: "member", object, property: from, optional, at });
    return optional ? this.#make({ kind: "chain", body: member, at }) : member;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #is(text: string): boolean {
    const token = this.#tokens[this.#next]!;
    return token.kind === "operator" && token.text === text;
  }

  #isEnd(): boolean {
    return this.#token.kind === "end";
  }

  #expect(text: string): void {
    if (!this.#is(text)) throw this.#unexpected(`"${text}"`);
    this.#next++;
  }

  #make(shape: NodeShape): Node {
    const node = measured(shape);
    if (++this.#nodes > MAX_NODES) {
      throw new Site(this.#source, node.at).compileError(`it is too large: more than ${MAX_NODES} nodes`);
    }
    if (node.depth > MAX_DEPTH) throw this.#tooDeep(node.at);
    return node;
  }

  #tooDeep(at: number): ExpressionError {
    return new Site(this.#source, at).compileError(`it is nested too deeply: more than ${MAX_DEPTH} levels`);
  }

  #unexpected(expected: string): ExpressionError {
    const token = this.#token;
    const unsupported = token.kind === "operator" ? UNSUPPORTED.get(token.text) : undefined;
    if (unsupported !== undefined) return this.#error(token, unsupported);
    const found = token.kind === "end" ? "the end of the expression" : quoted(token.text);
    return this.#error(token, `expected ${expected} but found ${found}`);
  }

  #error(token: Token, reason: string): ExpressionError {
    return new Site(this.#source, token.start).compileError(reason);
  }
}

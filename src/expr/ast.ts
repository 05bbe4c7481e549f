/**
 * The tree of an expression.
 *
 * @module
 */

/** What every node has. */
interface Common {
  /** Where the node is reported, as an offset into the source. */
  readonly at: number;
  /** Levels of nodes, this one included. */
  readonly depth: number;
  /** Nodes below and including this one: what evaluating it once costs, in steps. */
  readonly weight: number;
}

/** A literal: `nil`, a boolean, a number or a string. */
export interface LiteralNode extends Common {
  readonly kind: "literal";
  readonly value: null | boolean | number | string;
}

/** A variable of the context: `payload`. */
export interface VariableNode extends Common {
  readonly kind: "variable";
  readonly name: string;
}

/** Inside a predicate, the element at hand (`#`) or its index (`#index`). */
export interface PointerNode extends Common {
  readonly kind: "pointer";
  readonly name: "item" | "index";
}

/** `[1, 2]`. */
export interface ArrayNode extends Common {
  readonly kind: "array";
  readonly items: readonly Node[];
}

/** `{a: 1, (payload.key): 2}`. */
export interface MapNode extends Common {
  readonly kind: "map";
  readonly entries: readonly { readonly key: Node; readonly value: Node }[];
}

/** The operators before an operand. */
export type UnaryOperator = "not" | "-" | "+";

/** An operator before an operand. */
export interface UnaryNode extends Common {
  readonly kind: "unary";
  readonly operator: UnaryOperator;
  readonly operand: Node;
}

/** The operators between two operands that are neither logical nor ordering. */
export type BinaryOperator =
  | "=="
  | "!="
  | "in"
  | "matches"
  | "contains"
  | "startsWith"
  | "endsWith"
  | ".."
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**"
  | "??";

/** An operator between two operands. */
export interface BinaryNode extends Common {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Node;
  readonly right: Node;
}

/** The operators that order. */
export type OrderOperator = "<" | "<=" | ">" | ">=";

/** `1 < a <= 3`: each operand is evaluated at most once, and all the comparisons must hold. */
export interface OrderNode extends Common {
  readonly kind: "order";
  readonly first: Node;
  readonly rest: readonly { readonly operator: OrderOperator; readonly operand: Node; readonly at: number }[];
}

/** `a and b and c`, in one node however long the chain. */
export interface LogicalNode extends Common {
  readonly kind: "logical";
  readonly operator: "and" | "or";
  readonly operands: readonly Node[];
}

/** `object.name`, `object[index]`, `object?.name`. */
export interface MemberNode extends Common {
  readonly kind: "member";
  readonly object: Node;
  readonly property: Node;
  readonly optional: boolean;
}

/** The end of what a `?.` skips when its object is `nil`. */
export interface ChainNode extends Common {
  readonly kind: "chain";
  readonly body: Node;
}

/** `list[from:to]`. */
export interface SliceNode extends Common {
  readonly kind: "slice";
  readonly object: Node;
  readonly from: Node | undefined;
  readonly to: Node | undefined;
}

/** `test ? yes : no`. */
export interface ConditionalNode extends Common {
  readonly kind: "conditional";
  readonly test: Node;
  readonly yes: Node;
  readonly no: Node;
}

/** The functions over values. */
export type FunctionName =
  | "len"
  | "lower"
  | "upper"
  | "trim"
  | "abs"
  | "int"
  | "float"
  | "string"
  | "keys"
  | "first"
  | "last"
  | "min"
  | "max";

/** A function over values. */
export interface CallNode extends Common {
  readonly kind: "call";
  readonly name: FunctionName;
  readonly args: readonly Node[];
}

/** The functions that go over a list. */
export type IterationName = "any" | "all" | "none" | "one" | "count" | "filter" | "map" | "sum";

/** A function that goes over a list; the predicate of `count` and of `sum` may be left out. */
export interface IterationNode extends Common {
  readonly kind: "iteration";
  readonly name: IterationName;
  readonly list: Node;
  readonly predicate: Node | undefined;
}

/** A node of the tree. */
export type Node =
  | LiteralNode
  | VariableNode
  | PointerNode
  | ArrayNode
  | MapNode
  | UnaryNode
  | BinaryNode
  | OrderNode
  | LogicalNode
  | MemberNode
  | ChainNode
  | SliceNode
  | ConditionalNode
  | CallNode
  | IterationNode;

/** A node whose depth and weight are still to be counted. */
export type NodeShape = Node extends infer N ? N extends Node ? Omit<N, "depth" | "weight"> : never : never;

/** A node from its shape. */
export function measured(shape: NodeShape): Node {
  let depth = 0;
  let weight = 1;
  for (const child of childrenOf(shape)) {
    depth = Math.max(depth, child.depth);
    weight += child.weight;
  }
  return { ...shape, depth: depth + 1, weight };
}

/** The direct children, in the order of the source. */
export function childrenOf(node: NodeShape): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "variable":
    case "pointer":
      return [];
    case "array":
      return node.items;
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "order":
      return [node.first, ...node.rest.map(({ operand }) => operand)];
    case "logical":
      return node.operands;
    case "member":
      return [node.object, node.property];
    case "chain":
      return [node.body];
    case "slice":
      return [node.object, node.from, node.to].filter((child) => child !== undefined);
    case "conditional":
      return [node.test, node.yes, node.no];
    case "call":
      return node.args;
    case "iteration":
      return node.predicate === undefined ? [node.list] : [node.list, node.predicate];
    default:
      return node satisfies never;
  }
}

/** The names of the context's variables below and including a node. */
export function variablesOf(node: Node, names: Set<string> = new Set()): Set<string> {
  if (node.kind === "variable") names.add(node.name);
  for (const child of childrenOf(node)) variablesOf(child, names);
  return names;
}

/**
 * Choice expressions: placeholder of the room's face.
 *
 * @module
 */

/** A compiled expression. */
export interface Predicate {
  /** Evaluates the expression. */
  test(context: Record<string, import("../json.ts").Json>): boolean;
}

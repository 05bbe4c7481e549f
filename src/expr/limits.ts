/**
 * Every bound on the size of an expression and on the work that one evaluation may do.
 *
 * @module
 */

/** The longest source, in UTF-16 code units. */
export const MAX_SOURCE = 16_384;

/** The most nodes a parsed expression may have. */
export const MAX_NODES = 2_048;

/** The deepest nesting of an expression, of a compared or formatted value, and of a pattern's groups. */
export const MAX_DEPTH = 256;

/** The most work of one evaluation; a step is about one node evaluated inside a loop. */
export const MAX_STEPS = 1_000_000;

/** The most memory that one evaluation may allocate in all, in bytes, roughly counted. */
export const MAX_MEMORY = 8_388_608;

/** The most elements of a range, except where `in` tests it without making it. */
export const MAX_RANGE = 1_000_000;

/** The most instructions of a compiled pattern. */
export const MAX_PATTERN_PROGRAM = 10_000;

/** The largest bound of a repetition in a pattern, as in RE2. */
export const MAX_PATTERN_REPEAT = 1_000;

/** Characters of text handled for one step of work. */
export const CHARACTERS_PER_STEP = 16;

/** Visits of a pattern's states for one step of work. */
export const VISITS_PER_STEP = 8;

/** Steps of work for compiling one instruction of a pattern that is computed. */
export const STEPS_PER_INSTRUCTION = 4;

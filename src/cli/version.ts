/**
 * The version of the package.
 *
 * @module
 */

/** The version of the package, as in `deno.json`. */
export const VERSION = "0.1.0";

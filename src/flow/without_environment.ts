/**
 * Runs code as if there were no environment variables.
 *
 * @module
 */

import process from "node:process";

/**
 * Runs a function with an empty environment, and gives what it gives.
 *
 * `yaml` looks for two variables that switch its own logging on, at every token; a process without permission to read
 * the environment could not read a flow. The function has to be synchronous: nothing else runs meanwhile.
 */
export function withoutEnvironment<T>(run: () => T): T {
  const environment = process.env;
  process.env = {};
  try {
    return run();
  } finally {
    process.env = environment;
  }
}

/**
 * Logging: a port of four functions, and the default that writes JSON lines to the console.
 *
 * @module
 */

/** Where packtrail says what it does. `fields` are JSON. */
export interface Logger {
  /** What only someone who debugs wants to know. */
  debug(message: string, fields?: Record<string, unknown>): void;
  /** What an operator wants to know. */
  info(message: string, fields?: Record<string, unknown>): void;
  /** What went wrong and is being coped with. */
  warn(message: string, fields?: Record<string, unknown>): void;
  /** What went wrong and someone should look at. */
  error(message: string, fields?: Record<string, unknown>): void;
}

/** Writes JSON lines to the console: warnings and errors to standard error; nothing of level `debug`. */
export function consoleLogger(): Logger {
  const line = (level: string, message: string, fields?: Record<string, unknown>) =>
    JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
  return {
    debug: () => {},
    info: (message, fields) => console.log(line("info", message, fields)),
    warn: (message, fields) => console.warn(line("warn", message, fields)),
    error: (message, fields) => console.error(line("error", message, fields)),
  };
}

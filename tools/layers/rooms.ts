/** What a room of `src/` may do. */
export interface Room {
  /** The rooms it may import; its own files it always may. */
  readonly imports: readonly string[];
  /** No I/O, clock, randomness or promises, nothing of Deno, Node or NATS. */
  readonly pure?: true;
}

const base = ["errors", "names", "json", "duration", "logger"];
const pure = [...base, "expr", "flow", "core", "protocol"];
const engine = [...pure, "connection", "outbox", "requests", "nats", "invoker", "engine"];
const server = [...engine, "async", "worker", "server"];

/**
 * The rooms of `src/`: `name` is the folder `src/name/` or the file `src/name.ts`, and the arrows of the design are
 * the lists. A new room is added here, with the rooms it stands on.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  errors: { imports: [], pure: true },
  json: { imports: ["errors"], pure: true },
  names: { imports: ["errors", "json"], pure: true },
  duration: { imports: ["errors"], pure: true },
  logger: { imports: [] },
  connection: { imports: [] },
  outbox: { imports: [] },
  requests: { imports: ["outbox"] },
  expr: { imports: base, pure: true },
  flow: { imports: [...base, "expr"], pure: true },
  core: { imports: [...base, "expr", "flow"], pure: true },
  protocol: { imports: base, pure: true },
  nats: { imports: [...pure, "connection", "outbox", "requests"] },
  invoker: { imports: [...pure, "requests"] },
  worker: { imports: [...base, "connection", "protocol"] },
  engine: { imports: engine },
  async: { imports: engine },
  server: { imports: server },
  ui: { imports: ["server", "mod"] },
  nats_server: { imports: [] },
  testing: { imports: [...server, "mod", "nats_server"] },
  cli: { imports: ["names", "flow", "server", "mod", "ui", "nats_server"] },
};

/** What the file `mod.ts` may import: everything that is not built on top of it. */
export const MOD: Room = { imports: [...server] };

/** What a pure room must not hold, and why not. Property names (`.async`, `async:`) are no match. */
export const IMPURE: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /(?<![.\w$])(?:async|await)\b(?!\s*\??:)/g, what: "is asynchronous" },
  { pattern: /(?<![.\w$])Promise\b/g, what: "uses promises" },
  { pattern: /(?<![.\w$])Deno\b/g, what: "uses Deno" },
  {
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\s(\w]))|(?<!new\s+|[.\w$])Date\s*\(/g,
    what: "reads the clock",
  },
  { pattern: /(?<![.\w$])performance\b(?!\s*\??:)/g, what: "reads the clock" },
  { pattern: /\bMath\s*\.\s*random\b|\bgetRandomValues\b|\brandomUUID\b/g, what: "draws random numbers" },
  { pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, what: "sets a timer" },
  { pattern: /(?<![.\w$])(?:fetch|console)\s*(?=[.(])/g, what: "does input or output" },
];

/** What no room may use, for the package runs on Node 20 and Bun as well: docs/runtimes.md. */
export const FOREIGN: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /(?<![.\w$])Deno\b/g, what: "is Deno's alone" },
  { pattern: /(?<![.\w$])(?:await\s+)?using\s+[\w$]+\s*=/g, what: "cannot be read by Node 20" },
  {
    pattern: /\b(?:Promise\s*\.\s*(?:withResolvers|try)|(?:Map|Object)\s*\.\s*groupBy|Array\s*\.\s*fromAsync)\b/g,
    what: "is not there on Node 20",
  },
  { pattern: /\.(?:toHex|toBase64|bytes)\s*\(/g, what: "is not there on Node 20" },
];

/** Files of `src/` that are not published, besides tests. */
export const UNPUBLISHED = /^src\/core\/testing\/|\/_testing\.ts$/;

/** Modules from outside that a pure room must not import. */
export const IMPURE_MODULES = /^(?:node:|(?:jsr:|npm:)?@nats-io\/|npm:nats\b)/;

/** Imports that are let through: a file of `src/`, and the one module it may import all the same. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  // It hides the environment from a library that would read it: the opposite of asking the outside.
  "src/flow/without_environment.ts": "node:process",
};

/**
 * What the command says when something goes wrong, and its exit codes.
 *
 * @module
 */

import { PacktrailError, ValidationError, type ValidationIssue } from "../../mod.ts";
import { NatsServerError } from "../nats_server/mod.ts";

/** The exit codes. */
export const EXIT = {
  /** It worked. */
  ok: 0,
  /** Something unexpected went wrong. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** A flow, a name or a payload is not valid. */
  invalid: 3,
  /** There is no such execution, flow or schedule. */
  notFound: 4,
  /** The execution is not in a state that allows it, or the id is taken. */
  state: 5,
  /** NATS cannot be reached, or not be used. */
  nats: 6,
  /** The execution that was waited for failed, or was cancelled. */
  ended: 7,
  /** `doctor` found something to mend. */
  unwell: 8,
} as const;

/** The exit codes, for `--help`. */
export const EXIT_HELP = `Exit codes:
  0  it worked
  1  something unexpected went wrong
  2  the command line makes no sense
  3  a flow, a name or a payload is not valid
  4  there is no such execution, flow or schedule
  5  the execution's state does not allow it, or the id is taken
  6  NATS cannot be reached, or not be used
  7  the execution that was waited for failed, or was cancelled
  8  doctor found something to mend`;

/** The command cannot do what the user wants: a message, no stack trace. */
export class CommandError extends Error {
  /** The exit code. */
  readonly exitCode: number;
  /** What to do about it. */
  readonly hint: string | undefined;

  /** Creates the error. */
  constructor(exitCode: number, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** An error as the user is told of it. */
export interface Explanation {
  /** The exit code. */
  readonly exitCode: number;
  /** The error's stable code. */
  readonly code: string;
  /** What went wrong. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Everything that is not valid. */
  readonly issues?: readonly ValidationIssue[];
}

/** What to tell the user of an error; `undefined` where it is none of the user's making. */
export function explain(error: unknown): Explanation | undefined {
  if (error instanceof CommandError) {
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return { exitCode: error.exitCode, code: codeNames[error.exitCode] ?? "FAILED", message: error.message, ...hint };
  }
  if (error instanceof NatsServerError) return { exitCode: EXIT.nats, code: "SERVER", message: error.message };
  if (!(error instanceof PacktrailError)) return undefined;
  const { code, message } = error;
  const issues = error instanceof ValidationError ? { issues: error.issues, ...invokerHint(error.issues) } : {};
  return { code, message, ...issues, ...advice(code) };
}

/** A flow that names a kind of invoker is right, and needs somebody who does its tasks. */
function invokerHint(issues: readonly ValidationIssue[]): { hint?: string } {
  if (!issues.some(({ path }) => path.endsWith(".invoker"))) return {};
  return { hint: "give invokers with `--with module.ts`; `packtrail dev` echoes for tasks that nobody does" };
}

const codeNames: Readonly<Record<number, string>> = {
  [EXIT.usage]: "USAGE",
  [EXIT.invalid]: "VALIDATION",
  [EXIT.notFound]: "NOT_FOUND",
  [EXIT.state]: "STATE",
  [EXIT.nats]: "UNAVAILABLE",
};

function advice(code: PacktrailError["code"]): { exitCode: number; hint?: string } {
  switch (code) {
    case "VALIDATION":
    case "PAYLOAD_TOO_LARGE":
      return { exitCode: EXIT.invalid };
    case "NOT_FOUND":
      return { exitCode: EXIT.notFound, hint: "`packtrail list` and `packtrail flows` show what there is" };
    case "CONFLICT":
      return { exitCode: EXIT.state };
    case "STATE":
      return { exitCode: EXIT.state, hint: "`packtrail get` shows the state it is in" };
    case "SERVER_VERSION":
      return { exitCode: EXIT.nats, hint: "`packtrail doctor` looks at the server" };
    case "PERMISSION":
      return { exitCode: EXIT.nats, hint: "`packtrail permissions --role …` prints what a role needs" };
    case "UNAVAILABLE":
      return { exitCode: EXIT.nats, hint: "`packtrail doctor` looks at the server" };
    default:
      return code satisfies never;
  }
}

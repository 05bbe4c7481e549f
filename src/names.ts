/**
 * Every NATS name packtrail uses, and the only validator of names that come from outside.
 *
 * An execution's stream, subjects and filters are all decided here, from its id: this is the one place to change
 * when executions are spread over several streams.
 *
 * @module
 */

import { invalid } from "./errors.ts";

const NAME = /^[A-Za-z0-9_-]{1,128}$/;
const NAMESPACE = /^[A-Za-z0-9_-]{1,64}$/;
const NAMES = "letters, digits, `_` and `-`, 1 to 128 of them";

/** Whether a value is a legal name of a flow, node, signal, schedule or kind, or an execution id. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

/**
 * Returns the value where it is a legal name.
 *
 * @param path What the name is, for the error: `"id"`, `"options.namespace"`.
 * @throws {ValidationError} Where it is not.
 */
export function checkName(path: string, value: unknown): string {
  if (isName(value)) return value;
  throw invalid(path, `${quoted(value)} is not a legal name: use ${NAMES}`);
}

/**
 * Returns the value where it is a legal namespace.
 *
 * @throws {ValidationError} Where it is not.
 */
export function checkNamespace(value: unknown): string {
  if (typeof value === "string" && NAMESPACE.test(value)) return value;
  throw invalid(
    "namespace",
    `${quoted(value)} is not a legal namespace: use letters, digits, \`_\` and \`-\`, 1 to 64 of them`,
  );
}

/** A value from outside as a short, printable quotation for an error message. */
export function quoted(value: unknown): string {
  const text = jsonOf(value) ?? textOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Not everything can be made a text: an object without a prototype cannot, and one from outside may refuse. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Array.isArray(value) ? "an array" : "an object";
  }
}

const CAPTURED = new Set(["async", "cron", "data", "dead", "events", "exec", "in", "mail", "sys", "tick"]);

/**
 * Whether a target, or a subject within a namespace, belongs to the namespace's streams: `exec.x`, `in.signal.y.z`.
 *
 * A request published there would be stored as if an engine or a client had written it, and a worker that listens there
 * would answer in the place of the streams.
 */
export function isCapturedTarget(target: string): boolean {
  const end = target.indexOf(".");
  return CAPTURED.has(end === -1 ? target : target.slice(0, end));
}

/** The subject of a head, taken apart. */
export interface HeadSubject {
  /** The phase. */
  readonly phase: string;
  /** The flow's name. */
  readonly flow: string;
  /** The execution's id. */
  readonly id: string;
}

/** The NATS names of one namespace. */
export class Names {
  /** The namespace: the prefix of every name. */
  readonly namespace: string;
  /** The stream of dead letters. */
  readonly deadLetterStream: string;
  /** The stream of values too large for a head. */
  readonly dataStream: string;
  /** The stream of events. */
  readonly eventStream: string;
  /** The stream of what comes from outside the engines. */
  readonly inboxStream: string;
  /** The key-value bucket of the flows. */
  readonly flowBucket: string;
  /** The key-value bucket of recorded results. */
  readonly resultBucket: string;

  /** @throws {ValidationError} Where the namespace is not legal. */
  constructor(namespace: string) {
    this.namespace = checkNamespace(namespace);
    this.deadLetterStream = `${namespace}-dead-letters`;
    this.dataStream = `${namespace}-data`;
    this.eventStream = `${namespace}-events`;
    this.inboxStream = `${namespace}-inbox`;
    this.flowBucket = `${namespace}-flows`;
    this.resultBucket = `${namespace}-result-cache`;
  }

  /** The stream an execution lives in. There is one today; the id decides when there are several. */
  executionStream(_id?: string): string {
    return `${this.namespace}-executions`;
  }

  /** The subjects of the executions' stream. */
  executionSubjects(): string[] {
    return ["exec", "mail", "cron", "tick", "sys"].map((kind) => `${this.namespace}.${kind}.>`);
  }

  /** The subject of an execution's head. */
  head(phase: string, flow: string, id: string): string {
    return `${this.namespace}.exec.${phase}.${flow}.${id}`;
  }

  /** The filter of all heads of an execution: the one string that every compare-and-set of it carries (R1). */
  headsOf(flow: string, id: string): string {
    return `${this.namespace}.exec.*.${flow}.${id}`;
  }

  /** The filter of the heads of a phase, of a flow or of all. */
  headsIn(phase: string, flow = "*"): string {
    return `${this.namespace}.exec.${phase}.${flow}.*`;
  }

  /** Takes the subject of a head or of its event apart. */
  parseHead(subject: string): HeadSubject | undefined {
    const tokens = subject.slice(this.namespace.length + 1).split(".");
    const [, phase, flow, id] = tokens;
    return tokens.length === 4 && phase && flow && id ? { phase, flow, id } : undefined;
  }

  /** What the server republishes heads from and to. */
  republish(): { src: string; dest: string } {
    return { src: `${this.namespace}.exec.>`, dest: `${this.namespace}.events.>` };
  }

  /** The filter of events: of a phase, of an execution, or of all. */
  events(phase = "*", id = "*", flow = "*"): string {
    return `${this.namespace}.events.${phase}.${flow}.${id}`;
  }

  /** The subject of parts of an execution's history that its head no longer carries. */
  history(flow: string, id: string): string {
    return `${this.namespace}.history.${flow}.${id}`;
  }

  /** The subject of a signal that is kept. */
  signalMail(id: string, name: string): string {
    return `${this.namespace}.mail.${id}.${name}`;
  }

  /** The subject of a completion that is kept. */
  completionMail(id: string, node: string, generation: number, attempt: number): string {
    return `${this.namespace}.mail.${id}.${node}.${generation}.${attempt}`;
  }

  /** The filter of all that is kept for an execution, or for all. */
  mailOf(id = "*"): string {
    return `${this.namespace}.mail.${id}.>`;
  }

  /** The subject of a recurring schedule. */
  cron(name: string): string {
    return `${this.namespace}.cron.${name}`;
  }

  /** The subject that a recurring schedule's ticks land on. */
  tick(flow: string, name: string): string {
    return `${this.namespace}.tick.${flow}.${name}`;
  }

  /**
   * The subject that the server writes when it removes an execution that had ended: one of the execution's own, so
   * that it stands above whatever is left over of it.
   */
  removed(flow: string, id: string): string {
    return this.head("removed", flow, id);
  }

  /** Whether a subject is that of a removed execution. */
  isRemoved(subject: string): boolean {
    return this.parseHead(subject)?.phase === "removed";
  }

  /** The filter of all ticks of recurring schedules. */
  ticks(): string {
    return `${this.namespace}.tick.>`;
  }

  /** The schedule of the namespace's own housekeeping, and what its ticks land on. */
  housekeeping(part: "schedule" | "tick"): string {
    return `${this.namespace}.sys.reconcile.${part}`;
  }

  /** The subjects of the inbox. */
  inboxSubjects(): string {
    return `${this.namespace}.in.>`;
  }

  /** The subject of a command in the inbox. */
  command(...tokens: (string | number)[]): string {
    return `${this.namespace}.in.${tokens.join(".")}`;
  }

  /** Takes the subject of a command apart. */
  parseCommand(subject: string): string[] {
    return subject.slice(this.namespace.length + 4).split(".");
  }

  /** The subject of a value too large for a head. */
  data(id: string, write: string): string {
    return `${this.namespace}.data.${id}.${write}`;
  }

  /** The filter of an execution's large values, or of all. */
  dataOf(id = "*"): string {
    return `${this.namespace}.data.${id}.*`;
  }

  /** The subject of dead letters of a source. */
  deadLetter(source: string): string {
    return `${this.namespace}.dead.${source}`;
  }

  /** The filter of all dead letters. */
  deadLetters(): string {
    return `${this.namespace}.dead.>`;
  }

  /** The stream of an async invoker's jobs. */
  asyncStream(kind: string): string {
    return `${this.namespace}-async-${kind}`;
  }

  /** The subject of an async invoker's jobs. */
  asyncJobs(kind: string): string {
    return `${this.namespace}.async.${kind}`;
  }

  /** The durable consumer of a flow's work. */
  flowConsumer(flow: string): string {
    return `flow-${flow}`;
  }

  /** The consumer that counts what has completed of a flow. */
  counter(flow: string): string {
    return `completed-${flow}`;
  }

  /** The subjects of a flow's work. */
  work(flow: string): string[] {
    return [this.headsIn("ready", flow), this.headsIn("due", flow)];
  }

  /** The subject a `nats-task` worker listens on. */
  task(target: string): string {
    return `${this.namespace}.${target}`;
  }
}

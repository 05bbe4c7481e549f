/**
 * Permissions: what a NATS user needs for each role, and nothing more.
 *
 * The executions' stream takes schedules, and whoever may publish to such a stream controls all of it. So only engines
 * may publish to `<namespace>.exec.>`; everyone else goes through the inbox.
 *
 * @module
 */

import { checkName, Names } from "../names.ts";

/**
 * What a process does: run executions; serve `nats-task` tasks; do the jobs of async invokers; start, signal, complete,
 * cancel and resume; or read everything.
 */
export type Role = "engine" | "worker" | "async-worker" | "client" | "observer";

/** What permissions are made for. */
export interface PermissionOptions {
  /**
   * The namespace.
   *
   * @default {"packtrail"}
   */
  namespace?: string;
  /**
   * What a worker serves, as in `handle`, without the namespace.
   *
   * @default {["tasks.>"]}
   */
  tasks?: readonly string[];
  /** The kinds of async invokers an engine has, or an async worker does the jobs of. */
  asyncKinds?: readonly string[];
}

/** The subjects that a NATS user may publish and subscribe to. */
export interface Permissions {
  /** What it may publish to. */
  publish: string[];
  /** What it may subscribe to. */
  subscribe: string[];
  /** Whether it may answer requests. */
  allowResponses: boolean;
}

const INBOX = "_INBOX.>";

/**
 * The permissions of a role.
 *
 * @throws {ValidationError} Where the namespace or a kind is not a legal name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(permissionsFor("worker").subscribe, ["packtrail.tasks.>", "_INBOX.>"]);
 * ```
 */
export function permissionsFor(role: Role, options: PermissionOptions = {}): Permissions {
  const names = new Names(options.namespace ?? "packtrail");
  switch (role) {
    case "engine":
      return engine(names, (options.asyncKinds ?? []).map((kind) => checkName("asyncKinds", kind)));
    case "worker": {
      const tasks = (options.tasks ?? ["tasks.>"]).map((subject) => names.task(subject));
      return { publish: [], subscribe: [...tasks, INBOX], allowResponses: true };
    }
    case "async-worker":
      return asyncWorker(names, (options.asyncKinds ?? []).map((kind) => checkName("asyncKinds", kind)));
    case "client":
      return { publish: [names.inboxSubjects(), ...registryReads(names)], subscribe: [INBOX], allowResponses: false };
    case "observer":
      return { publish: reads(names), subscribe: [`${names.namespace}.events.>`, INBOX], allowResponses: false };
    default:
      return role satisfies never;
  }
}

/** The permissions of a role as a block of a NATS server's configuration. */
export function permissionsBlock(role: Role, options: PermissionOptions = {}): string {
  const { publish, subscribe, allowResponses } = permissionsFor(role, options);
  const list = (subjects: readonly string[]) =>
    subjects.map((subject) => `\n      ${JSON.stringify(subject)}`).join("");
  const allowed = (kind: string, subjects: readonly string[]) =>
    subjects.length === 0 ? `  ${kind}: { deny: ">" }` : `  ${kind}: {\n    allow: [${list(subjects)}\n    ]\n  }`;
  const parts = [allowed("publish", publish), allowed("subscribe", subscribe)];
  if (allowResponses) parts.push("  allow_responses: true");
  return `permissions: {\n${parts.join("\n")}\n}`;
}

function engine(names: Names, asyncKinds: readonly string[]): Permissions {
  const streams = [
    names.executionStream(),
    names.inboxStream,
    names.eventStream,
    names.dataStream,
    names.deadLetterStream,
    `KV_${names.flowBucket}`,
    `KV_${names.resultBucket}`,
    ...asyncKinds.map((kind) => names.asyncStream(kind)),
  ];
  return {
    publish: [
      `${names.namespace}.>`,
      `$KV.${names.flowBucket}.>`,
      `$KV.${names.resultBucket}.>`,
      ...streams.flatMap((stream) => [
        `$JS.API.STREAM.*.${stream}`,
        `$JS.API.STREAM.MSG.*.${stream}`,
        `$JS.API.CONSUMER.*.${stream}`,
        `$JS.API.CONSUMER.*.${stream}.>`,
        `$JS.API.CONSUMER.*.*.${stream}.*`,
        `$JS.API.DIRECT.GET.${stream}`,
        `$JS.API.DIRECT.GET.${stream}.>`,
        `$JS.ACK.${stream}.>`,
      ]),
    ],
    subscribe: [`${names.namespace}.>`, INBOX],
    allowResponses: true,
  };
}

/** Finds its queues made by an engine; reads what jobs are of; completes them through the inbox. */
function asyncWorker(names: Names, kinds: readonly string[]): Permissions {
  const results = `KV_${names.resultBucket}`;
  const executions = names.executionStream();
  return {
    publish: [
      ...kinds.flatMap((kind) => {
        const stream = names.asyncStream(kind);
        return [
          `$JS.API.STREAM.INFO.${stream}`,
          `$JS.API.CONSUMER.INFO.${stream}.*`,
          `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
          `$JS.ACK.${stream}.>`,
        ];
      }),
      ...registryReads(names),
      ...[executions, names.dataStream, results].map((stream) => `$JS.API.STREAM.MSG.GET.${stream}`),
      ...[executions, results].map((stream) => `$JS.API.STREAM.INFO.${stream}`),
      `$KV.${names.resultBucket}.async.>`,
      names.command("complete", ">"),
      names.deadLetter("async"),
    ],
    subscribe: [`${names.namespace}.events.>`, INBOX],
    allowResponses: false,
  };
}

function reads(names: Names): string[] {
  const streams = [names.executionStream(), names.eventStream, names.dataStream, names.deadLetterStream];
  return [
    ...registryReads(names),
    ...streams.flatMap((stream) => [
      `$JS.API.STREAM.INFO.${stream}`,
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.>`,
    ]),
    `$JS.API.CONSUMER.INFO.${names.executionStream()}.*`,
  ];
}

function registryReads(names: Names): string[] {
  const bucket = `KV_${names.flowBucket}`;
  return [`$JS.API.STREAM.INFO.${bucket}`, `$JS.API.STREAM.MSG.GET.${bucket}`];
}

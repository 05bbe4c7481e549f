/**
 * Permissions that are taken away while engines, workers and clients run, and given back: who lacks one says which, and
 * nothing is lost.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { NatsConnection } from "@nats-io/nats-core";
import { PermissionError, permissionsFor, type Role, serveNamespaced, UnavailableError } from "../../mod.ts";
import { ended, inSpace, newNamespace, type Space, until, within } from "../../tests/support/mod.ts";
import { Random } from "../random.ts";
import { randomFlows, type TamedFlow } from "../tame_flows.ts";
import { ChangingServer, PASSWORD } from "./changing_server.ts";
import { Crowd, type CrowdReport } from "./crowd.ts";
import type { GroundOptions } from "./account.ts";

/** A permission of an engine: how it is called, and the subject that it loses. */
export interface Taken {
  readonly name: string;
  readonly operation: "publish" | "subscribe";
  readonly subject: string;
}

/** What an engine cannot work without, each in its turn. */
export function takenFrom(namespace: string): Taken[] {
  const publish = (name: string, subject: string): Taken => ({ name, operation: "publish", subject });
  return [
    publish("heads", `${namespace}.exec.>`),
    publish("pulls", `$JS.API.CONSUMER.MSG.NEXT.${namespace}-executions.>`),
    publish("acks", `$JS.ACK.${namespace}-executions.>`),
    publish("reads", `$JS.API.STREAM.MSG.GET.${namespace}-executions`),
    publish("mail", `${namespace}.mail.>`),
    { name: "answers", operation: "subscribe", subject: "_INBOX.>" },
  ];
}

/** The users of a namespace, one for each role; whoever connects without a name may do everything. */
export function users(namespace: string, denied: Partial<Record<Role, Taken>> = {}): string {
  const roles = (["engine", "worker", "client"] as const).map((role) => {
    const { publish, subscribe, allowResponses } = permissionsFor(role, { namespace });
    const taken = denied[role];
    const block = (operation: Taken["operation"], allow: string[]) => {
      const deny = taken?.operation === operation ? `, deny: ${JSON.stringify([taken.subject])}` : "";
      return `${operation}: { ${allow.length === 0 ? 'deny: ">"' : `allow: ${JSON.stringify(allow)}${deny}`} }`;
    };
    const permissions = `${block("publish", publish)}, ${
      block("subscribe", subscribe)
    }, allow_responses: ${allowResponses}`;
    return `{ user: ${role}, password: ${PASSWORD}, permissions: { ${permissions} } }`;
  });
  const list = [...roles, `{ user: app, password: ${PASSWORD} }`].join("\n");
  return `accounts { APP { jetstream: enabled, users: [${list}] } }\nno_auth_user: app`;
}

/** An engine's user loses one permission after another while a crowd is at work, and gets each back. */
export async function lostByEngines(options: GroundOptions & { only?: readonly string[] }): Promise<CrowdReport> {
  const namespace = newNamespace();
  let report: CrowdReport | undefined;
  await using server = await ChangingServer.start({ changing: users(namespace) });
  const connections = [await server.connect("engine"), await server.connect("engine")];
  try {
    await inSpace(async (space) => {
      const seed = seedWithMail(options);
      const crowd = await Crowd.open(space, { ...options, seed, engines: connections, options: { maxDeliver: 5 } });
      try {
        const taken = takenFrom(namespace).filter(({ name }) => options.only?.includes(name) ?? true);
        const running = crowd.run(taken.length * options.hostileMs / (options.flows * options.executions));
        running.catch(() => {});
        await until(() => crowd.world.invocations > 4, "the engines to be at work");
        for (const permission of taken) await endure(space, server, { permission, hostileMs: options.hostileMs });
        await within(running, "everything to be acknowledged");
        report = await crowd.check();
      } finally {
        await crowd.close();
      }
    }, { url: server.url, namespace });
  } finally {
    for (const nc of connections) await nc.close();
  }
  return report!;
}

/** The first seed from the given one on with a flow that is signalled before it waits: others never write mail. */
function seedWithMail({ seed, flows }: GroundOptions): number {
  const isSignalledEarly = ({ flow, sent }: TamedFlow) =>
    sent.length > 0 && flow.nodes.get(flow.start)!.type === "task";
  for (let next = seed;; next++) if (randomFlows(new Random(next), flows, 0).some(isSignalledEarly)) return next;
}

/** Takes a permission away until the log says that it is missing, and for a while. */
async function endure(
  space: Space,
  server: ChangingServer,
  { permission, hostileMs }: { permission: Taken; hostileMs: number },
): Promise<void> {
  const { namespace, log } = space;
  const from = log.length;
  await server.change(users(namespace, { engine: permission }));
  const telling = permission.subject.replace(/[.>*]+$/, "");
  await until(
    () => log.slice(from).some(({ level, ...line }) => level === "error" && JSON.stringify(line).includes(telling)),
    `the log to say that ${permission.name} are refused`,
  );
  await new Promise((resolve) => setTimeout(resolve, hostileMs));
  await server.change(users(namespace));
}

/** A client and a worker lose what they need, say so, and go on when they have it again. */
export async function lostByOthers(): Promise<void> {
  const namespace = newNamespace();
  await using server = await ChangingServer.start({ changing: users(namespace) });
  const [engine, client, worker] = [
    await server.connect("engine"),
    await server.connect("client"),
    await server.connect("worker"),
  ] as const;
  try {
    await inSpace((space) => playOthers(space, server, { engine, client, worker }), { url: server.url, namespace });
  } finally {
    for (const nc of [engine, client, worker]) await nc.close();
  }
}

const RETRY = { maxAttempts: 64, backoff: "fixed" } as const;

async function playOthers(
  space: Space,
  server: ChangingServer,
  connections: Record<"engine" | "client" | "worker", NatsConnection>,
): Promise<void> {
  const { namespace } = space;
  const flow = {
    name: "ask",
    nodes: [{ id: "a", type: "task" as const, subject: "tasks.a", timeout: "1s", retry: RETRY }],
  };
  const { server: observer } = await space.engine({ flows: [flow] }, connections.engine);
  await observer.init();
  const client = await space.server({}, connections.client);
  const serve = () =>
    serveNamespaced(connections.worker, namespace, "tasks.a", () => ({ status: "ok", payload: "done" }));
  const first = await serve();
  await client.start("ask", {}, { id: "before" });
  const known = (id: string) => until(() => observer.get(id).then(() => true, () => false), `execution ${id} to exist`);
  await known("before");
  assertEquals((await ended(observer, "before")).payload, "done");

  const inbox = { name: "inbox", operation: "publish", subject: `${namespace}.in.>` } as const;
  await server.change(users(namespace, { client: inbox }));
  await until(() => client.signal("before", "x").then(() => false, (error) => error instanceof PermissionError));
  const refused = await assertRejects(() => client.start("ask", {}, { id: "refused" }), PermissionError);
  assert(refused.message.includes(`${namespace}.in.start.ask`), refused.message);

  const tasks = { name: "tasks", operation: "subscribe", subject: `${namespace}.tasks.>` } as const;
  await server.change(users(namespace, { worker: tasks }));
  const why = await within(first.closed, "the worker to be told");
  assert(why !== undefined && why.message.includes(`${namespace}.tasks`), `${why}`);
  const again = await assertRejects(serve, PermissionError);
  assert(again.message.includes(`${namespace}.tasks.a`), again.message);
  await until(() =>
    client.start("ask", {}, { id: "meanwhile" }).then(() => true, (error) => {
      if (error instanceof PermissionError || error instanceof UnavailableError) return false;
      throw error;
    })
  );
  await known("meanwhile");
  await until(async () => (await observer.get("meanwhile")).attempt > 0, "an attempt that nobody answers");
  await server.change(users(namespace));
  const second = await until(() => serve().catch(() => undefined), "the worker to be let in again");
  assertEquals((await ended(observer, "meanwhile")).payload, "done");
  assertEquals((await observer.list()).sort(), ["before", "meanwhile"]);
  await second.stop();
}

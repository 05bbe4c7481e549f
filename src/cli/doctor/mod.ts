/**
 * `doctor`: looks at the server and the namespace, and says what to do. It only reads.
 *
 * @module
 */

import {
  type JetStreamAccountStats,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { Connection, Role, Server } from "../../../mod.ts";
import { Names } from "../../names.ts";
import { withServer } from "../command.ts";
import type { Target } from "../connection.ts";
import { CommandError, EXIT } from "../failure.ts";
import { advice, bad, type Finding, good, unknown } from "./finding.ts";
import { checkPermissions, type UserInfo } from "./permissions.ts";
import { checkClock, checkJetStream, checkSync, checkVersion, type DiskConfig } from "./server.ts";
import { checkReplicas, checkStreams, fewestReplicas, type FoundStream } from "./streams.ts";

/** What is to be looked at. */
export interface DoctorOptions {
  readonly namespace: string;
  /** The role the user is to play. */
  readonly role?: Role;
  /** The kinds of async invokers, of an engine or async worker. */
  readonly asyncKinds?: readonly string[];
  /** The server's monitoring address. */
  readonly monitor?: string;
}

/** How long an answer is waited for, in milliseconds. Who may not ask gets none. */
const PATIENCE_MS = 2_000;

/** Looks at everything. */
export async function examine(nc: Connection, target: Target, options: DoctorOptions): Promise<Finding[]> {
  const { namespace, role, asyncKinds, monitor } = options;
  const names = new Names(namespace);
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: PATIENCE_MS });
  const askedAt = Date.now();
  const asked = await askUser(nc);
  const answeredAt = Date.now();
  const account = await quietly(() => jsm.getAccountInfo());
  const streams = await findStreams(jsm, names);
  const replicas = fewestReplicas(streams);
  const disk = monitor === undefined ? undefined : await readDisk(monitor);
  return [
    good("connection", `${target.servers.join(", ")} (${target.origin}), ${await roundTrip(nc)} ms away`),
    checkVersion(nc.info?.version),
    checkJetStream(nc.info?.jetstream, account as JetStreamAccountStats | undefined),
    checkSync(disk, replicas),
    checkReplicas(streams, nc.info?.cluster !== undefined),
    checkClock(asked?.server.time, askedAt, answeredAt),
    checkPermissions(asked?.data, role, { namespace, ...(asyncKinds === undefined ? {} : { asyncKinds }) }),
    checkStreams(streams),
    ...await withServer(nc, namespace, (server) => checkWork(server, jsm, names)),
  ];
}

interface UserAnswer {
  readonly server: { readonly time?: string };
  readonly data: UserInfo;
}

async function askUser(nc: Connection): Promise<UserAnswer | undefined> {
  return await quietly(async () => (await nc.request("$SYS.REQ.USER.INFO", "", { timeout: PATIENCE_MS })).json());
}

async function roundTrip(nc: Connection): Promise<string> {
  return (await nc.rtt()).toFixed(1);
}

async function findStreams(jsm: JetStreamManager, names: Names): Promise<FoundStream[]> {
  const wanted = [
    names.executionStream(),
    names.inboxStream,
    names.eventStream,
    names.dataStream,
    names.deadLetterStream,
    `KV_${names.flowBucket}`,
  ];
  return await Promise.all(wanted.map(async (name): Promise<FoundStream> => {
    try {
      return { name, info: await jsm.streams.info(name) };
    } catch (error) {
      return { name, info: error instanceof JetStreamApiError && error.code === 10059 ? undefined : "refused" };
    }
  }));
}

async function readDisk(monitor: string): Promise<DiskConfig> {
  const address = `${monitor.replace(/\/+$/, "")}/varz`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    return (await answer.json()).jetstream?.config ?? {};
  } catch (cause) {
    const why = (cause as Error).message;
    throw new CommandError(EXIT.usage, `the monitoring address ${address} cannot be read: ${why}`, undefined, {
      cause,
    });
  }
}

/** Whether somebody works, and what was given up on. */
async function checkWork(server: Server, jsm: JetStreamManager, names: Names): Promise<Finding[]> {
  const flows = await quietly(() => server.listFlows());
  if (flows === undefined) return [unknown("flows", "the user may not look at them")];
  if (flows.length === 0) {
    return [advice("flows", "none is loaded", "start an engine with flows: `packtrail run flows/`")];
  }
  return [await checkEngines(jsm, names, flows), await checkLetters(server)];
}

async function checkEngines(jsm: JetStreamManager, names: Names, flows: readonly string[]): Promise<Finding> {
  const idle: string[] = [];
  for (const flow of flows) {
    const info = await quietly(() => jsm.consumers.info(names.executionStream(), names.flowConsumer(flow)));
    if (info === undefined) return unknown("engines", "the user may not look at the consumers");
    if (info.num_waiting === 0 && info.num_ack_pending === 0) idle.push(flow);
  }
  if (idle.length === 0) {
    return good("engines", `work on ${flows.length === 1 ? "the flow" : `all ${flows.length} flows`}`);
  }
  return advice(
    "engines",
    `none works on ${idle.join(", ")}`,
    "start one that has loaded them: `packtrail run flows/`",
  );
}

async function checkLetters(server: Server): Promise<Finding> {
  const letters = await quietly(() => server.deadLetters({ limit: 100 }));
  if (letters === undefined) return unknown("dead letters", "the user may not look at them");
  if (letters.length === 0) return good("dead letters", "none");
  const many = letters.length === 100 ? "100 or more" : String(letters.length);
  return bad(
    "dead letters",
    `${many}, the latest: ${letters[0]!.reason}`,
    "`packtrail dead-letters`, then `packtrail redrive <number>`, or `packtrail discard <number>`",
  );
}

/** What is not there, or may not be looked at, is `undefined`. */
async function quietly<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch {
    return undefined;
  }
}

/**
 * No room: the account, or the disk, is full while engines work. Starts fail with an error that says so, what was
 * accepted stays, and all of it comes to its end when there is room again.
 *
 * @module
 */

import { assert } from "@std/assert";
import { jetstream, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { UnavailableError } from "../../mod.ts";
import { inSpace, type Space, until, within } from "../../tests/support/mod.ts";
import { ChangingServer, PASSWORD } from "./changing_server.ts";
import { Crowd, type CrowdReport } from "./crowd.ts";

/** How a scenario is played. */
export interface GroundOptions {
  /** What decides flows and scripts. */
  readonly seed: number;
  /** How many flows. */
  readonly flows: number;
  /** How many executions of each. */
  readonly executions: number;
  /** How long the ground stays hostile, in milliseconds. */
  readonly hostileMs: number;
}

const NEIGHBOUR = "neighbour";

/** An account with limits; whoever connects without a name is in it. */
export function account(limits: string): string {
  return `accounts { APP { jetstream { ${limits} }, users: [{ user: app, password: ${PASSWORD} }] } }\nno_auth_user: app`;
}

/** A neighbour stream takes all the room of the account; later it gives it back. */
export async function fullAccount(options: GroundOptions): Promise<CrowdReport> {
  await using server = await ChangingServer.start({ changing: account("max_file: 32M") });
  return await played(server, options, {
    fill: (nc) => fillAccount(nc),
    free: async (jsm) => void await jsm.streams.purge(NEIGHBOUR),
    says: /resource limits exceeded for account/,
  });
}

/** The same, and what ends it is a higher limit that the server reads from its configuration while it runs. */
export async function raisedLimit(options: GroundOptions): Promise<CrowdReport> {
  await using server = await ChangingServer.start({ changing: account("max_file: 32M") });
  return await played(server, options, {
    fill: (nc) => fillAccount(nc),
    free: () => server.change(account("max_file: 256M")),
    says: /resource limits exceeded for account/,
  });
}

/** How the room is taken and given back. */
export interface Shortage {
  /** Takes all of it. */
  fill(nc: NatsConnection): Promise<void>;
  /** Gives it back. */
  free(jsm: JetStreamManager): Promise<void>;
  /** What an error says of it. */
  readonly says: RegExp;
}

/** A crowd at work while there is no room. */
export async function played(server: ChangingServer, options: GroundOptions, shortage: Shortage): Promise<CrowdReport> {
  let report: CrowdReport | undefined;
  await inSpace(async (space) => {
    const engines = [await space.connect(), await space.connect()];
    // Deliveries that come to nothing because there is no room must not count.
    const crowd = await Crowd.open(space, { ...options, engines, options: { maxDeliver: 3, resultCache: true } });
    try {
      report = await suffer(space, crowd, { ...options, ...shortage });
    } finally {
      await crowd.close();
    }
  }, { url: server.url });
  return report!;
}

async function suffer(space: Space, crowd: Crowd, plan: GroundOptions & Shortage): Promise<CrowdReport> {
  const jsm = await jetstreamManager(space.nc, { checkAPI: false });
  const running = crowd.run();
  running.catch(() => {});
  await until(() => crowd.started * 2 > plan.flows * plan.executions, "half of the crowd to be started");
  await plan.fill(space.nc);
  await refusesStarts(crowd, plan.says);
  await new Promise((resolve) => setTimeout(resolve, plan.hostileMs));
  await refusesStarts(crowd, plan.says);
  await plan.free(jsm);
  await within(running, "everything to be acknowledged");
  return await crowd.check();
}

/** A start fails soon, with an error that says why: one with a payload that what sweeps give back is no room for. */
async function refusesStarts({ client, flows }: Crowd, says: RegExp): Promise<void> {
  const payload = { much: "much ".repeat(80_000) };
  const start = client.start(flows[0]!.definition.name, payload, { id: "too-much" });
  const error = await within(start, "a start to fail", 15_000).then(() => undefined, (reason) => reason);
  assert(error instanceof UnavailableError && says.test(error.message), `a start without room: ${error}`);
}

async function fillAccount(nc: NatsConnection): Promise<void> {
  const jsm = await jetstreamManager(nc);
  const js = jetstream(nc);
  await jsm.streams.add({ name: NEIGHBOUR, subjects: [NEIGHBOUR] }).catch(() => {});
  for (let bytes = 500_000; bytes > 1; bytes = Math.floor(bytes / 10)) {
    for (let isFull = false; !isFull;) {
      await js.publish(NEIGHBOUR, new Uint8Array(bytes)).catch(() => isFull = true);
    }
  }
}

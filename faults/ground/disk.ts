/**
 * Full and slow disks. A full one is real: the server's streams are on a small `tmpfs`, and a file beside them takes the
 * rest of it; mounting needs root. A slow one is not: the server's process is stopped and continued (SIGSTOP), which to
 * engines is the same as a disk that does not answer, but slows everything, not writes alone.
 *
 * @module
 */

import { assert } from "@std/assert";
import { UnavailableError } from "../../mod.ts";
import { inSpace, until, within } from "../../tests/support/mod.ts";
import { Random } from "../random.ts";
import { account, type GroundOptions } from "./account.ts";
import { ChangingServer } from "./changing_server.ts";
import { Crowd, type CrowdReport } from "./crowd.ts";

const DISK = "48m";

/** A disk that fills up while engines work. `undefined` where no disk may be mounted here. */
export async function fullDisk(options: GroundOptions): Promise<CrowdReport | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "packtrail-disk-" });
  try {
    if (!await ran("mount", "-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", folder)) return undefined;
    try {
      return await onDisk(folder, options);
    } finally {
      // A server that is on its way out may still have a file open.
      await ran("umount", "-l", folder);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function onDisk(folder: string, options: GroundOptions): Promise<CrowdReport> {
  const fixed = "jetstream { max_file_store: 1G, max_mem_store: 64M }";
  await using server = await ChangingServer.start({ changing: account("max_file: 1G"), fixed, storeDir: folder });
  return await withCrowd(server, options, async (crowd) => {
    const ballast = `${folder}/ballast`;
    await ran("dd", "if=/dev/zero", `of=${ballast}`, "bs=4k"); // until there is no room
    // Small writes may still fit into what has been allocated: until one does not.
    const error = await until(() => refusal(crowd), "a start to fail for want of room");
    assert(/nats-server/.test(error.message), `what to look at is not said: ${error.message}`);
    await new Promise((resolve) => setTimeout(resolve, options.hostileMs));
    await Deno.remove(ballast);
    // nats-server 2.15 writes no more to a stream once a write of it has failed, until it is started anew.
    await server.restart();
  }, async ({ client }) => {
    // What was acked while the server could not write is still in the inbox, below what will be delivered.
    await until(() => client.reconcile().then(() => true, () => false), "the namespace to be looked over");
  });
}

/** Why a large start fails; `undefined` where it was accepted, which then is cancelled and counts for nothing. */
async function refusal({ client, flows }: Crowd): Promise<Error | undefined> {
  const payload = { much: "much ".repeat(80_000) };
  const start = client.start(flows[0]!.definition.name, payload, { id: "too-much" });
  const error = await within(start, "a start to fail", 30_000).then(() => undefined, (reason) => reason);
  assert(error === undefined || error instanceof UnavailableError, `${error}`);
  return error;
}

/** A server that answers nothing for up to a few seconds, again and again: longer than requests wait, and leases last. */
export async function slowServer(options: GroundOptions & { bursts: number; burstMs: number }): Promise<CrowdReport> {
  await using server = await ChangingServer.start({ changing: account("max_file: 1G") });
  const random = new Random(options.seed);
  return await withCrowd(server, options, async () => {
    for (let burst = 0; burst < options.bursts; burst++) {
      await server.signal("STOP");
      await new Promise((resolve) => setTimeout(resolve, options.burstMs / 4 + random.below(options.burstMs * 3 / 4)));
      await server.signal("CONT");
      await new Promise((resolve) => setTimeout(resolve, 50 + random.below(400)));
    }
  });
}

/** A crowd with two engines at work; `hurt` does its worst when half of it is started, and heals. */
async function withCrowd(
  server: ChangingServer,
  options: GroundOptions,
  hurt: (crowd: Crowd) => Promise<void>,
  heal?: (crowd: Crowd) => Promise<void>,
): Promise<CrowdReport> {
  let report: CrowdReport | undefined;
  await inSpace(async (space) => {
    const engines = [await space.connect(), await space.connect()];
    const crowd = await Crowd.open(space, { ...options, engines, options: { resultCache: true, maxDeliver: 20 } });
    try {
      const running = crowd.run();
      running.catch(() => {});
      await until(() => crowd.started * 2 > options.flows * options.executions, "half of the crowd to be started");
      await hurt(crowd);
      await within(running, "everything to be acknowledged");
      await heal?.(crowd);
      report = await crowd.check();
    } finally {
      await crowd.close();
    }
  }, { url: server.url });
  return report!;
}

async function ran(command: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
  return success;
}

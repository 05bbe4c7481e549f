/** Servers that are cut off from the others, with their engines, and come back. @module */

import { createServer } from "../../mod.ts";
import { ended, until } from "../../tests/support/mod.ts";
import type { Way } from "../proxy.ts";
import { moveLeader } from "./leaders.ts";
import type { Stage } from "./stage.ts";

/** Who is cut off, how, and for how long. */
export interface Partition {
  readonly who: "leader" | "follower";
  readonly way: Exclude<Way, "open">;
  readonly forMs: number;
}

/**
 * Cuts one server off from the other two, while its clients still reach it. The other two must go on meanwhile.
 *
 * It is always one that has an engine: that engine can do nothing until the server is back.
 */
export async function cutOff(stage: Stage, { who, way, forMs }: Partition): Promise<void> {
  const { cluster, load } = stage;
  await load.progress(2);
  const leader = await moveLeader(stage, who === "leader" ? [0, 1] : [1, 2]);
  const place = who === "leader" ? leader : 0;
  stage.inject(`${who} ${way}`, cluster.nodes[place]!.name);
  cluster.isolate(place, way);
  const since = performance.now();
  try {
    await goesOnWithout(stage, place);
    await stage.last(Math.max(0, forMs - (performance.now() - since)));
  } finally {
    cluster.heal();
  }
  await cluster.ready();
  await load.progress(4);
}

/** Two servers of three do what is asked of them: an execution is started there, and comes to its end. */
async function goesOnWithout(stage: Stage, place: number): Promise<void> {
  const { cluster, load } = stage;
  const nc = await cluster.connect({ nodes: [0, 1, 2].filter((other) => other !== place) });
  const server = await createServer(nc, { namespace: load.space.namespace, logger: load.space.logger() });
  try {
    const id = `probe-${crypto.randomUUID()}`;
    await until(() => server.start(load.probe, {}, { id }).then(() => true, () => false), "a start on two servers");
    await ended(server, id);
    stage.tell("the other two go on");
  } finally {
    await server.close();
    await nc.close();
  }
}

/** Takes an engine's connection away for longer than its lease: others do its work meanwhile, and it comes back. */
export async function loseConnection(
  stage: Stage,
  engine: 0 | 1,
  { way, forMs }: Omit<Partition, "who">,
): Promise<void> {
  const { cluster, load } = stage;
  await load.progress(2);
  stage.inject(`connection of an engine ${way}`);
  cluster.turn(stage.engine(engine), way);
  try {
    await load.progress(4);
    await stage.last(forMs);
  } finally {
    cluster.turn(stage.engine(engine), "open");
  }
  await load.progress(4);
}

/** The hostile ground, scenario by scenario: `deno task faults --ground`. @module */

import { Random } from "../random.ts";
import { fullAccount, type GroundOptions, raisedLimit } from "./account.ts";
import { wrongClocks } from "./clocks.ts";
import type { CrowdReport } from "./crowd.ts";
import { fullDisk, slowServer } from "./disk.ts";
import { lowButEnough, reachedAtSetUp, smallMessages, TOO_LOW } from "./limits.ts";
import { lostByEngines, lostByOthers } from "./permissions.ts";

/** Plays every scenario once, and again with other flows until the time is up. */
export async function runGround(first: number, limitMs: number): Promise<void> {
  const seeds = new Random(first);
  const total: Record<string, number> = {};
  const startedAt = performance.now();
  for (let seed = first;; seed = seeds.below(0x7fff_ffff)) {
    for (const [name, play] of scenarios({ seed, flows: 5, executions: 6, hostileMs: 40_000 })) {
      const began = performance.now();
      const report = await play().catch((error) => {
        throw new Error(`seed ${seed}, ${name}: ${error.message}`, { cause: error });
      });
      console.log(`seed ${seed}, ${name}: ${Math.round((performance.now() - began) / 1_000)} s ${toText(report)}`);
      for (const [what, count] of Object.entries(report ?? {})) total[what] = (total[what] ?? 0) + Number(count);
    }
    if (performance.now() - startedAt > limitMs) break;
  }
  delete total.furthestMs;
  console.log(`${JSON.stringify(total)}\ninvariants broken: 0`);
}

type Scenario = readonly [name: string, play: () => Promise<CrowdReport | undefined | void>];

function scenarios(options: GroundOptions): Scenario[] {
  const lost = (name: string, hostileMs: number): Scenario => [
    `engines lose the permission for ${name}`,
    () => lostByEngines({ ...options, hostileMs, only: [name] }),
  ];
  return [
    ["the account is full", () => fullAccount(options)],
    ["the account is full until its limit is raised", () => raisedLimit(options)],
    ["the disk is full", () => fullDiskOrNotice(options)],
    ["the server answers nothing for up to 8 s, 8 times", () => slowServer({ ...options, bursts: 8, burstMs: 8_000 })],
    ...TOO_LOW.map(([limits, says]): Scenario => [`set up with ${limits}`, () => reachedAtSetUp(limits, says)]),
    ["low limits that are enough", lowButEnough],
    ["max_payload is less than a head", smallMessages],
    lost("heads", options.hostileMs),
    lost("pulls", 10_000),
    lost("acks", 10_000),
    lost("reads", options.hostileMs),
    lost("mail", options.hostileMs),
    lost("answers", 10_000),
    ["a client and a worker lose their permissions", lostByOthers],
    ["clocks an hour ahead and behind, and jumping", () => wrongClocks({ ...options, jumps: 20 })],
  ];
}

async function fullDiskOrNotice(options: GroundOptions): Promise<CrowdReport | undefined> {
  const report = await fullDisk(options);
  if (report === undefined) console.log("the disk was not filled: mounting a tmpfs needs root");
  return report;
}

function toText(report: CrowdReport | undefined | void): string {
  return report === undefined ? "" : JSON.stringify(report);
}

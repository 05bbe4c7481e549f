/**
 * `doctor` on the server: its version, JetStream, the disk, the clock.
 *
 * @module
 */

import type { AccountLimits, JetStreamAccountStats } from "@nats-io/jetstream";
import { isSupported, MIN_VERSION } from "../../nats_server/mod.ts";
import { shownDuration } from "../output.ts";
import { advice, bad, type Finding, good, unknown } from "./finding.ts";

/** What the monitoring endpoint `/varz` says of the disk. */
export interface DiskConfig {
  /** How often streams are forced to disk, in nanoseconds. */
  readonly sync_interval?: number;
  /** Whether each message is. */
  readonly sync_always?: boolean;
}

/** Clocks that differ by less than this are fine, in milliseconds. */
const CLOCK_TOLERANCE_MS = 1_000;

/** Whether the server is new enough. */
export function checkVersion(version: string | undefined): Finding {
  const check = "server version";
  if (version === undefined) return unknown(check, "the server did not say");
  if (isSupported(version.split("-")[0]!)) return good(check, version);
  return bad(check, `${version} is too old`, `upgrade nats-server to ${MIN_VERSION} or newer`);
}

/** Whether there is JetStream, and room in it. */
export function checkJetStream(isOn: boolean | undefined, stats: JetStreamAccountStats | undefined): Finding {
  const check = "JetStream";
  if (isOn !== true) {
    return bad(check, "is off", "start nats-server with `-js`, or enable JetStream for the account");
  }
  if (stats === undefined) return good(check, "on (the user may not ask for the account's limits)");
  const { storage, limits } = stats;
  const used = storage;
  const most = limitOf(limits);
  const room = most === undefined ? `${megabytes(used)} used` : `${megabytes(used)} of ${megabytes(most)} used`;
  if (most === undefined || used < 0.8 * most) return good(check, `on, ${room}`);
  return bad(check, `on, ${room}`, "raise the account's storage limit, or set `retention` for ended executions");
}

function limitOf({ max_storage }: AccountLimits): number | undefined {
  return max_storage > 0 ? max_storage : undefined;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Whether what the server confirms is on the disk. */
export function checkSync(disk: DiskConfig | undefined, replicas: number): Finding {
  const check = "sync interval";
  const todo = "set `jetstream { sync_interval: always }`, or run 3 servers with `replicas: 3`";
  if (disk === undefined) {
    const how = "name the monitoring address with --monitor http://HOST:8222; ";
    return unknown(check, "clients cannot see it; the default is 2 min", how + todo);
  }
  if (disk.sync_always === true) return good(check, "every message is forced to disk");
  const interval = disk.sync_interval === undefined ? "2 min" : shownDuration(disk.sync_interval / 1e6);
  if (replicas >= 3) return good(check, `${interval}, on ${replicas} servers`);
  return advice(check, `${interval}: a power cut can lose what was confirmed in it`, todo);
}

/** Whether this machine and the server agree on the time. */
export function checkClock(serverTime: string | undefined, askedAt: number, answeredAt: number): Finding {
  const check = "clock";
  const time = serverTime === undefined ? NaN : Date.parse(serverTime);
  if (Number.isNaN(time)) return unknown(check, "the server did not say what time it is");
  const off = time < askedAt ? time - askedAt : time > answeredAt ? time - answeredAt : 0;
  if (Math.abs(off) < CLOCK_TOLERANCE_MS) return good(check, "this machine and the server agree");
  return advice(
    check,
    `this machine is ${shownDuration(Math.abs(off))} ${off < 0 ? "ahead of" : "behind"} the server`,
    "run NTP on both: deadlines that workers get are by the engine's clock",
  );
}

/**
 * `doctor` on the namespace's streams: whether they are there, whole, and on how many servers.
 *
 * @module
 */

import type { StreamInfo } from "@nats-io/jetstream";
import { advice, bad, type Finding, good, unknown } from "./finding.ts";

/** A stream as it was found: `undefined` where there is none, `"refused"` where the user may not look. */
export interface FoundStream {
  readonly name: string;
  readonly info: StreamInfo | "refused" | undefined;
}

/** Whether the streams are there. */
export function checkStreams(streams: readonly FoundStream[]): Finding {
  const check = "streams";
  const seen = streams.filter(({ info }) => info !== "refused");
  const missing = seen.filter(({ info }) => info === undefined).map(({ name }) => name);
  if (seen.length === 0) {
    return unknown(check, "the user may not look at them", "use an observer's or an engine's user");
  }
  if (missing.length === seen.length) {
    return advice(check, "the namespace is not set up yet", "the first engine sets it up; is --namespace right?");
  }
  if (missing.length > 0) return bad(check, `missing: ${missing.join(", ")}`, "start an engine: it makes them anew");
  const messages = infosOf(streams).reduce((sum, { state }) => sum + state.messages, 0);
  const hidden = streams.length - seen.length;
  return good(check, `${seen.length} there, ${messages} messages${hidden === 0 ? "" : `; ${hidden} may not be seen`}`);
}

/** Whether the streams survive the loss of a server. */
export function checkReplicas(streams: readonly FoundStream[], isClustered: boolean): Finding {
  const check = "replicas";
  const infos = infosOf(streams);
  if (infos.length === 0) return unknown(check, "there is no stream to look at");
  for (const { config: { name }, cluster } of infos) {
    const away = (cluster?.replicas ?? []).filter(({ offline, current }) => offline || !current);
    if (away.length === 0) continue;
    const names = away.map((peer) => `${peer.name} ${peer.offline ? "is offline" : "lags behind"}`).join(", ");
    return bad(check, `stream ${name}: ${names}`, "bring the servers back, or replace them: `nats stream cluster`");
  }
  const least = fewestReplicas(streams);
  if (least >= 3) return good(check, `${least} of each stream`);
  if (isClustered) {
    return advice(
      check,
      `${least}: losing one server stops executions`,
      "create servers with `replicas: 3`, or `nats stream edit`",
    );
  }
  return advice(check, "1, on a single server: losing its disk loses executions", "run 3 servers with `replicas: 3`");
}

/** The fewest copies that a stream has; 1 where none was seen. */
export function fewestReplicas(streams: readonly FoundStream[]): number {
  const counts = infosOf(streams).map(({ config }) => config.num_replicas);
  return counts.length === 0 ? 1 : Math.min(...counts);
}

function infosOf(streams: readonly FoundStream[]): StreamInfo[] {
  return streams.map(({ info }) => info).filter((info): info is StreamInfo => typeof info === "object");
}

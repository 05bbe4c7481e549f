/**
 * Metrics in the text format of Prometheus.
 *
 * @module
 */

import type { InvocationStats } from "../../mod.ts";
import type { Visit } from "./site.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number, suffix?: string];

/** `GET /metrics`. */
export async function metrics({ site, now }: Visit): Promise<Response> {
  const { server, live } = site;
  live.start();
  const [counts, backlog] = await Promise.all([server.counts(), server.backlog()]);
  const counters = [...live.counters()];
  const flows = Object.entries(backlog.flows);
  const age = (time: Date | undefined) =>
    time === undefined ? 0 : Math.max(0, (now.getTime() - time.getTime()) / 1_000);
  const text = [
    family(
      "packtrail_executions",
      "gauge",
      "Executions that are kept, by flow and status.",
      Object.entries(counts)
        .flatMap(([flow, by]) => Object.entries(by).map(([status, value]): Sample => [{ flow, status }, value])),
    ),
    family(
      "packtrail_backlog",
      "gauge",
      "Steps that are ready and that no engine has taken.",
      flows
        .map(([flow, { ready }]): Sample => [{ flow }, ready]),
    ),
    family(
      "packtrail_in_flight",
      "gauge",
      "Steps that an engine is working on.",
      flows
        .map(([flow, { inFlight }]): Sample => [{ flow }, inFlight]),
    ),
    family(
      "packtrail_oldest_ready_seconds",
      "gauge",
      "Age of the oldest step that is ready and not done.",
      flows
        .map(([flow, { oldestReady }]): Sample => [{ flow }, age(oldestReady)]),
    ),
    family(
      "packtrail_oldest_waiting_seconds",
      "gauge",
      "Age of the oldest wait.",
      flows
        .map(([flow, { oldestWaiting }]): Sample => [{ flow }, age(oldestWaiting)]),
    ),
    family("packtrail_commands", "gauge", "Commands from outside that are not carried out yet.", [[
      {},
      backlog.commands,
    ]]),
    family("packtrail_dead_letters", "gauge", "Dead letters that are kept.", [[{}, backlog.deadLetters]]),
    family(
      "packtrail_steps_total",
      "counter",
      "Changes of executions seen by this dashboard.",
      counters
        .map(([flow, { changes }]): Sample => [{ flow }, changes]),
    ),
    family(
      "packtrail_retries_total",
      "counter",
      "Attempts that were repeated, seen by this dashboard.",
      counters
        .map(([flow, { retries }]): Sample => [{ flow }, retries]),
    ),
    family(
      "packtrail_ended_total",
      "counter",
      "Executions that ended, seen by this dashboard.",
      counters
        .flatMap(([flow, { ended }]) =>
          Object.entries(ended).map(([status, value]): Sample => [{ flow, status }, value])
        ),
    ),
    family(
      "packtrail_invocation_seconds",
      "histogram",
      "Time that invocations took in the engine of this process.",
      server.invocations().flatMap(histogram),
    ),
    family("packtrail_dashboard_live_clients", "gauge", "Live connections of this dashboard.", [[{}, live.listeners]]),
  ];
  return new Response(text.join(""), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
  });
}

function histogram({ kind, outcome, count, seconds, buckets }: InvocationStats): Sample[] {
  const labels = { kind, outcome };
  return [
    ...buckets.map(({ le, count }): Sample => [{ ...labels, le: String(le) }, count, "_bucket"]),
    [{ ...labels, le: "+Inf" }, count, "_bucket"],
    [labels, seconds, "_sum"],
    [labels, count, "_count"],
  ];
}

/** One metric with its help, its type and its samples. */
export function family(
  name: string,
  type: "gauge" | "counter" | "histogram",
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(([labels, value, suffix = ""]) => `${name}${suffix}${labelText(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function labelText(labels: Labels): string {
  const entries = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return entries.length === 0 ? "" : `{${entries.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

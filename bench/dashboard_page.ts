/**
 * What a page of the dashboard needs that stays open: an engine makes events, pages watch them in a browser, and from
 * time to time their heap, their nodes and the memory of their processes are looked at.
 *
 * `deno run -A bench/dashboard_page.ts --minutes 60`
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { FlowDef, InvokeRequest, Result } from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import { HeldPages, type PageSample } from "./dashboard/hold.ts";
import { findChromium, startDashboard } from "./dashboard/process.ts";
import { median } from "./finding.ts";
import { chain } from "./flows.ts";
import { memoryMiB } from "./process.ts";
import { Space } from "./space.ts";

const USAGE = `usage: deno run -A bench/dashboard_page.ts [--minutes 60] [--rate 200] [--every 30]

  --minutes N  how long the pages stay open
  --rate N     events a second
  --every N    seconds between two looks at the pages`;

const LIMIT_MB = 100;
const TICK_MS = 100;
/** What an execution of `orders` makes: its start, and one for each of its three tasks. */
const EVENTS_PER_EXECUTION = 4;
const FAILS_EACH = 40;

/** An execution that never ends, and changes every second. */
const HEARTBEAT: FlowDef = {
  name: "heartbeat",
  nodes: [
    { id: "begin", type: "task", invoker: "work" },
    { id: "rest", type: "signal", signalName: "stop", timeout: "1s", onTimeout: "beat" },
    { id: "beat", type: "task", invoker: "work" },
  ],
  edges: [{ from: "begin", to: "rest" }, { from: "beat", to: "rest" }],
};

const PATHS = { "overview": "", "executions": "executions", "one execution": "executions/heartbeat" };
/** Of each view two pages: one is made to collect its garbage at each look, the other one is left alone. */
const PAGES = Object.entries(PATHS).flatMap(([name, path]) => [
  { name, path, collects: true },
  { name: `${name}, alone`, path, collects: false },
]);

interface Look {
  readonly minute: number;
  readonly events: number;
  readonly dashboardMB: number | undefined;
  readonly pages: readonly PageSample[];
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "60" },
      rate: { type: "string", default: "200" },
      every: { type: "string", default: "30" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(USAGE);
  const [minutes, rate, every] = [Number(values.minutes), Number(values.rate), Number(values.every)];
  if (!(minutes > 0 && rate > 0 && every > 0)) throw new TypeError(`these must be numbers above 0\n\n${USAGE}`);
  const chromium = await findChromium();
  if (chromium === undefined) throw new Error("there is no chromium: see `apt-get install chromium`");
  await using nats = await startNatsServer();
  await using space = await Space.create(nats.url, {
    flows: [chain("orders", 3, { invoker: "work" }), HEARTBEAT],
    invokers: { work },
  });
  space.run();
  await using dashboard = await startDashboard({ url: nats.url, namespace: space.namespace });
  const looks = await watch({ space, dashboard, chromium, minutes, rate, every });
  conclude(looks, rate);
}

function work({ context }: InvokeRequest): Result {
  const { fails = false } = context.input as { fails?: boolean };
  return fails ? { status: "error", error: "the card was declined: <insufficient> funds" } : { status: "ok" };
}

interface Watching {
  readonly space: Space;
  readonly dashboard: { readonly url: string; readonly pid: number };
  readonly chromium: string;
  readonly minutes: number;
  readonly rate: number;
  readonly every: number;
}

/** Keeps the pages open while events are made. */
async function watch({ space, dashboard, chromium, minutes, rate, every }: Watching): Promise<Look[]> {
  const stop = new AbortController();
  const counter = { events: 0 };
  const counting = count(space, counter, stop.signal);
  await space.server.start("heartbeat", {}, { id: "heartbeat" });
  const driving = drive(space, rate, stop.signal);
  await using pages = await HeldPages.open(
    chromium,
    PAGES.map(({ path, ...page }) => ({ ...page, url: `${dashboard.url}${path}` })),
  );
  const looks: Look[] = [];
  const began = performance.now();
  console.log(HEADINGS.map((heading, index) => cell(heading, index)).join("  "));
  for (let minute = 0; minute < minutes;) {
    const due = began + looks.length * every * 1_000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    minute = (performance.now() - began) / 60_000;
    const memory = await memoryMiB(dashboard.pid, "now");
    const look: Look = {
      minute,
      events: counter.events,
      dashboardMB: memory === undefined ? undefined : memory * 1.048576,
      pages: await pages.look(),
    };
    print(look, looks.at(-1));
    looks.push(look);
  }
  stop.abort();
  await driving;
  await counting;
  return looks;
}

/** Starts executions at a pace, whatever the clock of timers does. */
async function drive({ server }: Space, rate: number, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  for (let started = 0; !signal.aborted;) {
    const due = Math.floor((performance.now() - began) / 1_000 * rate / EVENTS_PER_EXECUTION);
    const batch: Promise<string>[] = [];
    for (; started < due; started++) batch.push(server.start("orders", { fails: started % FAILS_EACH === 0 }));
    await Promise.all(batch);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}

async function count({ server }: Space, counter: { events: number }, signal: AbortSignal): Promise<void> {
  for await (const { missed = 0 } of server.watchEvents({ signal })) counter.events += 1 + missed;
}

const HEADINGS = [
  "page",
  "minute",
  "events/s",
  "heap MB",
  "collected MB",
  "nodes",
  "listeners",
  "private MB",
  "changes",
  "sign",
  "dashboard MB",
];
const WIDTHS = [22, 6, 8, 7, 12, 6, 9, 10, 7, 5, 12];

function print({ minute, events, dashboardMB, pages }: Look, before: Look | undefined): void {
  const rate = before === undefined ? "" : ((events - before.events) / (minute - before.minute) / 60).toFixed(0);
  for (const { page, heap, heapCollected, nodes, listeners, memory, changes, sign } of pages) {
    const cells = [
      page,
      minute.toFixed(1),
      rate,
      megabytes(heap),
      megabytes(heapCollected),
      String(nodes),
      String(listeners),
      megabytes(memory),
      String(changes),
      sign,
      dashboardMB?.toFixed(0) ?? "",
    ];
    console.log(cells.map(cell).join("  ").trimEnd());
  }
}

function cell(text: string, column: number): string {
  return column === 0 ? text.padEnd(WIDTHS[0]!) : text.padStart(WIDTHS[column]!);
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : (bytes / 1e6).toFixed(1);
}

/** Says whether the limit was kept, and what has grown. */
function conclude(looks: readonly Look[], rate: number): void {
  const seconds = (looks.at(-1)!.minute - looks[0]!.minute) * 60;
  const made = (looks.at(-1)!.events - looks[0]!.events) / seconds;
  console.log(`\n${made.toFixed(0)} events/s (asked for: ${rate}) for ${(seconds / 60).toFixed(1)} minutes`);
  for (const { name } of PAGES) {
    const samples = looks.map(({ pages }) => pages.find(({ page }) => page === name)!);
    const changed = samples.slice(1).filter(({ changes }) => changes > 0).length;
    console.log(`\n${name}: changed between ${changed} of ${samples.length - 1} looks`);
    verdict("heap", samples.map(({ heap }) => heap));
    verdict("heap after a collection", samples.map(({ heapCollected }) => heapCollected));
    verdict("private memory of its process", samples.map(({ memory }) => memory));
    growth("nodes", samples.map(({ nodes }) => nodes), (value) => String(value));
    growth("listeners", samples.map(({ listeners }) => listeners), (value) => String(value));
  }
}

function verdict(what: string, values: readonly (number | undefined)[]): void {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return;
  const most = Math.max(...known) / 1e6;
  const kept = most <= LIMIT_MB ? "under" : "OVER";
  growth(what, known, (value) => `${megabytes(value)} MB`, `; at most ${most.toFixed(1)} MB, ${kept} ${LIMIT_MB} MB`);
}

/** The medians of the first and of the last quarter. The first look, at a page just opened, is none of them. */
function growth(what: string, values: readonly number[], text: (value: number) => string, more = ""): void {
  const rest = values.length > 1 ? values.slice(1) : values;
  const quarter = Math.max(1, Math.floor(rest.length / 4));
  const [first, last] = [median(rest.slice(0, quarter)), median(rest.slice(-quarter))];
  const change = (last - first) / Math.max(first, 1) * 100;
  const sign = change < 0 ? "" : "+";
  console.log(
    `  ${what}: ${text(first)} in the first quarter, ${text(last)} in the last (${sign}${change.toFixed(0)}%)${more}`,
  );
}

if (import.meta.main) {
  await main(Deno.args);
  Deno.exit(0);
}

/** How soon the dashboard answers and is seen, however many executions there are. @module */

import type { InvokeRequest, JsonObject, Result } from "../mod.ts";
import { findChromium, measurePaints, startDashboard } from "./dashboard/process.ts";
import { type Finding, limited, median, report } from "./finding.ts";
import { chain, parked, PAYLOAD } from "./flows.ts";
import type { Ground } from "./ground.ts";
import type { Space } from "./space.ts";

const CHUNK = 50_000;
const SAMPLES = 10;
const PAINT_MS = 200;
/** One execution in so many fails. */
const FAILS_EACH = 25;
/** One waiting execution in so many is cancelled. */
const CANCELLED_EACH = 4;
const POLL_MS = 250;
const ERRORS = ["the card was declined", "there is no stock left", "the address is not known", "the price has changed"];

/** The flows, and which share of the executions each has. */
const SHARES = { orders: 0.6, invoices: 0.25, emails: 0.13, approvals: 0.02 };

/** Fills a namespace, and asks a dashboard in a process of its own for its pages. */
export async function dashboard(ground: Ground): Promise<Finding[]> {
  const count = ground.isFull ? 1_000_000 : 20_000;
  const among = `among ${count.toLocaleString("en")}`;
  await using space = await ground.engine({
    flows: [
      ...["orders", "invoices", "emails"].map((name) => chain(name, 1, { invoker: "work" })),
      parked("approvals"),
    ],
    invokers: { work },
  });
  await fill(space, count);
  await ground.yardstick.raw(); // lets the server settle
  await using process = await startDashboard({ url: ground.nats.url, namespace: space.namespace });
  const findings: Finding[] = [];
  for (const [name, path] of Object.entries(await pages(space))) {
    const { first, whole } = await answers(`${process.url}${path}`);
    findings.push(
      report(`dashboard, ${name}, ${among}: first byte`, first, "ms"),
      report(`dashboard, ${name}, ${among}: whole answer`, whole, "ms"),
    );
  }
  return [...findings, ...await paints(process.url, among)];
}

function work({ context }: InvokeRequest): Result {
  const { error } = context.input as { error?: string };
  return error === undefined ? { status: "ok" } : { status: "error", error };
}

/** Executions of every flow and status, side by side. */
async function fill(space: Space, count: number): Promise<void> {
  for (let left = count; left > 0; left -= CHUNK) {
    const chunk = Math.min(left, CHUNK);
    const started = await Promise.all(
      Object.entries(SHARES).map(([flow, share]) => space.start(flow, Math.round(chunk * share), payload)),
    );
    const cancelled = started.at(-1)!.filter((_id, index) => index % CANCELLED_EACH === 0);
    for (const id of cancelled) await space.server.cancel(id, "no longer wanted");
    await settled(space);
  }
}

function payload(index: number): JsonObject {
  return index % FAILS_EACH === 0 ? { error: `${ERRORS[index % ERRORS.length]}: ${index}` } : PAYLOAD;
}

/** Resolves when nothing runs any more. */
async function settled({ server }: Space): Promise<void> {
  for (;;) {
    const counts = Object.values(await server.counts());
    if (counts.every(({ running }) => running === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What is asked for, by name. */
async function pages({ server }: Space): Promise<Record<string, string>> {
  const [newest] = await server.recent({ limit: 1, flow: "orders" });
  const { executionId, revision } = newest!;
  const middle = Math.floor(revision / 2);
  const [deep] = await server.recent({ limit: 1, flow: "orders", before: middle });
  return {
    "executions": "executions",
    "executions that failed": "executions?status=failed",
    "executions of a flow": "executions?flow=invoices",
    "executions by how the id begins": `executions?id=${executionId.slice(0, 4)}`,
    "an old execution by its id": `executions?id=${deep!.executionId}`,
    "executions by error text": "executions?error=stock",
    "failed executions by error text": "executions?status=failed&error=stock",
    "a deep page of executions": `executions?before=${middle}`,
    "overview": "",
    "one execution": `executions/${executionId}`,
    "one flow": "flows/orders",
  };
}

/** The median times until the first byte and until the whole answer, in milliseconds. */
async function answers(url: string): Promise<{ first: number; whole: number }> {
  const firsts: number[] = [];
  const wholes: number[] = [];
  for (let sample = -1; sample < SAMPLES; sample++) {
    const began = performance.now();
    const response = await fetch(url);
    const first = performance.now() - began;
    const text = await response.text();
    if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text.slice(0, 200)}`);
    if (sample < 0) continue; // the first one of each kind warms up
    firsts.push(first);
    wholes.push(performance.now() - began);
  }
  return { first: median(firsts), whole: median(wholes) };
}

/** When the list is seen in a browser, and its next pages; nothing where there is no browser. */
async function paints(base: string, among: string): Promise<Finding[]> {
  const chromium = await findChromium();
  if (chromium === undefined) {
    console.error("the dashboard's first paint is not measured: there is no chromium, see `apt-get install chromium`");
    return [];
  }
  const { first, bare, turned, seen } = await measurePaints({
    chromium,
    url: `${base}executions`,
    bare: `${base}healthz`,
    samples: SAMPLES,
  });
  return [
    report("a line of text in the same browser: first paint", median(bare), "ms"),
    limited(`dashboard, executions, ${among}: first paint`, median(first), "ms", PAINT_MS),
    limited(`dashboard, next page by key, ${among}: first paint`, median(turned), "ms", PAINT_MS),
    report(`dashboard, executions seen on ${turned.length + 1} pages, all different`, seen, "executions"),
  ];
}

/** What pages that stay open need. @module */

import type { Browser, DevTools, Page } from "./playwright.ts";
import { VIEWPORT } from "./playwright.ts";

/** Keeps pages open, and looks at them from time to time. */
export interface HoldTask {
  /** What to do. */
  readonly kind: "hold";
  /** The pages by name. */
  readonly pages: Record<string, HeldPage>;
  /** The time between two looks, in milliseconds. */
  readonly everyMs: number;
}

/** A page that stays open. */
export interface HeldPage {
  /** Its address. */
  readonly url: string;
  /** Whether the browser is made to collect its garbage at each look. */
  readonly collects: boolean;
}

/** What one look at a page finds. Bytes. */
export interface PageSample {
  /** The page's name. */
  readonly page: string;
  /** The JavaScript heap that is used, garbage included. */
  readonly heap: number;
  /** The JavaScript heap in use after a collection that was asked for; absent where none is. */
  readonly heapCollected?: number;
  /** Nodes of documents, those that only scripts hold included. */
  readonly nodes: number;
  /** Listeners of events. */
  readonly listeners: number;
  /** Private memory of the renderer's process, before the collection; absent where it cannot be read. */
  readonly memory?: number;
  /** How many changes of the page the script has taken over since the last look. */
  readonly changes: number;
  /** Whether the page is live: what its own sign says. */
  readonly sign: string;
}

interface Held {
  readonly name: string;
  readonly page: Page;
  readonly tools: DevTools;
  readonly collects: boolean;
  readonly pid: number | undefined;
}

const COUNT_CHANGES = `window.__changes = 0; new MutationObserver((list) => { window.__changes += list.length; })
  .observe(document.getElementById("main"), { subtree: true, childList: true, attributes: true, characterData: true });
  undefined`;

/** Keeps the pages open until it is told to end. */
export async function hold(
  browser: Browser,
  { pages, everyMs, ended, report }: HoldTask & { ended: Promise<void>; report: (samples: PageSample[]) => void },
): Promise<void> {
  const processes = await browser.newBrowserCDPSession();
  const held: Held[] = [];
  for (const [name, { url, collects }] of Object.entries(pages)) {
    const before = await renderers(processes);
    const context = await browser.newContext(VIEWPORT);
    const page = await context.newPage();
    await page.goto(url);
    await page.evaluate(COUNT_CHANGES);
    const tools = await context.newCDPSession(page);
    await tools.send("Performance.enable");
    const fresh = [...await renderers(processes)].filter((pid) => !before.has(pid));
    held.push({ name, page, tools, collects, pid: fresh.length === 1 ? fresh[0] : undefined });
  }
  let hasEnded = false;
  const end = ended.then(() => {
    hasEnded = true;
  });
  for (let next = performance.now(); !hasEnded; next += everyMs) {
    const samples: PageSample[] = [];
    for (const one of held) samples.push(await look(one));
    report(samples);
    await Promise.race([end, after(next + everyMs - performance.now())]);
  }
}

async function look({ name, page, tools, collects, pid }: Held): Promise<PageSample> {
  const memory = pid === undefined ? undefined : await privateBytes(pid);
  const before = await metrics(tools);
  if (collects) await tools.send("HeapProfiler.collectGarbage");
  const now = collects ? await metrics(tools) : before;
  const { changes, sign } = await page.evaluate<{ changes: number; sign: string }>(
    `{ const changes = window.__changes; window.__changes = 0;
       ({ changes, sign: document.hidden ? "hidden" : document.getElementById("live").textContent }) }`,
  );
  return {
    page: name,
    heap: before.JSHeapUsedSize!,
    ...collects ? { heapCollected: now.JSHeapUsedSize! } : {},
    nodes: now.Nodes!,
    listeners: now.JSEventListeners!,
    ...memory === undefined ? {} : { memory },
    changes,
    sign,
  };
}

async function metrics(tools: DevTools): Promise<Record<string, number>> {
  const { metrics } = await tools.send("Performance.getMetrics") as { metrics: { name: string; value: number }[] };
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

/** The process ids of the renderers. */
async function renderers(tools: DevTools): Promise<Set<number>> {
  const { processInfo } = await tools.send("SystemInfo.getProcessInfo") as {
    processInfo: { type: string; id: number }[];
  };
  return new Set(processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id));
}

/** The memory that only this process has; Linux tells. */
async function privateBytes(pid: number): Promise<number | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`).catch(() => "");
  const kibibytes = /^Private_Dirty:\s+(\d+) kB/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** What pages that stay open need. @module */

import { DevToolsBrowser, type DevToolsPage } from "./devtools.ts";

/** A page that is to stay open. */
export interface PageToHold {
  /** Its name. */
  readonly name: string;
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
  /** Nodes of documents, garbage included where no collection is asked for. */
  readonly nodes: number;
  /** Listeners of events. */
  readonly listeners: number;
  /** Private memory of the renderer's process, before the collection; absent where it cannot be read. */
  readonly memory?: number;
  /** How many changes of the page the script has made since the last look. */
  readonly changes: number;
  /** Whether the page is live: what its own sign says. */
  readonly sign: string;
}

interface Held extends PageToHold {
  readonly page: DevToolsPage;
  readonly pid: number | undefined;
}

const COUNT_CHANGES = `window.__changes = 0; new MutationObserver((list) => { window.__changes += list.length; })
  .observe(document.getElementById("main"), { subtree: true, childList: true, attributes: true, characterData: true });
  undefined`;

const READ_CHANGES = `{ const changes = window.__changes; window.__changes = 0;
  ({ changes, sign: document.hidden ? "hidden" : document.getElementById("live").textContent }) }`;

/** Pages that stay open. */
export class HeldPages implements AsyncDisposable {
  readonly #browser: DevToolsBrowser;
  readonly #pages: readonly Held[];

  private constructor(browser: DevToolsBrowser, pages: readonly Held[]) {
    this.#browser = browser;
    this.#pages = pages;
  }

  /** Opens the pages, each in a process of its own. */
  static async open(chromium: string, pages: readonly PageToHold[]): Promise<HeldPages> {
    const browser = await DevToolsBrowser.launch(chromium);
    try {
      const held: Held[] = [];
      for (const page of pages) held.push(await holdPage(browser, page));
      return new HeldPages(browser, held);
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Looks at all of them. */
  async look(): Promise<PageSample[]> {
    const samples: PageSample[] = [];
    for (const page of this.#pages) samples.push(await look(page));
    return samples;
  }

  /** Closes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
  }
}

async function holdPage(browser: DevToolsBrowser, one: PageToHold): Promise<Held> {
  const before = await browser.renderers();
  const page = await browser.open(one.url);
  await page.evaluate(COUNT_CHANGES);
  await page.send("Performance.enable");
  const fresh = [...await browser.renderers()].filter((pid) => !before.has(pid));
  return { ...one, page, pid: fresh.length === 1 ? fresh[0] : undefined };
}

async function look({ name, page, collects, pid }: Held): Promise<PageSample> {
  const memory = pid === undefined ? undefined : await privateBytes(pid);
  const before = await metrics(page);
  if (collects) await page.send("HeapProfiler.collectGarbage");
  const now = collects ? await metrics(page) : before;
  const { changes, sign } = await page.evaluate<{ changes: number; sign: string }>(READ_CHANGES);
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

async function metrics(page: DevToolsPage): Promise<Record<string, number>> {
  const { metrics } = await page.send("Performance.getMetrics");
  return Object.fromEntries((metrics as { name: string; value: number }[]).map(({ name, value }) => [name, value]));
}

/** The memory that only this process has; Linux tells. */
async function privateBytes(pid: number): Promise<number | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`).catch(() => "");
  const kibibytes = /^Private_Dirty:\s+(\d+) kB/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
}

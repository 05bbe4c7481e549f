/** How soon a page is seen, and the next one by the keyboard. @module */

import type { Browser, BrowserContext, Page } from "./playwright.ts";
import { VIEWPORT } from "./playwright.ts";

/** Paints the list some times. */
export interface PaintTask {
  /** The browser's program. */
  readonly chromium: string;
  /** The list's address. */
  readonly url: string;
  /** The address of a line of text: what the browser itself needs. */
  readonly bare: string;
  /** How often. */
  readonly samples: number;
}

/** What is found. */
export interface Paints {
  /** First contentful paint of the list, in milliseconds, once for each new page. */
  readonly first: number[];
  /** The same of the line of text, each time just before. */
  readonly bare: number[];
  /** First contentful paint of each next page that the key `n` turned to, in milliseconds. */
  readonly turned: number[];
  /** How many executions were seen, all of them different. */
  readonly seen: number;
}

const PAINT = `new Promise((resolve) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) resolve(paint.startTime);
}).observe({ type: "paint", buffered: true }))`;

const ROWS = `[...document.querySelectorAll("a[data-row]")].map((link) => link.textContent)`;

/** Opens the list again and again, in a browser that has seen it once; then turns pages. */
export async function paint(browser: Browser, task: PaintTask): Promise<Paints> {
  const context = await browser.newContext(VIEWPORT);
  await once(context, task.url);
  const first: number[] = [];
  const bare: number[] = [];
  for (let sample = 0; sample < task.samples; sample++) {
    bare.push(await once(context, task.bare));
    first.push(await once(context, task.url));
  }
  const page = await context.newPage();
  await page.goto(task.url);
  const seen = new Set(await page.evaluate<string[]>(ROWS));
  const turned: number[] = [];
  for (let sample = 0; sample < task.samples; sample++) turned.push(await turn(page, seen));
  return { first, bare, turned, seen: seen.size };
}

async function once(context: BrowserContext, url: string): Promise<number> {
  const page = await context.newPage();
  try {
    await page.goto(url);
    return await page.evaluate<number>(PAINT);
  } finally {
    await page.close();
  }
}

/** Turns to the next page by its key. @throws {Error} Where the page has an execution that was seen before. */
async function turn(page: Page, seen: Set<string>): Promise<number> {
  const from = page.url();
  await page.keyboard.press("n");
  await page.waitForURL((url) => url.href !== from);
  const paint = await page.evaluate<number>(PAINT);
  for (const id of await page.evaluate<string[]>(ROWS)) {
    if (seen.has(id)) throw new Error(`${id} is on two pages`);
    seen.add(id);
  }
  return paint;
}

/**
 * The process of `startBrowser`: a browser that measures pages, and prints what it finds as JSON, one value a line.
 *
 * playwright-core is loaded only here, so that no machine without a browser has to have it.
 *
 * @module
 */

import { hold, type HoldTask } from "./hold.ts";
import { paint, type PaintTask } from "./paint.ts";
import type { Browser } from "./playwright.ts";

const ARGS = [
  "--no-sandbox",
  // A renderer that is kept ready for later would be taken for one of a page.
  "--disable-features=SpareRendererForSitePerProcess",
];

async function main(task: (PaintTask | HoldTask) & { chromium: string }): Promise<void> {
  const { chromium } = await import(`npm:playwright-core@${"1.65.1"}`) as {
    chromium: { launch(options: Record<string, unknown>): Promise<Browser> };
  };
  const browser = await chromium.launch({ executablePath: task.chromium, args: ARGS });
  const ended = readToEnd();
  try {
    const report = (value: unknown) => console.log(JSON.stringify(value));
    if (task.kind === "paint") await paint(browser, task, report);
    else await hold(browser, { ...task, ended, report });
  } finally {
    await browser.close();
  }
}

async function readToEnd(): Promise<void> {
  for await (const _chunk of Deno.stdin.readable) { /* until it ends */ }
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}

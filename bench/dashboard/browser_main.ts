/**
 * The process of `measurePaints`: a browser that looks at pages, and prints what it finds as JSON.
 *
 * playwright-core is loaded only here, so that no machine without a browser has to have it.
 *
 * @module
 */

import { paint, type PaintTask } from "./paint.ts";
import type { Browser } from "./playwright.ts";

async function main(task: PaintTask): Promise<void> {
  const { chromium } = await import(`npm:playwright-core@${"1.65.1"}`) as {
    chromium: { launch(options: Record<string, unknown>): Promise<Browser> };
  };
  const browser = await chromium.launch({ executablePath: task.chromium, args: ["--no-sandbox"] });
  try {
    console.log(JSON.stringify(await paint(browser, task)));
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}

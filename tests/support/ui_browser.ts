/**
 * The process of the dashboard's browser test: walks through every view in a real browser, and prints what is wrong.
 *
 * It is given a JSON object: `{url, chromium, execution, shots?}`. playwright-core and axe-core are loaded only here, so
 * that no machine without a browser has to have them.
 *
 * @module
 */

/** What of playwright is used. */
interface Page {
  goto(url: string): Promise<unknown>;
  on(event: string, listener: (value: { type?(): string; text?(): string; message?: string }) => void): void;
  evaluate<T>(code: string): Promise<T>;
  waitForSelector(selector: string): Promise<unknown>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  fill(selector: string, value: string): Promise<void>;
  click(selector: string): Promise<void>;
  focus(selector: string): Promise<void>;
  url(): string;
  keyboard: { press(key: string): Promise<void> };
  close(): Promise<void>;
}

interface Browser {
  newPage(options: Record<string, unknown>): Promise<Page>;
  close(): Promise<void>;
}

interface Settings {
  url: string;
  chromium: string;
  execution: string;
  shots?: string;
}

const MODES = {
  light: { colorScheme: "light", viewport: { width: 1440, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1440, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 } },
} as const;

const problems: string[] = [];
let looks = 0;

async function main({ url, chromium, execution, shots }: Settings): Promise<void> {
  const { chromium: driver } = await import(`npm:playwright-core@${"1.65.1"}`) as {
    chromium: { launch(options: Record<string, unknown>): Promise<Browser> };
  };
  const { default: axe } = await import(`npm:axe-core@${"4.14.1"}`) as { default: { source: string } };
  const browser = await driver.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  try {
    const executions = await (await fetch(`${url}api/executions?status=failed&limit=1`)).json() as { id: string }[];
    const views: Record<string, string> = {
      overview: "",
      executions: "executions",
      filtered: "executions?status=failed&error=price",
      nothing: "executions?id=there-is-no-such-execution",
      waiting: `executions/${execution}`,
      failed: `executions/${executions[0]!.id}`,
      flows: "flows",
      flow: "flows/orders",
      large: "flows/large",
      parked: "waiting",
      schedules: "schedules",
      letters: "dead-letters",
      start: "start?flow=orders",
      cancel: `executions/${execution}/cancel`,
      missing: "executions/none",
    };
    for (const [mode, options] of Object.entries(MODES)) {
      const page = await watched(browser, options, mode);
      for (const [name, path] of Object.entries(views)) {
        await look(page, `${name}, ${mode}`, `${url}${path}`, axe.source);
        if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}-${mode}.png`, fullPage: true });
      }
      await page.close();
    }
    await stayFresh(browser, url);
    await useKeys(browser, url);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify({ looks, problems }));
}

/** A page whose errors are problems; the answer to a page that is not there is none. */
async function watched(browser: Browser, options: Record<string, unknown>, name: string): Promise<Page> {
  const page = await browser.newPage(options);
  page.on("pageerror", (error) => problems.push(`${name}: ${error.message}`));
  page.on("console", (line) => {
    const text = line.text!();
    if (line.type!() === "error" && !text.includes("404")) problems.push(`${name}: console: ${text}`);
  });
  return page;
}

/** Opens a view: it must fit the screen and have no accessibility violation. */
async function look(page: Page, name: string, url: string, axe: string): Promise<void> {
  looks++;
  await page.goto(url);
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  if (overflow > 0) problems.push(`${name}: is ${overflow} px too wide`);
  await page.evaluate(`${axe};undefined`);
  const violations = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
    "axe.run().then(({ violations }) => violations)",
  );
  for (const { id, nodes } of violations) {
    problems.push(
      `${name}: ${id}: ${nodes.slice(0, 2).map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`,
    );
  }
}

/** A list and an execution change by themselves while they are looked at. */
async function stayFresh(browser: Browser, url: string): Promise<void> {
  const list = await watched(browser, MODES.light, "live list");
  await list.goto(`${url}executions`);
  await list.waitForSelector("#live.on");
  await list.evaluate(`document.querySelector("form[data-filter]").isMarked = true; undefined`);
  await list.keyboard.press("j");
  const held = await list.evaluate<string>("document.activeElement.textContent");
  const page = await watched(browser, MODES.light, "live execution");
  await page.goto(`${url}start?flow=orders`);
  await page.fill("textarea[name=payload]", `{"kind": "waits"}`);
  await page.fill("input[name=id]", "from-the-browser");
  await page.click("form .primary");
  await list.waitForSelector("a[href$='/executions/from-the-browser']");
  if (!await list.evaluate<boolean>(`document.querySelector("form[data-filter]").isMarked === true`)) {
    problems.push("live list: it was made anew, where its rows have changed");
  }
  const after = await list.evaluate<string>("document.activeElement.textContent");
  if (after !== held) problems.push(`live list: the focus was on ${held}, it is on ${after.slice(0, 50)}`);
  await page.waitForSelector(".verdict.waiting");
  const other = await watched(browser, MODES.light, "signal");
  await other.goto(`${url}executions/from-the-browser/signal`);
  await other.click("form .primary");
  await page.waitForSelector(".verdict.completed");
  looks += 3;
}

/** The keyboard goes through rows and pages, and zooms a graph. */
async function useKeys(browser: Browser, url: string): Promise<void> {
  const page = await watched(browser, MODES.light, "keys");
  await page.goto(`${url}executions?status=completed`);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.waitForSelector("tbody tr:nth-child(2).at");
  await page.keyboard.press("n");
  await page.waitForSelector("a[rel=first]");
  if (!page.url().includes("status=completed")) problems.push("keys: the next page lost the filter");
  await page.goto(`${url}flows/orders`);
  await page.focus("button[data-zoom='1.4']");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".stage.zoomed");
  await page.focus("button[data-zoom='0']");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".stage:not(.zoomed)");
  looks += 3;
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}

/** The processes beside a measurement of the dashboard: the dashboard itself, and a browser. @module */

import type { Paints, PaintTask } from "./paint.ts";

/** What a dashboard's process is told. */
export interface DashboardSettings {
  /** The NATS server. */
  readonly url: string;
  /** The namespace. */
  readonly namespace: string;
}

/** A dashboard in a process of its own. */
export interface DashboardProcess extends AsyncDisposable {
  /** Where it is: `http://127.0.0.1:40123/`. */
  readonly url: string;
  /** The process id. */
  readonly pid: number;
}

const ROOT = new URL("../../", import.meta.url);
const SERVE_MAIN = new URL("./serve_main.ts", import.meta.url);
const BROWSER_MAIN = new URL("./browser_main.ts", import.meta.url);

/** Serves a dashboard in a process of its own, which ends with this one. Resolves when it listens. */
export async function startDashboard(settings: DashboardSettings): Promise<DashboardProcess> {
  const { child, lines, end } = start([SERVE_MAIN.href, JSON.stringify(settings)]);
  const { done, value } = await lines.next();
  if (done) throw new Error(`the dashboard's process ended with code ${(await child.status).code}`);
  return { url: value, pid: child.pid, [Symbol.asyncDispose]: end };
}

/** Has a browser look at pages. */
export async function measurePaints(task: PaintTask): Promise<Paints> {
  // Without a lock file: what drives the browser is no dependency of the project.
  const { lines, end } = start(["--no-lock", BROWSER_MAIN.href, JSON.stringify(task)]);
  const { value } = await lines.next();
  await end();
  if (value === undefined) throw new Error("the browser has measured nothing");
  return JSON.parse(value);
}

/** The browser on this machine, `undefined` where there is none. */
export async function findChromium(): Promise<string | undefined> {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
      const path = `${folder}/${name}`;
      if (folder !== "" && await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
    }
  }
  return undefined;
}

function start(args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(child.stdout);
  const end = async () => {
    await child.stdin.close();
    for await (const _line of lines) { /* what nobody has asked for */ }
    await child.status;
  };
  return { child, lines, end };
}

async function* linesOf(readable: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

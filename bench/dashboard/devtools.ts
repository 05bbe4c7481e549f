/**
 * A browser by the developer tools' protocol, and nothing else: what drives browsers for tests watches the network, and
 * makes pages keep all that they have ever been sent.
 *
 * @module
 */

/** A page that is open. */
export interface DevToolsPage {
  /** Calls a method of the protocol. */
  send(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Runs code in the page. Returns its value. */
  evaluate<T>(code: string): Promise<T>;
}

interface Reply {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

const LOAD_MS = 30_000;
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--no-first-run",
  "--remote-debugging-port=0",
  "--window-size=1440,900",
  // A renderer that is kept ready for later would be taken for one of a page.
  "--disable-features=SpareRendererForSitePerProcess",
];

/** A browser in a process of its own, with a profile that is removed with it. */
export class DevToolsBrowser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #calls = 0;

  private constructor(child: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the browser has gone"));
    };
  }

  /** Starts a browser. */
  static async launch(chromium: string): Promise<DevToolsBrowser> {
    const profile = await Deno.makeTempDir({ prefix: "packtrail-browser-" });
    const command = new Deno.Command(chromium, {
      args: [...ARGS, `--user-data-dir=${profile}`, "about:blank"],
      stdout: "null",
      stderr: "piped",
    });
    const child = command.spawn();
    const socket = new WebSocket(await addressOf(child));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new DevToolsBrowser(child, profile, socket);
  }

  /** Opens a page in a window of its own. Resolves when it is loaded. */
  async open(url: string): Promise<DevToolsPage> {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    const target = await this.send("Target.createTarget", { url, browserContextId, newWindow: true });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId: target.targetId, flatten: true });
    const send = (method: string, params = {}) => this.#call({ method, params, sessionId });
    const page: DevToolsPage = {
      send,
      async evaluate<T>(code: string): Promise<T> {
        const { result, exceptionDetails } = await send("Runtime.evaluate", {
          expression: code,
          returnByValue: true,
        }) as { result: { value: T }; exceptionDetails?: unknown };
        if (exceptionDetails !== undefined) throw new Error(`the page says: ${JSON.stringify(exceptionDetails)}`);
        return result.value;
      },
    };
    await loaded(page);
    return page;
  }

  /** Calls a method of the browser itself. */
  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.#call({ method, params });
  }

  /** The process ids of the renderers. */
  async renderers(): Promise<Set<number>> {
    const { processInfo } = await this.send("SystemInfo.getProcessInfo");
    const all = processInfo as { type: string; id: number }[];
    return new Set(all.filter(({ type }) => type === "renderer").map(({ id }) => id));
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.send("Browser.close").catch(() => {});
    await this.#child.status;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }

  #call(message: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = ++this.#calls;
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ ...message, id }));
    return waiting.promise;
  }

  #take({ id, result = {}, error }: Reply): void {
    if (id === undefined) return;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }
}

/** Resolves when a page is loaded. Nothing can be asked of it while it goes from where it was to there. */
async function loaded(page: DevToolsPage): Promise<void> {
  const isLoaded = `location.href !== "about:blank" && document.readyState === "complete"`;
  for (const deadline = performance.now() + LOAD_MS;;) {
    if (await page.evaluate<boolean>(isLoaded).catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`the page is not loaded after ${LOAD_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Where it listens, which it says on its standard error; what it says later is dropped. */
async function addressOf(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "";;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the browser ended: ${text}`);
    text += value;
    const address = /DevTools listening on (ws:\S+)\s/.exec(text)?.[1];
    if (address === undefined) continue;
    (async () => {
      while (!(await reader.read()).done) { /* it must not wait for a reader */ }
    })();
    return address;
  }
}

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { type FlowDef, type InvokeRequest, type Result, type Server, ValidationError } from "../mod.ts";
import { dashboard, type DashboardHandler, type DashboardOptions } from "../src/ui/mod.ts";
import { serveDashboard } from "../src/ui/serve.ts";
import { ended, inSpace, reaches, type Space, until, within } from "./support/mod.ts";

const MARKUP = `<script>alert(1)</script><img src=x onerror="x">'"\`&`;
const TOKEN = "correct-horse-battery-staple";

const ORDERS: FlowDef = {
  name: "orders",
  nodes: [
    { id: "price", type: "task", invoker: "f", target: MARKUP.replaceAll(/\s/g, "") },
    { id: "spread", type: "fanout", branches: ["left", "right"] },
    { id: "left", type: "task", invoker: "f", retry: { maxAttempts: 2 } },
    { id: "right", type: "task", invoker: "f" },
    { id: "meet", type: "fanin", waitFor: ["left", "right"] },
    {
      id: "route",
      type: "choice",
      rules: [{ when: `payload.kind == "<b>bold</b>"`, to: "approve" }, { default: true, to: "ship" }],
    },
    { id: "approve", type: "signal", signalName: "approval", timeout: "1h", onTimeout: "ship" },
    { id: "ship", type: "task", invoker: "f" },
  ],
  edges: [
    { from: "price", to: "spread" },
    { from: "spread", to: "meet" },
    { from: "meet", to: "route" },
    { from: "approve", to: "ship" },
  ],
};

/** `kind` in the input says how an order goes. */
function order({ nodeId, payload, context }: InvokeRequest): Result {
  const { kind } = context.input as { kind?: string };
  if (nodeId === "price") {
    if (kind === "bad") return { status: "error", error: `no price: ${MARKUP}` };
    if (kind === "pending") return { status: "pending" };
    return { status: "ok", payload: context.input };
  }
  if (nodeId === "left" || nodeId === "right") return { status: "ok", payload: { side: MARKUP } };
  return { status: "ok", payload };
}

interface Bench {
  server: Server;
  space: Space;
  /** A request to the handler; `http://localhost` where there is no host. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The same with a handler of other options. */
  handler(options?: DashboardOptions): DashboardHandler;
}

/** Runs a step with a server whose engine runs, and a dashboard of it. */
async function onBench(step: (bench: Bench) => Promise<void>, options: DashboardOptions = {}): Promise<void> {
  await inSpace(async (space) => {
    const { server } = await space.engine({ flows: [ORDERS], invokers: { f: order } });
    await server.init();
    const stopping = new AbortController();
    const handler = (more: DashboardOptions = {}) => dashboard(server, { signal: stopping.signal, ...more });
    const own = handler(options);
    try {
      await step({ server, space, handler, ask: (path, init) => own(request(path, init)) });
    } finally {
      stopping.abort();
    }
  });
}

function request(path: string, init?: RequestInit): Request {
  return new Request(new URL(path, "http://localhost:8088"), init);
}

function assertNotMatch(text: string, pattern: RegExp, message = ""): void {
  const found = pattern.exec(text);
  assert(
    found === null,
    `${message} holds ${found?.[0]}: …${text.slice(Math.max(0, (found?.index ?? 0) - 80), (found?.index ?? 0) + 80)}`,
  );
}

async function json(response: Response, status = 200): Promise<unknown> {
  const text = await response.text();
  assertEquals(response.status, status, text);
  assertMatch(response.headers.get("content-type")!, /^application\/json/);
  return JSON.parse(text);
}

async function page(response: Response, status = 200): Promise<string> {
  const text = await response.text();
  assertEquals(response.status, status, text);
  assertMatch(response.headers.get("content-type")!, /^text\/html/);
  return text;
}

/** What is refused, with its code. */
async function refused(response: Response, status: number, code: string): Promise<void> {
  const { error, code: found } = await json(response, status) as { error: string; code: string };
  assertEquals(found, code);
  assert(error.length > 0);
}

const PAGES = ["/", "/executions", "/flows", "/flows/orders", "/waiting", "/schedules", "/dead-letters"];
const READS = [
  "/api/flows",
  "/api/flows/orders",
  "/api/flows/orders.svg",
  "/api/executions",
  "/api/deadletters",
  "/api/counts",
  "/api/schedules",
  "/metrics",
  "/healthz",
];

Deno.test("every page and every route of the API answers, in an empty namespace too", async () => {
  await inSpace(async (space) => {
    const stopping = new AbortController();
    const handler = dashboard(await space.server(), { signal: stopping.signal });
    for (const path of [...PAGES, ...READS].filter((path) => !path.includes("orders"))) {
      const response = await handler(request(path));
      assertEquals(response.status, 200, path);
      await response.body?.cancel();
    }
    assertStringIncludes(await page(await handler(request("/executions"))), "No executions yet");
    assertStringIncludes(await page(await handler(request("/flows/orders")), 404), "there is no flow orders");
    stopping.abort();
  });
});

Deno.test("every answer forbids framing, sniffing, foreign scripts and sharing, also a refusal", async () => {
  await onBench(async ({ ask, server }) => {
    const id = await server.start("orders", { kind: "plain" });
    await ended(server, id);
    const paths = [...PAGES, ...READS, `/executions/${id}`, "/nowhere", "/api/executions?limit=x"];
    for (const path of paths) {
      const response = await ask(path);
      await response.body?.cancel();
      const { headers } = response;
      const policy = headers.get("content-security-policy")!;
      assertMatch(policy, /default-src 'none'/, path);
      assertMatch(policy, /script-src 'nonce-[A-Za-z0-9+/]{24}'/);
      assertMatch(policy, /frame-ancestors 'none'/);
      assertNotMatch(policy, /unsafe|\*/);
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("x-frame-options"), "DENY");
      assertEquals(headers.get("cross-origin-opener-policy"), "same-origin");
      assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
      assertEquals([...headers.keys()].filter((name) => name.startsWith("access-control")), []);
    }
  });
});

Deno.test("pages hold no inline script or style, and a nonce of their own", async () => {
  await onBench(async ({ ask, server }) => {
    const id = await server.start("orders", { kind: "plain" });
    await ended(server, id);
    const nonces = new Set<string>();
    for (const path of [...PAGES, `/executions/${id}`]) {
      const response = await ask(path);
      const nonce = /'nonce-([^']+)'/.exec(response.headers.get("content-security-policy")!)![1]!;
      nonces.add(nonce);
      const text = await response.text();
      assertNotMatch(text, /<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+="|javascript:/i, path);
      assertEquals(text.match(/<script /g)?.length, 1);
      assertStringIncludes(text, `nonce="${nonce}" defer`);
    }
    assertEquals(nonces.size, PAGES.length + 1);
  });
});

Deno.test("assets are served under names that change with them, and nothing else is", async () => {
  await onBench(async ({ ask }) => {
    const text = await page(await ask("/"));
    const assets = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!);
    assertEquals(assets.length, 3);
    for (const path of assets) {
      const response = await ask(path);
      assertEquals(response.status, 200);
      assertMatch(response.headers.get("cache-control")!, /immutable/);
      assert((await response.text()).length > 100);
    }
    for (const path of ["/assets/../deno.json", "/assets/%2e%2e/deno.json", "/assets/", "/src/ui/mod.ts"]) {
      await page(await ask(path), 404);
    }
  });
});

Deno.test("nothing that comes from NATS is markup in a page", async () => {
  await onBench(async ({ ask, server, space }) => {
    await server.start("orders", { kind: "<b>bold</b>", note: MARKUP, [MARKUP]: [MARKUP] }, { id: "waits" });
    await server.start("orders", { kind: "bad" }, { id: "fails" });
    await server.start("orders", { kind: "pending" }, { id: "stays" });
    await reaches(server, "waits", "waiting", "approve");
    await ended(server, "fails");
    await reaches(server, "stays", "waiting");
    await server.cancel("stays", MARKUP);
    await server.scheduleFlow("tick", "orders", "0 0 3 * * *", { [MARKUP]: MARKUP });
    space.nc.publish(`${space.namespace}.in.signal.${MARKUP.replaceAll(/[\s.]/g, "")}.x`, MARKUP);
    await until(async () => (await server.deadLetters()).length === 1, "a dead letter");
    const paths = [...PAGES, "/executions/waits", "/executions/fails", "/executions/stays"];
    for (const path of paths) {
      const text = await page(await ask(path));
      assertNotMatch(text, /<script>|<img|onerror="|<b>bold/, path);
      for (const part of text.matchAll(/="([^"]*)"/g)) assertNotMatch(part[1]!, /[<>`]/, path);
    }
    const failed = await page(await ask("/executions/fails"));
    assertStringIncludes(failed, "no price: &lt;script&gt;alert(1)&lt;/script&gt;");
    assertStringIncludes(await page(await ask("/dead-letters")), "&lt;script&gt;");
    const svg = await (await ask("/api/flows/orders.svg")).text();
    assertNotMatch(svg, /<script|<img|<b>/);
    assertStringIncludes(svg, "&lt;b&gt;bold");
    assertNotMatch(await page(await ask(`/executions?error=${encodeURIComponent(MARKUP)}`)), /<script>|<img/);
    assertNotMatch(await page(await ask(`/${encodeURIComponent(MARKUP)}`), 404), /<script>|<img/);
    assertNotMatch(await page(await ask(`/flows/${encodeURIComponent(MARKUP)}`), 400), /<script>|<img/);
    assertNotMatch(await (await ask("/metrics")).text(), /<script/);
  });
});

Deno.test("the API speaks snake_case, and leaves the keys of payloads alone", async () => {
  await onBench(async ({ ask, server }) => {
    await server.start("orders", { kind: "<b>bold</b>", camelCase: 1 }, { id: "one" });
    const waiting = await reaches(server, "one", "waiting", "approve");
    assertEquals(await json(await ask("/api/flows")), ["orders"]);
    const graph = await json(await ask("/api/flows/orders")) as { nodes: { id: string }[] };
    const find = (id: string) => graph.nodes.find((node) => node.id === id);
    assertEquals(find("meet"), { id: "meet", type: "fanin", wait_for: ["left", "right"], join_policy: "all" } as never);
    assertEquals(
      find("approve"),
      { id: "approve", type: "signal", signal_name: "approval", on_timeout: "ship", timeout: 3_600_000 } as never,
    );
    const [row] = await json(await ask("/api/executions")) as Record<string, unknown>[];
    assertEquals(Object.keys(row!).sort(), [
      "attempt",
      "current_node",
      "flow",
      "id",
      "revision",
      "status",
      "updated_at",
    ]);
    const execution = await json(await ask("/api/executions/one")) as Record<string, unknown>;
    assertEquals(execution.current_node, "approve");
    assertEquals(execution.wait_signal, "approval");
    const until = waiting.wait!.until!.toISOString();
    assertEquals(execution.wait, { kind: "signal", signal: "approval", until });
    assertEquals(execution.started_at, waiting.startedAt.toISOString());
    assertEquals(execution.definition, waiting.definition);
    assertEquals((execution.branches as Record<string, { status: string }>).left!.status, "completed");
    const results = await json(await ask("/api/executions/one/results")) as Record<string, Record<string, unknown>>;
    assertEquals(results.input, { kind: "<b>bold</b>", camelCase: 1 });
    assertEquals(results.last_node, "right" as never, JSON.stringify(results));
    const history = await json(await ask("/api/executions/one/history")) as Record<string, unknown>[];
    assertEquals(history[0]!.execution_id, "one");
    assertEquals(history.at(-1)!.status, "waiting");
    const last = await json(await ask("/api/executions/one/history?limit=1")) as unknown[];
    assertEquals(last, [history.at(-1)]);
    const counts = await json(await ask("/api/counts"));
    assertEquals(counts, { orders: { running: 0, waiting: 1, completed: 0, failed: 0, cancelled: 0 } });
    assertEquals(await json(await ask("/api/deadletters")), { count: 0, recent: [] });
    assertEquals(await json(await ask("/healthz")), { status: "ok" });
  });
});

Deno.test("bad parameters are 400 with a code, unknown things 404, wrong methods 405", async () => {
  await onBench(async ({ ask }) => {
    const bad = [
      "/api/executions?limit=0",
      "/api/executions?limit=501",
      "/api/executions?limit=-1",
      "/api/executions?limit=1e3",
      "/api/executions?status=done",
      "/api/executions?flow=a.b",
      "/api/executions?before=x",
      "/api/executions?before=0",
      "/api/executions?since=yesterday",
      "/api/executions?colour=red",
      "/api/executions?limit=1&limit=2",
      `/api/executions?error=${"x".repeat(201)}`,
      "/api/executions/a.b",
      "/api/executions/a%20b",
      `/api/executions/${"x".repeat(129)}`,
      "/api/executions/x/history?limit=abc",
      "/api/flows/a%2Fb",
      "/api/flows/orders?definition=*",
      "/api/flows/orders.svg?direction=up",
      "/api/events?flow=*",
      "/api/events?after=-1",
      "/api/deadletters?limit=1001",
      "/api/counts?x=1",
    ];
    for (const path of bad) await refused(await ask(path), 400, "BAD_REQUEST");
    const unknown = [
      "/api/executions/none",
      "/api/executions/none/results",
      "/api/executions/none/history",
      "/api/flows/none",
      "/api/flows/none.svg",
      "/api/flows/orders?definition=0123",
      "/api/nothing",
      "/api/executions/x/y/z",
      "/api/executions/%ff",
    ];
    for (const path of unknown) await refused(await ask(path), 404, "NOT_FOUND");
    const wrong = await ask("/api/flows", { method: "DELETE" });
    assertEquals(wrong.headers.get("allow"), "GET, HEAD");
    await refused(wrong, 405, "METHOD_NOT_ALLOWED");
    await page(await ask("/executions/none"), 404);
    await page(await ask("/executions?status=done"), 400);
    const head = await ask("/api/flows", { method: "HEAD" });
    assertEquals([head.status, head.body], [200, null]);
  });
});

Deno.test("executions are filtered by status, flow, id, error and time, and paged without a gap", async () => {
  await onBench(async ({ ask, server }) => {
    for (let index = 0; index < 7; index++) await server.start("orders", { kind: "plain" }, { id: `plain-${index}` });
    await server.start("orders", { kind: "bad" }, { id: "bad-1" });
    for (const id of await server.list()) await ended(server, id);
    const ids = async (query: string) =>
      (await json(await ask(`/api/executions?${query}`)) as { id: string }[]).map(({ id }) => id);
    assertEquals(await ids("status=failed"), ["bad-1"]);
    assertEquals(await ids("error=NO%20PRICE"), ["bad-1"]);
    assertEquals(await ids("id=bad"), ["bad-1"]);
    assertEquals(await ids("id=plain-0&limit=1"), ["plain-0"], "an id that is given whole comes first");
    assertEquals(await ids("id=plain-0&status=failed"), []);
    assertEquals(await ids("status=failed&id=plain"), []);
    assertEquals((await ids("flow=orders&since=1h")).length, 8);
    assertEquals(await ids("until=2020-01-01"), []);
    assertEquals(await ids(`since=${new Date(Date.now() + 3_600_000).toISOString()}`), []);
    const seen: string[] = [];
    for (let path: string | undefined = "/api/executions?limit=3"; path !== undefined;) {
      const response: Response = await ask(path);
      path = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
      seen.push(...(await json(response) as { id: string }[]).map(({ id }) => id));
    }
    assertEquals(seen.toSorted(), await server.list());
    const first = await page(await ask("/executions?limit=3&status=completed"));
    const next = /rel="next" href="([^"]+)"/.exec(first)![1]!.replaceAll("&amp;", "&");
    assertMatch(next, /limit=3&status=completed&before=\d+|status=completed.*before=\d+/);
    assertStringIncludes(await page(await ask(next)), "plain-");
  });
});

Deno.test("an execution's page says what is the matter: where, why, what it waits for and until when", async () => {
  await onBench(async ({ ask, server }) => {
    await server.start("orders", { kind: "bad" }, { id: "fails" });
    await server.start("orders", { kind: "<b>bold</b>" }, { id: "waits" });
    await server.start("orders", { kind: "pending" }, { id: "stays" });
    await ended(server, "fails");
    const waiting = await reaches(server, "waits", "waiting", "approve");
    await reaches(server, "stays", "waiting");
    const text = async (id: string) => (await page(await ask(`/executions/${id}`))).replaceAll(/<[^>]*>/g, "");
    const failed = await text("fails");
    assertMatch(failed, /Failed at price/);
    assertMatch(failed, /attempt\s*1 of 1/);
    assert(failed.indexOf("Failed at") < failed.indexOf("Timeline"), "the error comes first");
    const waits = await text("waits");
    assertStringIncludes(waits, "Waiting for signal “approval”");
    assertStringIncludes(waits, waiting.wait!.until!.toISOString().slice(0, 19).replace("T", " "));
    assertMatch(waits, /it goes on at ship/);
    assertStringIncludes(await text("stays"), "Waiting for the completion of price");
    const drawn = await page(await ask("/executions/waits"));
    assertMatch(drawn, /class="node signal is-waiting"/);
    assertMatch(drawn, /class="node task is-completed"[^>]*><title>left: /);
    assertMatch(drawn, /class="node task is-idle"[^>]*aria-label="ship: /);
    assertStringIncludes(drawn, `class="edge branch taken"`);
    assertStringIncludes(await page(await ask("/waiting")), "Signal “approval”");
  });
});

Deno.test("the rows of every table have a cell for every column", async () => {
  await onBench(async ({ ask, server, space }) => {
    await server.start("orders", { kind: "bad" }, { id: "fails" });
    await server.start("orders", { kind: "<b>bold</b>" }, { id: "waits" });
    await ended(server, "fails");
    await reaches(server, "waits", "waiting", "approve");
    await server.scheduleFlow("tick", "orders", "0 0 3 * * *");
    space.nc.publish(`${space.namespace}.in.signal.nobody!.x`, "{}");
    await until(async () => (await server.deadLetters()).length === 1, "a dead letter");
    let tables = 0;
    for (const path of [...PAGES, "/executions/waits", "/executions/fails"]) {
      for (const [table] of (await page(await ask(path))).matchAll(/<table.*?<\/table>/gs)) {
        tables++;
        const columns = table.match(/<th[ >]/g)!.length;
        for (const [row] of table.slice(table.indexOf("<tbody>")).matchAll(/<tr.*?<\/tr>/gs)) {
          assertEquals(row.match(/<td[ >]/g)!.length, columns, `${path}: ${row}`);
        }
      }
    }
    assert(tables > 9, `${tables} tables`);
  }, { allowActions: true });
});

Deno.test("without actions their routes do not exist, for any method", async () => {
  await onBench(async ({ ask, server }) => {
    await server.start("orders", { kind: "bad" }, { id: "fails" });
    await ended(server, "fails");
    const post = { method: "POST", headers: { origin: "http://localhost:8088" }, body: "{}" };
    for (const path of ["/start", "/executions/fails/resume", "/executions/fails/cancel", "/executions/fails/signal"]) {
      await page(await ask(path), 404);
      await page(await ask(path, post), 404);
    }
    const api = ["/api/executions/fails/resume", "/api/executions/fails/cancel"];
    for (const action of ["redrive", "discard"]) {
      await page(await ask(`/dead-letters/1/${action}`), 404);
      await page(await ask(`/dead-letters/1/${action}`, post), 404);
      api.push(`/api/deadletters/1/${action}`);
    }
    for (const path of api) {
      await refused(await ask(path, post), 404, "NOT_FOUND");
    }
    await refused(await ask("/api/executions", post), 405, "METHOD_NOT_ALLOWED");
    assertNotMatch(await page(await ask("/executions/fails")), />Resume<|>Cancel<|method="post"/);
    assertEquals((await server.get("fails")).status, "failed");
  });
});

Deno.test("actions start, signal, cancel and resume, each after a confirmation", async () => {
  await onBench(async ({ ask, server }) => {
    const form = (path: string, fields: Record<string, string>) =>
      ask(path, { method: "POST", headers: { origin: "http://localhost:8088" }, body: new URLSearchParams(fields) });
    assertMatch(await page(await ask("/start?flow=orders")), /<option value="orders"\s+selected>/);
    const started = await form("/start", { flow: "orders", payload: `{"kind": "<b>bold</b>"}`, id: "one" });
    assertEquals([started.status, started.headers.get("location")], [303, "/executions/one"]);
    await reaches(server, "one", "waiting", "approve");
    assertStringIncludes(await page(await ask("/executions/one/signal")), `value="approval"`);
    assertEquals((await form("/executions/one/signal", { name: "approval", payload: "{}" })).status, 303);
    assertEquals((await ended(server, "one")).status, "completed");
    assertStringIncludes(await page(await form("/start", { flow: "orders", payload: "[" }), 400), "is not JSON");
    assertStringIncludes(
      await page(await form("/start", { flow: "none", payload: "{}" }), 404),
      "there is no flow none",
    );
    await server.start("orders", { kind: "pending" }, { id: "two" });
    await reaches(server, "two", "waiting");
    assertStringIncludes(await page(await ask("/executions/two/cancel")), "Cancel this execution?");
    assertEquals((await server.get("two")).status, "waiting");
    await form("/executions/two/cancel", { reason: "no longer wanted" });
    assertEquals((await ended(server, "two")).error, "no longer wanted");
    await server.start("orders", { kind: "bad" }, { id: "three" });
    const { generation } = await ended(server, "three");
    assertStringIncludes(await page(await ask("/executions/three/resume")), "with a fresh retry budget");
    assertEquals((await form("/executions/three/resume", {})).status, 303);
    await until(async () => (await server.get("three")).generation > generation, "a new generation");
  }, { allowActions: true });
});

Deno.test("the API acts too: it checks its body, and a dead letter is tried again once", async () => {
  await onBench(async ({ ask, server }) => {
    const headers = { origin: "http://localhost:8088", "content-type": "application/json" };
    const post = (path: string, body: unknown) => ask(path, { method: "POST", headers, body: JSON.stringify(body) });
    const start = { flow: "orders", payload: { kind: "plain" }, id: "late" };
    await refused(await post("/api/executions", { flow: 1 }), 400, "BAD_REQUEST");
    await refused(await post("/api/executions", { ...start, other: 1 }), 400, "BAD_REQUEST");
    await refused(await post("/api/executions", []), 400, "BAD_REQUEST");
    await refused(await post("/api/executions", { flow: "none" }), 404, "NOT_FOUND");
    assertEquals(await json(await post("/api/executions", start), 201), { id: "late" });
    await ended(server, "late");
    await refused(await post("/api/executions", { ...start, payload: {} }), 409, "CONFLICT");
    await refused(await post("/api/executions/late/resume", {}), 409, "STATE");
    await refused(await post("/api/executions/none/cancel", {}), 404, "NOT_FOUND");
    await json(await post("/api/executions/late/signal", { name: "approval", payload: 1 }), 202);
    const [letter] = await until(async () => {
      const letters = await server.deadLetters();
      return letters.length === 1 && letters;
    }, "a dead letter");
    await json(await post(`/api/deadletters/${letter!.sequence}/redrive`, {}));
    await refused(await post(`/api/deadletters/${letter!.sequence}/redrive`, {}), 404, "NOT_FOUND");
    const [again] = await until(async () => {
      const letters = await server.deadLetters();
      return letters.length === 1 && letters;
    }, "the letter's own end");
    assert(again!.sequence > letter!.sequence);
    assertEquals([again!.source, again!.key, again!.body], ["signal", "late", 1]);
    await refused(await post("/api/deadletters/x/redrive", {}), 400, "BAD_REQUEST");
  }, { allowActions: true });
});

Deno.test("a dead letter is discarded after a confirmation, and nothing is tried again", async () => {
  await onBench(async ({ ask, server, space }) => {
    const post = (path: string, headers: HeadersInit, body: BodyInit) => ask(path, { method: "POST", headers, body });
    const origin = { origin: "http://localhost:8088" };
    for (const name of ["first", "second"]) space.nc.publish(`${space.namespace}.in.signal.${name}!.x`, "{}");
    const letters = await until(async () => {
      const found = await server.deadLetters();
      return found.length === 2 && found;
    }, "the dead letters");
    const [one, other] = letters.map(({ sequence }) => sequence) as [number, number];
    assertStringIncludes(await page(await ask("/dead-letters")), `href="/dead-letters/${one}/discard"`);
    const asked = await page(await ask(`/dead-letters/${one}/discard`));
    assertMatch(asked, new RegExp(`method="post" action="/dead-letters/${one}/discard"`));
    assertStringIncludes(asked, "is not a legal name");
    for (const path of [`/dead-letters/${one}/discard`, `/api/deadletters/${one}/discard`]) {
      assertEquals((await post(path, {}, new URLSearchParams())).status, 403);
      assertEquals((await post(path, { origin: "http://evil.example" }, new URLSearchParams())).status, 403);
    }
    assertEquals(await server.deadLetters(), letters, "asking and being refused remove nothing");
    const done = await post(`/dead-letters/${one}/discard`, origin, new URLSearchParams());
    assertEquals([done.status, done.headers.get("location")], [303, "/dead-letters"]);
    assertEquals((await server.deadLetters()).map(({ sequence }) => sequence), [other]);
    await page(await ask(`/dead-letters/${one}/discard`), 404);
    const api = (sequence: string | number, body: string) =>
      post(`/api/deadletters/${sequence}/discard`, { ...origin, "content-type": "application/json" }, body);
    await refused(await api(other, `{"all": true}`), 400, "BAD_REQUEST");
    await refused(await api("x", "{}"), 400, "BAD_REQUEST");
    await refused(await api(one, "{}"), 404, "NOT_FOUND");
    assertEquals(await json(await api(other, "{}")), { status: "discarded" });
    assertEquals(await server.deadLetters(), []);
  }, { allowActions: true });
});

Deno.test("a change that does not say it comes from here is refused", async () => {
  await onBench(async ({ ask, server, handler }) => {
    await server.start("orders", { kind: "bad" }, { id: "fails" });
    await ended(server, "fails");
    const resume = (headers: Record<string, string>) =>
      ask("/api/executions/fails/resume", { method: "POST", headers });
    await refused(await resume({}), 403, "FORBIDDEN");
    await refused(await resume({ origin: "http://evil.example" }), 403, "FORBIDDEN");
    await refused(await resume({ origin: "null" }), 403, "FORBIDDEN");
    await refused(await resume({ origin: "http://localhost:8088", "sec-fetch-site": "cross-site" }), 403, "FORBIDDEN");
    await refused(await resume({ "sec-fetch-site": "same-site" }), 403, "FORBIDDEN");
    assertEquals((await server.get("fails")).generation, (await ended(server, "fails")).generation);
    assertEquals((await resume({ "sec-fetch-site": "same-origin" })).status, 200);
    const guarded = handler({ allowActions: true, token: TOKEN });
    await ended(server, "fails");
    const bearer = { method: "POST", headers: { authorization: `Bearer ${TOKEN}` } };
    assertEquals((await guarded(request("/api/executions/fails/resume", bearer))).status, 200);
  }, { allowActions: true });
});

Deno.test("other hosts and other sites are refused on every route, live events included", async () => {
  await onBench(async ({ handler }) => {
    const own = handler({ allowHosts: ["dash.example.com", "only.example:444"] });
    const status = async (url: string, headers: Record<string, string> = {}) => {
      const response = await own(new Request(url, { headers }));
      await response.body?.cancel();
      return response.status;
    };
    for (const path of [...PAGES, ...READS, "/api/events"]) {
      assertEquals(await status(`http://evil.example${path}`), 403, path);
      assertEquals(await status(`http://localhost${path}`, { host: "evil.example" }), 403, path);
      assertEquals(await status(`http://localhost${path}`, { origin: "https://evil.example" }), 403, path);
      assertEquals(await status(`http://localhost${path}`, { "sec-fetch-site": "cross-site" }), 403, path);
      assertEquals(await status(`http://localhost${path}`, { "sec-fetch-site": "same-site" }), 403, path);
    }
    const good = ["localhost", "127.0.0.1:9", "[::1]:8088", "LOCALHOST", "dash.example.com", "dash.example.com:8443"];
    for (const host of good) assertEquals(await status(`http://${host}/api/flows`), 200, host);
    assertEquals(await status("http://only.example:444/api/flows"), 200);
    for (const host of ["only.example", "only.example:445", "localhost.evil.example", "dash.example.com.evil"]) {
      assertEquals(await status(`http://${host}/api/flows`), 403, host);
    }
    assertEquals(await status("http://localhost/api/flows", { origin: "https://localhost" }), 200);
    const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    assertEquals(await status("http://localhost/executions", link), 200, "a link from elsewhere may be followed");
    assertEquals(await status("http://localhost/", { ...link, "sec-fetch-dest": "iframe" }), 403);
  });
});

Deno.test("without a token, a peer of another machine is refused on every route, whatever host it names", async () => {
  await onBench(async ({ handler }) => {
    const from = (hostname: string, path: string, options: DashboardOptions = {}, init?: RequestInit) =>
      handler({ allowActions: true, ...options })(request(path, init), {
        remoteAddr: { transport: "tcp", hostname, port: 40_000 },
        completed: Promise.resolve(),
      });
    for (const path of [...READS, "/api/events", "/sign-in", "/nowhere"]) {
      await refused(await from("192.0.2.7", path, {}, { headers: { accept: "*/*" } }), 403, "FORBIDDEN");
    }
    for (const path of PAGES) assertStringIncludes(await page(await from("2001:db8::7", path), 403), "set a token");
    const change = { method: "POST", headers: { origin: "http://localhost:8088" }, body: `{"flow": "orders"}` };
    await refused(await from("::ffff:192.0.2.7", "/api/executions", {}, change), 403, "FORBIDDEN");
    for (const own of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]) {
      assertEquals(await json(await from(own, "/api/flows")), ["orders"], "as behind a proxy on the same machine");
    }
    const authorization = `Bearer ${TOKEN}`;
    const bearer = { headers: { authorization } };
    assertEquals(await json(await from("192.0.2.7", "/api/flows", { token: TOKEN }, bearer)), ["orders"]);
    await refused(await from("192.0.2.7", "/api/flows", { token: TOKEN }), 401, "UNAUTHORIZED");
    const mounted: unknown[] = [undefined, null, "env", { remoteAddr: null }, { remoteAddr: { transport: "unix" } }];
    for (const info of mounted) assertEquals(await json(await handler()(request("/api/flows"), info)), ["orders"]);
  });
});

Deno.test("a token is asked for on every route, and taken as bearer or cookie", async () => {
  await onBench(async ({ handler }) => {
    const own = handler({ token: TOKEN });
    const get = (path: string, headers: Record<string, string> = {}) => own(request(path, { headers }));
    for (const path of [...READS.filter((path) => path !== "/healthz"), "/api/events", "/api/nothing"]) {
      const response = await get(path, { accept: "application/json" });
      assertMatch(response.headers.get("www-authenticate")!, /^Bearer/, path);
      await refused(response, 401, "UNAUTHORIZED");
    }
    for (const path of PAGES) assertStringIncludes(await page(await get(path), 401), `name="token"`);
    for (const wrong of ["", TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
      await refused(await get("/api/flows", { authorization: `Bearer ${wrong}` }), 401, "UNAUTHORIZED");
    }
    assertEquals(await json(await get("/api/flows", { authorization: `Bearer ${TOKEN}` })), ["orders"]);
    assertEquals(await json(await get("/healthz")), { status: "ok" });
    const signIn = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      own(request("/sign-in", {
        method: "POST",
        headers: { origin: "http://localhost:8088", ...headers },
        body: new URLSearchParams(fields),
      }));
    assertStringIncludes(await page(await signIn({ token: "wrong", to: "/" }), 401), "not the token");
    assertEquals((await signIn({ token: TOKEN }, { origin: "http://evil.example" })).status, 403);
    const signed = await signIn({ token: TOKEN, to: "/flows" });
    assertEquals([signed.status, signed.headers.get("location")], [303, "/flows"]);
    const cookie = signed.headers.get("set-cookie")!;
    assertMatch(cookie, /; HttpOnly; SameSite=Lax; Path=\//);
    assert(!cookie.includes(TOKEN), "the cookie does not hold the token");
    await page(await get("/flows", { cookie: cookie.split(";")[0]! }));
    assertEquals((await get("/flows", { cookie: "packtrail_session=0000" })).status, 401);
    for (const to of ["//evil.example", "https://evil.example", "/\\evil.example", "evil"]) {
      assertEquals((await signIn({ token: TOKEN, to })).headers.get("location"), "/", to);
    }
  });
});

Deno.test("redacted fields are hidden wherever their payload is shown", async () => {
  await onBench(async ({ ask, server, space }) => {
    const secret = "4111-1111";
    const payload = {
      kind: "<b>bold</b>",
      card: { number: secret, type: "visa" },
      list: [{ card: { number: secret } }],
    };
    await server.start("orders", payload, { id: "one" });
    await reaches(server, "one", "waiting", "approve");
    await server.signal("one", "approval", { pin: secret });
    await ended(server, "one");
    await server.scheduleFlow("tick", "orders", "0 0 3 * * *", payload);
    space.nc.publish(`${space.namespace}.in.signal.nobody!.x`, JSON.stringify({ card: { number: secret } }));
    await until(async () => (await server.deadLetters()).length === 1, "a dead letter");
    const paths = [
      ...PAGES,
      "/executions/one",
      "/start?flow=orders",
      "/api/executions/one",
      "/api/executions/one/results",
      "/api/executions/one/history",
      "/api/schedules",
      "/api/deadletters",
    ];
    for (const path of paths) assert(!(await (await ask(path)).text()).includes(secret), path);
    const results = await json(await ask("/api/executions/one/results")) as Record<string, unknown>;
    assertEquals(results.input, {
      kind: "<b>bold</b>",
      card: { number: "[redacted]", type: "visa" },
      list: [{ card: { number: "[redacted]" } }],
    });
    assertEquals(results.signals, { approval: "[redacted]" });
  }, { redact: ["card.number", "approval"], allowActions: true });
});

Deno.test("redacted fields are hidden in dead letters too whose body is text, and in what their reasons quote", async () => {
  await onBench(async ({ ask, server, space }) => {
    const secret = "4111-1111";
    const card = { card: { number: secret } };
    const send = (command: string, body: string) => space.nc.publish(`${space.namespace}.in.${command}`, body);
    send("start.orders.text", `{"card": {"number": "${secret}"}, `);
    send("start.orders.list", JSON.stringify([card]));
    send("start.orders.number", "41111111");
    send("start.Nobody!", JSON.stringify({ ...card, padding: "x".repeat(300_000) }));
    send("cancel.text", JSON.stringify({ reason: card }));
    const letters = await until(async () => {
      const found = await server.deadLetters();
      return found.length === 5 && found;
    }, "the dead letters");
    assertEquals(letters.filter(({ isCut }) => isCut).length, 1);
    assertEquals(letters.filter(({ body, reason }) => /4111/.test(JSON.stringify([body, reason]))).length, 5);
    const pages = letters.flatMap(({ sequence }) =>
      ["redrive", "discard"].map((action) => `/dead-letters/${sequence}/${action}`)
    );
    for (const path of ["/", "/dead-letters", "/api/deadletters", ...pages]) {
      assertNotMatch(await (await ask(path)).text(), /4111/, path);
    }
    const { recent } = await json(await ask("/api/deadletters")) as { recent: { key: string; reason: string }[] };
    const reasons = recent.filter(({ key }) => key.endsWith(".list")).map(({ reason }) => reason);
    assertEquals(reasons, ["the body must be a JSON object, it is [redacted]"]);
    assertStringIncludes(await page(await ask("/dead-letters")), "the body is not JSON: [redacted]");
  }, { redact: ["card.number"], allowActions: true });
});

Deno.test("a pattern of * hides every payload", async () => {
  await onBench(async ({ ask, server }) => {
    await server.start("orders", { kind: "plain", deep: { secret: "x-y-z" } }, { id: "one" });
    await ended(server, "one");
    for (const path of ["/executions/one", "/api/executions/one", "/api/executions/one/results"]) {
      assert(!(await (await ask(path)).text()).includes("x-y-z"), path);
    }
  }, { redact: ["*"] });
});

/** Reads server-sent events until enough of them have come. */
async function readEvents(response: Response, enough: (text: string) => boolean): Promise<string> {
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!enough(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text;
}

Deno.test("live events carry their revision, and a reconnect is sent what it missed", async () => {
  await onBench(async ({ ask, server }) => {
    const live = await ask("/api/events?flow=orders");
    await server.start("orders", { kind: "plain" }, { id: "first" });
    const text = await readEvents(live, (text) => text.includes(`"status":"completed"`));
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    assertEquals(ids, ids.toSorted((left, right) => left - right));
    const [line] = /data: .*"status":"completed".*/.exec(text)!;
    const event = JSON.parse(line.slice(6));
    assertEquals([event.execution_id, event.flow, event.node, event.revision], ["first", "orders", "ship", ids.at(-1)]);
    await server.start("orders", { kind: "plain" }, { id: "second" });
    await ended(server, "second");
    const headers = { "last-event-id": String(ids.at(-1)) };
    const replayed = await readEvents(await ask("/api/events", { headers }), (text) => text.includes("second"));
    assertNotMatch(replayed, /"execution_id":"first"/);
    const only = await ask("/api/events?execution=third");
    await server.start("orders", { kind: "plain" }, { id: "other" });
    await server.start("orders", { kind: "plain" }, { id: "third" });
    assertNotMatch(await readEvents(only, (text) => text.includes(`"status":"completed"`)), /"other"/);
  });
});

Deno.test("live connections are capped, and one that ends makes room", async () => {
  await onBench(async ({ ask }) => {
    const first = await ask("/api/events");
    const second = await ask("/api/events");
    assertEquals([first.status, second.status], [200, 200], "the dashboard's own listening takes nobody's place");
    await refused(await ask("/api/events"), 503, "TOO_MANY_CLIENTS");
    await first.body!.cancel();
    const third = await ask("/api/events");
    assertEquals(third.status, 200);
    await second.body!.cancel();
    await third.body!.cancel();
  }, { maxClients: 2 });
});

Deno.test("a client that goes before it is answered, or after, takes no place and is sent no more", async () => {
  await onBench(async ({ ask, server }) => {
    await server.start("orders", { kind: "plain" }, { id: "one" });
    await ended(server, "one");
    const clients = async () => /live_clients (\d+)$/m.exec(await (await ask("/metrics")).text())![1];
    const rest = (response: Response) => within(response.text(), "the end of the events");
    for (const path of ["/api/events", "/api/events?after=0"]) {
      assertEquals(await rest(await ask(path, { signal: AbortSignal.abort() })), "retry: 2000\n\n");
      const leaving = new AbortController();
      const answered = await ask(path, { signal: leaving.signal });
      assertEquals([answered.status, await clients()], [200, "1"]);
      leaving.abort();
      await rest(answered);
      assertEquals(await clients(), "0", path);
    }
    const leaving = new AbortController();
    const recent = server.recent.bind(server);
    server.recent = (options) => {
      leaving.abort();
      return recent(options);
    };
    assertEquals(await rest(await ask("/api/events?after=0", { signal: leaving.signal })), "retry: 2000\n\n");
    assertEquals(await clients(), "0", "while it is read what the client has missed");
  }, { maxClients: 1 });
});

Deno.test("metrics count executions, backlog, steps and dead letters", async () => {
  await onBench(async ({ ask, server }) => {
    const metric = async (line: RegExp) => {
      const response = await ask("/metrics");
      assertMatch(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
      const text = await response.text();
      for (const row of text.trimEnd().split("\n")) {
        assertMatch(row, /^(# (HELP|TYPE) packtrail_[a-z_]+ .+|packtrail_[a-z_]+(\{[^{}]*\})? [-+.\deE]+)$/);
      }
      return Number(line.exec(text)?.[1]);
    };
    assertEquals(await metric(/^packtrail_dead_letters (\d+)$/m), 0);
    const id = await server.start("orders", { kind: "plain" });
    await ended(server, id);
    assertEquals(await metric(/^packtrail_executions\{flow="orders",status="completed"\} (\d+)$/m), 1);
    assertEquals(await metric(/^packtrail_backlog\{flow="orders"\} (\d+)$/m), 0);
    await until(async () => await metric(/^packtrail_ended_total\{flow="orders",status="completed"\} (\d+)$/m) === 1);
    const invoked = /^packtrail_invocation_seconds_bucket\{kind="f",outcome="ok",le="\+Inf"\} (\d+)$/m;
    assertEquals(await metric(invoked), 4);
    assert(await metric(/^packtrail_steps_total\{flow="orders"\} (\d+)$/m) > 4);
  });
});

Deno.test("where it is mounted, every link leads below it", async () => {
  await onBench(async ({ ask, server }) => {
    await server.start("orders", { kind: "plain" }, { id: "one" });
    await ended(server, "one");
    for (const path of [...PAGES, "/executions/one"]) {
      const text = await page(await ask(`/ops/trail${path}`));
      for (const [, href] of text.matchAll(/(?:href|src|action|data-events)="([^"]*)"/g)) {
        assertMatch(href!, /^(\/ops\/trail\/|#)/, `${path}: ${href}`);
      }
    }
    assertEquals((await ask("/ops/trail")).headers.get("location"), "/ops/trail/");
    await page(await ask("/flows"), 404);
  }, { basePath: "/ops/trail" });
});

Deno.test("options that make no sense are refused, and an open address without a token too", async () => {
  await inSpace(async (space) => {
    const server = await space.server();
    const bad: DashboardOptions[] = [
      { token: "short" },
      { token: "with a blank in the middle" },
      { allowHosts: ["http://x"] },
      { redact: ["a..b"] },
      { basePath: "no-slash" },
      { maxClients: 0 },
      { colour: "red" } as never,
    ];
    for (const options of bad) {
      await assertRejects(() => Promise.try(() => dashboard(server, options)), ValidationError);
    }
    for (const addr of ["0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "127.evil.example:0"]) {
      await assertRejects(() => Promise.try(() => serveDashboard(server, { addr })), ValidationError, "token");
    }
    for (const addr of ["127.0.0.1", "127.0.0.1:x", "a b:1", "127.0.0.1:70000"]) {
      await assertRejects(() => Promise.try(() => serveDashboard(server, { addr })), ValidationError, "host:port");
    }
    await using ui = await serveDashboard(server, { addr: "127.0.0.1:0" });
    assertEquals(await (await fetch(`${ui.url}healthz`)).json(), { status: "ok" });
  });
});

Deno.test("when NATS is away, pages and the API say so", async () => {
  await inSpace(async (space) => {
    const nc = await space.connect();
    const errors: unknown[] = [];
    const handler = dashboard(await space.server({}, nc), { onError: (error) => errors.push(error) });
    await nc.close();
    assertStringIncludes(await page(await handler(request("/executions")), 503), "NATS does not answer");
    await refused(await handler(request("/api/executions")), 503, "UNAVAILABLE");
    assertEquals(await json(await handler(request("/healthz")), 503), { status: "unavailable" });
    assertEquals(errors.length, 3);
  });
});

Deno.test("a flow's page says what its numbers are a sample of, where they are not of everything", async () => {
  await inSpace(async (space) => {
    const parked: FlowDef = { name: "parked", nodes: [{ id: "rest", type: "signal", signalName: "go" }] };
    const { server } = await space.engine({ flows: [parked] });
    await server.init();
    const stopping = new AbortController();
    const handler = dashboard(server, { signal: stopping.signal });
    const flowPage = async () => await page(await handler(request("/flows/parked")));
    try {
      await Promise.all(Array.from({ length: 999 }, () => server.start("parked")));
      await until(async () => (await server.counts()).parked?.waiting === 999, "all to wait");
      assertNotMatch(await flowPage(), /a sample/);
      await Promise.all(Array.from({ length: 6 }, () => server.start("parked")));
      await until(async () => (await server.counts()).parked?.waiting === 1_005, "the others to wait");
      assertStringIncludes(await flowPage(), "are a sample: the latest 1,000 of 1,005 that wait.");
    } finally {
      stopping.abort();
    }
  });
});

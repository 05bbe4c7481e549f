import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { ValidationError } from "../errors.ts";
import { httpInvoker, type HttpInvokerOptions } from "./http.ts";
import type { InvokeRequest, Result } from "./types.ts";

const HOUR_MS = 3_600_000;

function taskRequest(change: Partial<InvokeRequest> = {}): InvokeRequest {
  return {
    invoker: "http",
    target: "/",
    executionId: "exec-1",
    nodeId: "node",
    payload: { a: 1 },
    context: { input: {}, payload: {}, results: {}, signals: {}, branches: {} },
    attempt: 0,
    generation: 1,
    deadline: new Date(Date.now() + HOUR_MS),
    signal: new AbortController().signal,
    idempotencyKey: "exec-1.node.1.0",
    ...change,
  };
}

/** Runs a step with a service; `url` ends with a slash. */
async function withService(
  handler: (request: Request) => Response | Promise<Response>,
  step: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  try {
    await step(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    await server.shutdown();
  }
}

/** What an invoker makes of a response. */
async function resultOf(response: () => Response, options: HttpInvokerOptions = {}): Promise<Result> {
  let result: Result | undefined;
  await withService(response, async (url) => {
    result = await httpInvoker(options).invoke(taskRequest({ target: url }));
  });
  return result!;
}

Deno.test("a task is posted as JSON with its idempotency key, and headers of the options", async () => {
  let seen: Record<string, unknown> = {};
  const service = async (request: Request) => {
    const { method, url, headers } = request;
    const names = ["content-type", "accept", "idempotency-key", "authorization"];
    seen = { method, path: new URL(url).pathname, headers: names.map((name) => headers.get(name)) };
    seen.body = await request.text();
    return Response.json({ b: 2 });
  };
  await withService(service, async (url) => {
    const invoker = httpInvoker({ baseUrl: `${url}api`, headers: { Authorization: "Bearer x", Accept: "text/plain" } });
    const deadline = new Date("2999-01-02T03:04:05Z");
    assertEquals(await invoker.invoke(taskRequest({ target: "/charges", deadline })), {
      status: "ok",
      payload: { b: 2 },
    });
  });
  assertEquals(seen, {
    method: "POST",
    path: "/api/charges",
    headers: ["application/json", "application/json", "exec-1.node.1.0", "Bearer x"],
    body: `{"execution_id":"exec-1","node_id":"node","payload":{"a":1},"attempt":0,` +
      `"deadline":"2999-01-02T03:04:05.000Z","generation":1}`,
  });
});

Deno.test("a status decides how an attempt ended", async () => {
  const statuses = {
    ok: [200, 201, 202],
    retry: [408, 425, 429, 500, 502, 503, 504, 599],
    error: [301, 302, 304, 307, 400, 401, 404, 409, 422],
  };
  for (const [expected, codes] of Object.entries(statuses)) {
    for (const status of codes) {
      const body = status === 304 ? null : `{"x":1}`;
      const result = await resultOf(() => new Response(body, { status }));
      assertEquals(result.status, expected, String(status));
      if (expected !== "ok") assertMatch(result.error!, new RegExp(`^http://127.0.0.1:\\d+/ answered ${status}`));
    }
  }
});

Deno.test("an empty body is no payload, null is one", async () => {
  assertEquals(Object.keys(await resultOf(() => new Response(null, { status: 204 }))), ["status"]);
  assertEquals(Object.keys(await resultOf(() => new Response(" \n"))), ["status"]);
  assertEquals(await resultOf(() => new Response("null")), { status: "ok", payload: null });
});

Deno.test("accepted is pending where the options say so", async () => {
  const accepted = () => new Response("queued, not JSON", { status: 202 });
  assertEquals(await resultOf(accepted, { acceptedIsPending: true }), { status: "pending" });
  assertEquals((await resultOf(accepted)).status, "error");
});

Deno.test("a failure quotes the response, and not its whole body", async () => {
  const { error } = await resultOf(() => new Response(`no "money"\n${"x".repeat(5_000)}`, { status: 422 }));
  assertStringIncludes(error!, `answered 422: "no \\"money\\"\\nxxx`);
  assert(error!.length < 200, error);
});

Deno.test("a response that is not JSON, or too large, fails the node", async () => {
  const html = await resultOf(() => new Response("<html>"));
  assertEquals(html.status, "error");
  assertStringIncludes(html.error!, `answered 200, but not JSON: "<html>"`);
  const whole = await resultOf(() => new Response(`"12345678"`), { maxResponseBytes: 10 });
  assertEquals(whole, { status: "ok", payload: "12345678" });
  const large = await resultOf(() => new Response(`"123456789"`), { maxResponseBytes: 10 });
  assertEquals(large.status, "error");
  assertStringIncludes(large.error!, "answered more than 10 bytes");
});

Deno.test("redirects are refused, or followed within the origin without losing the POST", async () => {
  const methods: string[] = [];
  const service = (request: Request) => {
    const { pathname } = new URL(request.url);
    methods.push(`${request.method} ${pathname}`);
    const location = { "/moved": "/end", "/away": "http://127.0.0.2/end", "/see": "/end", "/loop": "/loop" }[pathname];
    if (location === undefined) return Response.json("end");
    return new Response(null, { status: pathname === "/see" ? 303 : 307, headers: { location } });
  };
  await withService(service, async (baseUrl) => {
    const result = (target: string, redirect?: "same-origin") =>
      httpInvoker({ baseUrl, ...(redirect && { redirect }) }).invoke(taskRequest({ target }));
    assertMatch((await result("moved")).error!, /answered 307, a redirect that is not followed/);
    assertEquals(await result("moved", "same-origin"), { status: "ok", payload: "end" });
    assertEquals(methods, ["POST /moved", "POST /moved", "POST /end"]);
    for (const target of ["away", "see", "loop"]) {
      assertEquals((await result(target, "same-origin")).status, "error", target);
    }
    assertEquals(methods.length, 3 + 1 + 1 + 6);
  });
});

Deno.test("a target that is no URL, or leads out of the base, fails the node unsent", async () => {
  const invoke = async (target: string, baseUrl?: string) => {
    const { status, error } = await httpInvoker(baseUrl ? { baseUrl } : {}).invoke(taskRequest({ target }));
    assertEquals(status, "error", target);
    return error!;
  };
  assertStringIncludes(await invoke("/path"), `target "/path" is not a URL`);
  assertStringIncludes(await invoke("file:///etc/passwd"), "is not a URL of http:// or https://");
  assertStringIncludes(await invoke("http://user:secret@127.0.0.1/"), "must hold no user or password");
  for (const target of ["http://127.0.0.2/api/x", "../x", "x/../../y", "/%2e%2e/x"]) {
    assertStringIncludes(await invoke(target, "http://127.0.0.1:9/api"), "leads out of http://127.0.0.1:9/api/");
  }
});

Deno.test("a service that cannot be reached means retry, one that the runtime forbids fails the node", {
  permissions: { net: ["127.0.0.1"] },
}, async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const down = await httpInvoker().invoke(taskRequest({ target: `http://127.0.0.1:${port}/x?token=secret` }));
  assertEquals(down.status, "retry");
  assertStringIncludes(down.error!, `http://127.0.0.1:${port}/x`);
  assert(!down.error!.includes("secret"), down.error);
  const forbidden = await httpInvoker().invoke(taskRequest({ target: "http://127.0.0.2:8080/" }));
  assertEquals(forbidden.status, "error");
  assertStringIncludes(forbidden.error!, "http://127.0.0.2:8080/: ");
});

Deno.test("a service that does not respond in time, or stalls in the body, means retry", async () => {
  const release = Promise.withResolvers<void>();
  const service = async (request: Request) => {
    if (new URL(request.url).pathname === "/slow") await release.promise;
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(`{"a`)) });
    return new Response(body);
  };
  await withService(service, async (baseUrl) => {
    for (const target of ["slow", "stalls"]) {
      const deadline = new Date(Date.now() + 50);
      const { status, error } = await httpInvoker({ baseUrl }).invoke(taskRequest({ target, deadline }));
      assertEquals(status, "retry", target);
      assertMatch(error!, /no response from .* before the deadline/);
    }
    const { status, error } = await httpInvoker({ baseUrl }).invoke(taskRequest({ deadline: new Date(0) }));
    assertEquals(status, "retry");
    assertMatch(error!, /the deadline passed before/);
    release.resolve();
  });
});

Deno.test("an aborted task ends at once with the reason", async () => {
  const [asked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const service = async () => {
    asked.resolve();
    await release.promise;
    return new Response();
  };
  await withService(service, async (target) => {
    const controller = new AbortController();
    const result = httpInvoker().invoke(taskRequest({ target, signal: controller.signal }));
    await asked.promise;
    controller.abort(new Error("not wanted"));
    const { status, error } = await result;
    assertEquals(status, "retry");
    assertStringIncludes(error!, "was aborted: not wanted");
    const early = await httpInvoker().invoke(taskRequest({ target, signal: AbortSignal.abort("gone") }));
    assertStringIncludes(early.error!, "was aborted: gone");
    release.resolve();
  });
});

Deno.test("bad options are refused", () => {
  const cases: [unknown, string][] = [
    [{ baseUrl: "services" }, "baseUrl"],
    [{ baseUrl: "ftp://x" }, "baseUrl"],
    [{ baseUrl: "http://u:p@x" }, "baseUrl"],
    [{ baseUrl: "http://x/?a=1" }, "must have no query or fragment"],
    [{ headers: { "bad name": "x" } }, "headers"],
    [{ headers: { a: "x\r\ny: z" } }, "headers"],
    [{ maxResponseBytes: 0 }, "maxResponseBytes"],
    [{ maxResponseBytes: NaN }, "maxResponseBytes"],
    [{ acceptedIsPending: "yes" }, "acceptedIsPending"],
    [{ redirect: "follow" }, `"follow" is not "refuse" or "same-origin"`],
  ];
  for (const [options, message] of cases) {
    assertThrows(() => httpInvoker(options as HttpInvokerOptions), ValidationError, message);
  }
});

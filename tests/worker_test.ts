import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import { PermissionError, UnavailableError, ValidationError } from "../src/errors.ts";
import { type InvokeRequest, NatsTaskInvoker } from "../src/invoker/mod.ts";
import { Names } from "../src/names.ts";
import { decodeTaskRequest, decodeTaskResponse, type TaskResponse } from "../src/protocol/mod.ts";
import { type Handler, serve, serveNamespaced } from "../src/worker/mod.ts";
import { startNatsServer } from "../tools/nats.ts";

const HOUR_MS = 3_600_000;

/** The server of all tests where there is one, otherwise one of this test's own. */
async function useServer(): Promise<AsyncDisposable & { url: string }> {
  const url = Deno.env.get("NATS_URL");
  return url ? { url, [Symbol.asyncDispose]: () => Promise.resolve() } : await startNatsServer();
}

async function connectTo(url: string, options: { user?: string; pass?: string } = {}): Promise<NatsConnection> {
  return await connect({ servers: url, maxReconnectAttempts: -1, ...options });
}

interface Bench {
  url: string;
  nc: NatsConnection;
  names: Names;
  invoker: NatsTaskInvoker;
}

/** Runs a step with a connection, a namespace of its own and an invoker. */
async function onBench(step: (bench: Bench) => Promise<void>): Promise<void> {
  await using server = await useServer();
  await onBenchOf(server.url, {}, step);
}

async function onBenchOf(url: string, login: { user?: string; pass?: string }, step: (bench: Bench) => Promise<void>) {
  const nc = await connectTo(url, login);
  const names = new Names(`w-${crypto.randomUUID()}`);
  const invoker = new NatsTaskInvoker(nc, names);
  try {
    await step({ url, nc, names, invoker });
  } finally {
    await nc.close();
  }
}

function taskRequest(change: Partial<InvokeRequest> = {}): InvokeRequest {
  return {
    invoker: "nats-task",
    target: "tasks.t",
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

/** A worker in plain NATS, as any other language would write it. */
function rawWorker(nc: NatsConnection, subject: string, answer: (msg: Msg) => string | Uint8Array | undefined) {
  return nc.subscribe(subject, {
    queue: "packtrail-workers",
    callback: (_error, msg) => {
      const reply = answer(msg);
      if (reply !== undefined) msg.respond(reply);
    },
  });
}

async function ask(nc: NatsConnection, subject: string, data: string): Promise<TaskResponse> {
  return decodeTaskResponse((await nc.request(subject, data, { timeout: 10_000 })).data);
}

function wireRequest(change: Record<string, unknown> = {}): string {
  const deadline = new Date(Date.now() + HOUR_MS).toISOString();
  return JSON.stringify({ execution_id: "e", node_id: "n", payload: { a: 1 }, attempt: 0, deadline, ...change });
}

Deno.test("a task goes to a worker and its result comes back", () =>
  onBench(async ({ nc, names, invoker }) => {
    await using _worker = await serveNamespaced(nc, names.namespace, "tasks.*.x", (request) => {
      return { status: "ok", payload: { ...request, deadline: request.deadline.toISOString() } };
    });
    const request = taskRequest({ target: "tasks.echo.x", attempt: 2, generation: 5 });
    assertEquals(await invoker.invoke(request), {
      status: "ok",
      payload: {
        executionId: "exec-1",
        nodeId: "node",
        payload: { a: 1 },
        attempt: 2,
        deadline: request.deadline.toISOString(),
        generation: 5,
      },
    });
  }));

Deno.test("a worker in plain NATS sees the contract's bytes, and its reply is understood", () =>
  onBench(async ({ nc, names, invoker }) => {
    let seen = "";
    rawWorker(nc, `${names.namespace}.tasks.t`, (msg) => {
      seen = msg.string();
      return `{"status":"ok","payload":null,"error":"","extra":1}`;
    });
    const deadline = new Date("2999-01-02T03:04:05.600Z");
    assertEquals(await invoker.invoke(taskRequest({ deadline })), { status: "ok", payload: null });
    assertEquals(
      seen,
      `{"execution_id":"exec-1","node_id":"node","payload":{"a":1},"attempt":0,` +
        `"deadline":"2999-01-02T03:04:05.600Z","generation":1}`,
    );
  }));

Deno.test("without a worker a task is retried, and the reason names the subject", () =>
  onBench(async ({ names, invoker }) => {
    const { status, error } = await invoker.invoke(taskRequest());
    assertEquals(status, "retry");
    assertStringIncludes(error!, `no worker listens on ${names.task("tasks.t")}`);
  }));

Deno.test("a worker that does not reply in time means retry", () =>
  onBench(async ({ nc, names, invoker }) => {
    rawWorker(nc, names.task("tasks.t"), () => undefined);
    for (const ms of [5, 60]) { // before and after the signal is listened to
      const { status, error } = await invoker.invoke(taskRequest({ deadline: new Date(Date.now() + ms) }));
      assertEquals(status, "retry");
      assertMatch(error!, /no reply from a worker on .* before the deadline/);
    }
  }));

Deno.test("a deadline that has passed sends nothing", () =>
  onBench(async ({ nc, names, invoker }) => {
    let asked = 0;
    rawWorker(nc, names.task("tasks.t"), () => {
      asked++;
      return `{"status":"ok"}`;
    });
    const { status, error } = await invoker.invoke(taskRequest({ deadline: new Date(Date.now() - 1) }));
    assertEquals(status, "retry");
    assertMatch(error!, /the deadline passed before/);
    await nc.flush();
    assertEquals(asked, 0);
  }));

Deno.test("a deadline years away is no time-out", () =>
  onBench(async ({ nc, names, invoker }) => {
    rawWorker(nc, names.task("tasks.t"), (msg) => {
      setTimeout(() => msg.respond(`{"status":"ok"}`), 40); // past the moment when signals are listened to
      return undefined;
    });
    const deadline = new Date(Date.now() + 90 * 365 * 24 * HOUR_MS);
    assertEquals(await invoker.invoke(taskRequest({ deadline })), { status: "ok" });
  }));

Deno.test("an aborted task ends at once, with the reason, and a late reply is dropped", () =>
  onBench(async ({ nc, names, invoker }) => {
    const taken = Promise.withResolvers<Msg>();
    rawWorker(nc, names.task("tasks.t"), (msg) => void taken.resolve(msg));
    const controller = new AbortController();
    const result = invoker.invoke(taskRequest({ signal: controller.signal }));
    const msg = await taken.promise;
    controller.abort(new Error("not wanted any more"));
    const { status, error } = await result;
    assertEquals(status, "retry");
    assertStringIncludes(error!, "was aborted: not wanted any more");
    msg.respond(`{"status":"ok"}`);
    await nc.flush();
  }));

Deno.test("a task that is answered at once never looks at its abort signal", () =>
  onBench(async ({ nc, names, invoker }) => {
    rawWorker(nc, names.task("tasks.t"), () => `{"status":"ok"}`);
    let looked = 0;
    const request = Object.defineProperty({ ...taskRequest() }, "signal", {
      get: () => {
        looked++;
        return new AbortController().signal;
      },
    });
    // a pause of the machine may make one call take long; 20 of 20 mean that it is the rule
    for (let call = 0; call < 20; call++) await invoker.invoke(request);
    assert(looked < 20, `looked ${looked} times`);
  }));

Deno.test("many tasks at once get each their own reply", () =>
  onBench(async ({ nc, names, invoker }) => {
    rawWorker(nc, names.task("tasks.>"), (msg) => {
      const { attempt } = decodeTaskRequest(msg.data);
      return attempt % 3 === 0 ? `{"status":"retry","error":"${attempt}"}` : `{"status":"ok","payload":${attempt}}`;
    });
    const attempts = Array.from({ length: 500 }, (_, attempt) => attempt);
    const results = await Promise.all(
      attempts.map((attempt) => invoker.invoke(taskRequest({ attempt, target: `tasks.${attempt}` }))),
    );
    for (const attempt of attempts) {
      const expected = attempt % 3 === 0
        ? { status: "retry" as const, error: `${attempt}` }
        : { status: "ok" as const, payload: attempt };
      assertEquals(results[attempt]!, expected);
    }
  }));

Deno.test("a reply that does not keep the contract fails the node and says what came", () =>
  onBench(async ({ nc, names, invoker }) => {
    const cases: [string | Uint8Array, string][] = [
      ["", "the reply is empty"],
      ["oops", `the reply is not JSON: "oops"`],
      [new Uint8Array([0xff, 0xfe]), "the reply is not JSON"],
      ["[]", "the reply is not a JSON object"],
      ["{}", `the reply has no "status"`],
      [`{"status":"done"}`, `not "done"`],
      [`{"status":"pending"}`, `not "pending": answer when the work is done`],
      [`{"status":7}`, "not the number 7"],
      [`{"status":"error","error":{}}`, `the reply's "error" must be a string`],
    ];
    let reply: string | Uint8Array = "";
    rawWorker(nc, names.task("tasks.t"), () => reply);
    for (const [given, message] of cases) {
      reply = given;
      const { status, error } = await invoker.invoke(taskRequest());
      assertEquals(status, "error");
      assertStringIncludes(error!, message);
      assertStringIncludes(error!, names.task("tasks.t"));
    }
  }));

Deno.test("a target that nothing can be sent to fails the node", () =>
  onBench(async ({ invoker }) => {
    for (const target of ["exec.ready.f.x", "in.start.f", "events.x", "data"]) {
      const { status, error } = await invoker.invoke(taskRequest({ target }));
      assertEquals(status, "error");
      assertStringIncludes(error!, "belongs to packtrail's own streams");
    }
    const { status, error } = await invoker.invoke(taskRequest({ target: "tasks.a b" }));
    assertEquals(status, "error");
    assertStringIncludes(error!, "illegal subject");
  }));

Deno.test("a task whose connection is closed means retry, before and meanwhile", () =>
  onBench(async ({ nc, names, invoker }) => {
    const taken = Promise.withResolvers<void>();
    rawWorker(nc, names.task("tasks.t"), () => void taken.resolve());
    const underWay = invoker.invoke(taskRequest());
    await taken.promise;
    await nc.close();
    for (const result of [await underWay, await invoker.invoke(taskRequest())]) {
      assertEquals(result.status, "retry");
      assertMatch(result.error!, /closed/);
    }
  }));

Deno.test("a closed invoker ends its tasks, may be closed again, and leaves the connection alone", () =>
  onBench(async ({ nc, names, invoker }) => {
    const taken = Promise.withResolvers<void>();
    rawWorker(nc, names.task("tasks.t"), () => void taken.resolve());
    const underWay = invoker.invoke(taskRequest());
    await taken.promise;
    invoker.close();
    invoker.close();
    assertEquals((await underWay).status, "retry");
    assertEquals(nc.isClosed(), false);
  }));

Deno.test("two workers of a subject share its tasks", () =>
  onBench(async ({ url, nc, names, invoker }) => {
    const taken = { first: 0, second: 0 };
    const handler = (name: keyof typeof taken): Handler => () => {
      taken[name]++;
      return { status: "ok" };
    };
    const other = await connectTo(url);
    await using _first = await serveNamespaced(nc, names.namespace, "tasks.*", handler("first"));
    await using _second = await serve(other, names.task("tasks.*"), handler("second"));
    const results = await Promise.all(Array.from({ length: 200 }, () => invoker.invoke(taskRequest())));
    assert(results.every(({ status }) => status === "ok"));
    assertEquals(taken.first + taken.second, 200);
    assert(taken.first > 0 && taken.second > 0, JSON.stringify(taken));
    await other.close();
  }));

Deno.test("a task sent right after serve resolved is answered", () =>
  onBench(async ({ url, nc, names }) => {
    const other = await connectTo(url);
    for (let round = 0; round < 50; round++) {
      await using _worker = await serve(nc, names.task(`tasks.${round}`), () => ({ status: "ok" }));
      assertEquals(await ask(other, names.task(`tasks.${round}`), wireRequest()), { status: "ok" });
    }
    await other.close();
  }));

Deno.test("a bad request is answered with error, and the handler does not see it", () =>
  onBench(async ({ nc, names }) => {
    let handled = 0;
    await using _worker = await serve(nc, names.task("tasks.t"), () => {
      handled++;
      return { status: "ok" };
    });
    for (const data of ["", "oops", "[]", "{}", wireRequest({ attempt: "1" }), wireRequest({ deadline: "soon" })]) {
      const { status, error } = await ask(nc, names.task("tasks.t"), data);
      assertEquals(status, "error");
      assertStringIncludes(error!, "bad request: the request");
    }
    assertEquals(handled, 0);
  }));

Deno.test("what a handler throws is a retry with its message", () =>
  onBench(async ({ nc, names }) => {
    const cases: [unknown, string][] = [
      [new Error("busy"), "busy"],
      [new RangeError(""), "RangeError"],
      ["text", "text"],
      [undefined, "undefined"],
      [Object.create(null), "a value that cannot be shown was thrown"],
      [new Error("x".repeat(3_000_000)), `${"x".repeat(2_000)}...`],
    ];
    let thrown: unknown;
    await using _sync = await serve(nc, names.task("tasks.sync"), () => {
      throw thrown;
    });
    await using _async = await serve(nc, names.task("tasks.async"), () => Promise.reject(thrown));
    for (const [value, error] of cases) {
      thrown = value;
      assertEquals(await ask(nc, names.task("tasks.sync"), wireRequest()), { status: "retry", error });
      assertEquals(await ask(nc, names.task("tasks.async"), wireRequest()), { status: "retry", error });
    }
  }));

Deno.test("a handler's result that is no response is answered with error", () =>
  onBench(async ({ nc, names }) => {
    const cases: [unknown, string][] = [
      [undefined, "must be an object"],
      [{}, `has no "status"`],
      [{ status: "pending" }, `not "pending"`],
      [{ status: "ok", payload: 1n }, "cannot be written as JSON"],
    ];
    let result: unknown;
    await using _worker = await serve(nc, names.task("tasks.t"), () => result as TaskResponse);
    for (const [value, message] of cases) {
      result = value;
      const { status, error } = await ask(nc, names.task("tasks.t"), wireRequest());
      assertEquals(status, "error");
      assertStringIncludes(error!, message);
    }
  }));

Deno.test("handlers run at the same time, also those of a stale deadline", () =>
  onBench(async ({ nc, names }) => {
    const both = Promise.withResolvers<void>();
    let running = 0;
    await using _worker = await serve(nc, names.task("tasks.t"), async () => {
      if (++running === 2) both.resolve();
      await both.promise; // one at a time would wait here for ever
      return { status: "ok" };
    });
    // clocks differ between machines, so only the caller judges its deadline
    const stale = wireRequest({ deadline: "2001-01-01T00:00:00Z" });
    const replies = await Promise.all([stale, stale].map((data) => ask(nc, names.task("tasks.t"), data)));
    assertEquals(replies, [{ status: "ok" }, { status: "ok" }]);
  }));

Deno.test("a message without a reply subject is ignored", () =>
  onBench(async ({ nc, names }) => {
    const seen: string[] = [];
    await using _worker = await serve(nc, names.task("tasks.t"), ({ executionId }) => {
      seen.push(executionId);
      return { status: "ok" };
    });
    nc.publish(names.task("tasks.t"), wireRequest({ execution_id: "silent" }));
    await ask(nc, names.task("tasks.t"), wireRequest({ execution_id: "asked" }));
    assertEquals(seen, ["asked"]);
  }));

Deno.test("a worker of all subjects leaves those of the namespace's streams alone", () =>
  onBench(async ({ nc, names }) => {
    const seen: string[] = [];
    await using _worker = await serveNamespaced(nc, names.namespace, ">", ({ executionId }) => {
      seen.push(executionId);
      return { status: "ok" };
    });
    const stream = nc.subscribe(names.head("ready", "f", "x"), {
      callback: (_error, msg) => void msg.respond("stored"),
    });
    const answer = await nc.request(names.head("ready", "f", "x"), wireRequest(), { timeout: 10_000 });
    assertEquals(answer.string(), "stored");
    await ask(nc, names.task("tasks.t"), wireRequest({ execution_id: "asked" }));
    assertEquals(seen, ["asked"]);
    stream.unsubscribe();
  }));

Deno.test("stop waits for the handlers that run, takes nothing new, and may be called again", () =>
  onBench(async ({ url, nc, names }) => {
    const caller = await connectTo(url);
    const [started, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const worker = await serve(nc, names.task("tasks.t"), async ({ executionId }) => {
      if (executionId === "probe") return { status: "ok" };
      started.resolve();
      await finish.promise;
      return { status: "ok", payload: "done" };
    });
    const underWay = ask(caller, names.task("tasks.t"), wireRequest());
    await started.promise;
    let stopped = false;
    const stopping = worker.stop().then(() => stopped = true);
    assert(worker.stop() === worker.stop());
    const refusal = await assertRejects(async () => {
      while (true) await ask(caller, names.task("tasks.t"), wireRequest({ execution_id: "probe" }));
    }, Error);
    assertStringIncludes(refusal.message, "no responders");
    assertEquals(stopped, false);
    finish.resolve();
    await stopping;
    assertEquals(await underWay, { status: "ok", payload: "done" });
    await worker.stop();
    assertEquals(await worker.closed, undefined);
    await caller.close();
  }));

Deno.test("replies are with the server when stop resolves, so the connection may be closed", () =>
  onBench(async ({ url, names }) => {
    const [own, caller] = [await connectTo(url), await connectTo(url)];
    const started = Promise.withResolvers<void>();
    const worker = await serve(own, names.task("tasks.t"), async () => {
      started.resolve();
      await Promise.resolve();
      return { status: "ok" };
    });
    const underWay = ask(caller, names.task("tasks.t"), wireRequest());
    await started.promise;
    await worker.stop();
    await own.close();
    assertEquals(await underWay, { status: "ok" });
    await caller.close();
  }));

Deno.test("a worker whose connection closes says so, and stop still waits for its handlers", () =>
  onBench(async ({ url, nc, names }) => {
    const own = await connectTo(url);
    const [started, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const worker = await serve(own, names.task("tasks.t"), async () => {
      started.resolve();
      await finish.promise;
      return { status: "ok" };
    });
    nc.publish(names.task("tasks.t"), wireRequest(), { reply: "nobody" });
    await started.promise;
    await own.close();
    assertInstanceOf(await worker.closed, Error);
    const stopping = worker.stop();
    finish.resolve();
    await stopping;
    await assertRejects(() => serve(own, "tasks.t", () => ({ status: "ok" })), UnavailableError, "serving tasks on");
  }));

Deno.test("bad subjects, namespaces and handlers are refused before any I/O", () =>
  onBench(async ({ nc }) => {
    await nc.close(); // any I/O would fail with another error
    const handler: Handler = () => ({ status: "ok" });
    for (const subject of ["", "a b", "a..b", "a.>.b", "a\r\nPUB b 0", ".a"]) {
      await assertRejects(() => serve(nc, subject, handler), ValidationError, "is not a legal subject");
      await assertRejects(() => serveNamespaced(nc, "ns", subject, handler), ValidationError, "is not a legal subject");
    }
    await assertRejects(() => serveNamespaced(nc, "n.s", "a", handler), ValidationError, "is not a legal namespace");
    await assertRejects(() => serveNamespaced(nc, "ns", "exec.>", handler), ValidationError, "own streams");
    await assertRejects(() => serve(nc, "a", "x" as unknown as Handler), ValidationError, "a handler is a function");
  }));

const LIMITED = `max_payload: 2048
  accounts { A { users: [
    { user: all, password: p }
    { user: mute, password: p, permissions: { publish: { deny: "*.secret.>" } } }
    { user: deaf, password: p, permissions: { subscribe: { deny: ["_INBOX.>", "hidden.>"] } } }
  ] } }`;

Deno.test("messages past the server's max_payload fail the node with the sizes", async () => {
  await using server = await startNatsServer({ config: LIMITED });
  await onBenchOf(server.url, { user: "all", pass: "p" }, async ({ nc, names, invoker }) => {
    await using _worker = await serve(nc, names.task("tasks.t"), () => ({ status: "ok", payload: "y".repeat(3_000) }));
    const large = await invoker.invoke(taskRequest({ payload: "ü".repeat(1_000) }));
    assertEquals(large.status, "error");
    assertMatch(large.error!, /the request to .* is 2\d{3} bytes, the NATS server takes 2048 \(max_payload\)/);
    const reply = await invoker.invoke(taskRequest());
    assertEquals(reply.status, "error");
    assertMatch(reply.error!, /the reply is 3\d{3} bytes, the NATS server takes 2048 \(max_payload\)/);
  });
});

Deno.test("what the connection's user may not do fails the node, or the worker, and says what to grant", async () => {
  await using server = await startNatsServer({ config: LIMITED });
  await onBenchOf(server.url, { user: "mute", pass: "p" }, async ({ nc, names, invoker }) => {
    rawWorker(nc, names.task("tasks.t"), () => `{"status":"ok"}`);
    const [denied, allowed] = await Promise.all([
      invoker.invoke(taskRequest({ target: "secret.t" })),
      invoker.invoke(taskRequest()),
    ]);
    assertEquals(denied.status, "error");
    assertStringIncludes(denied.error!, `may not publish to ${names.task("secret.t")}`);
    assertEquals(allowed, { status: "ok" });
  });
  await onBenchOf(server.url, { user: "deaf", pass: "p" }, async ({ nc, invoker }) => {
    for (let call = 0; call < 2; call++) {
      const { status, error } = await invoker.invoke(taskRequest());
      assertEquals(status, "error");
      assertStringIncludes(error!, "may not subscribe to _INBOX.");
    }
    const handler: Handler = () => ({ status: "ok" });
    await assertRejects(() => serve(nc, "hidden.t", handler), PermissionError, "serving tasks on hidden.t");
  });
});

Deno.test("replies go to the inboxes that the connection's user has", () =>
  onBench(async ({ url, nc, names }) => {
    const own = await connect({ servers: url, maxReconnectAttempts: -1, inboxPrefix: "_INBOX_own" });
    let reply = "";
    rawWorker(nc, names.task("tasks.t"), (msg) => {
      reply = msg.reply!;
      return `{"status":"ok"}`;
    });
    await nc.flush();
    assertEquals(await new NatsTaskInvoker(own, names).invoke(taskRequest()), { status: "ok" });
    assert(reply.startsWith("_INBOX_own."), reply);
    await own.close();
  }));

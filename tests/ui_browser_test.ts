import { assert, assertEquals } from "@std/assert";
import type { FlowDef, InvokeRequest, Result } from "../mod.ts";
import { serveDashboard } from "../src/ui/mod.ts";
import { inSpace, reaches, until } from "./support/mod.ts";

const EXECUTIONS = 5_000;
const PATIENCE_MS = 5 * 60_000;

const chromium = await findChromium();
if (chromium === undefined) {
  console.warn("the dashboard is not tested in a browser: there is no chromium, see `apt-get install chromium`");
}

const ORDERS: FlowDef = {
  name: "orders",
  nodes: [
    { id: "price", type: "task", invoker: "f", retry: { maxAttempts: 2 } },
    { id: "spread", type: "fanout", branches: ["stock", "credit"] },
    { id: "stock", type: "task", invoker: "f" },
    { id: "credit", type: "task", invoker: "f" },
    { id: "meet", type: "fanin", waitFor: ["stock", "credit"] },
    {
      id: "route",
      type: "choice",
      rules: [{ when: `input.kind == "waits"`, to: "approve" }, { default: true, to: "ship" }],
    },
    { id: "approve", type: "signal", signalName: "approval", timeout: "1h", onTimeout: "remind" },
    { id: "remind", type: "task", invoker: "f" },
    { id: "ship", type: "task", invoker: "f" },
  ],
  edges: [
    { from: "price", to: "spread" },
    { from: "spread", to: "meet" },
    { from: "meet", to: "route" },
    { from: "approve", to: "ship" },
    { from: "remind", to: "approve" },
  ],
};

const SHORT: FlowDef = { name: "short", nodes: [{ id: "only", type: "task", invoker: "f" }] };

/** 60 nodes: a wide fan and a long chain. */
const LARGE: FlowDef = {
  name: "large",
  nodes: [
    { id: "fan", type: "fanout", branches: names("branch", 20) },
    ...names("branch", 20).map((id) => ({ id, type: "task" as const, invoker: "f" })),
    { id: "join", type: "fanin", waitFor: names("branch", 20) },
    ...names("step", 38).map((id) => ({ id, type: "task" as const, invoker: "f" })),
  ],
  edges: [
    { from: "fan", to: "join" },
    { from: "join", to: "step-0" },
    ...names("step", 37).map((from, index) => ({ from, to: `step-${index + 1}` })),
  ],
};

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

function answer({ nodeId, context }: InvokeRequest): Result | Promise<Result> {
  const { kind } = context.input as { kind?: string };
  if (kind === "fails" && nodeId === "price") return { status: "error", error: "there is no price for <article> 12" };
  if (kind === "pends" && nodeId === "price") return { status: "pending" };
  if (kind === "hangs") return new Promise<Result>(() => {});
  return {
    status: "ok",
    payload: { ...context.input as object, node: nodeId, list: [1, "two", null, { deep: true }] },
  };
}

/** The path of the browser; only the shell may look for it here. */
async function findChromium(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return undefined;
  const command = new Deno.Command("sh", { args: ["-c", "command -v chromium || command -v chromium-browser"] });
  const { stdout } = await command.output();
  return new TextDecoder().decode(stdout).trim() || undefined;
}

Deno.test({
  name: "every view works in a browser, fits light, dark and phone, stays fresh, and has no accessibility violation",
  ignore: chromium === undefined,
  fn: async () => {
    await inSpace(async (space) => {
      const { server } = await space.engine({
        flows: [ORDERS, SHORT, LARGE],
        invokers: { f: answer },
        maxConcurrency: 256,
        drainTimeout: 100,
      });
      await server.init();
      for (let index = 0; index < EXECUTIONS; index += 250) {
        await Promise.all(names("short", 250).map((id) => server.start("short", { index }, { id: `${id}-${index}` })));
      }
      for (const kind of ["waits", "fails", "pends", "plain"]) {
        await Promise.all(names(kind, 12).map((id) => server.start("orders", { kind }, { id })));
      }
      await reaches(server, "waits-0", "waiting", "approve");
      await reaches(server, "fails-0", "failed");
      await reaches(server, "pends-0", "waiting");
      await server.cancel("pends-0", "no longer wanted");
      await server.start("short", { kind: "hangs" }, { id: "hangs" });
      await server.start("large", { kind: "hangs" }, { id: "hangs-too" });
      await server.scheduleFlow("nightly", "orders", "0 30 2 * * MON-FRI", { kind: "plain" }, {
        timeZone: "Europe/Rome",
      });
      space.nc.publish(`${space.namespace}.in.start.Nobody!`, `{"a": {"b": [1]}}`);
      await until(async () => (await server.deadLetters()).length > 0, "a dead letter");
      await until(async () => (await server.counts()).short!.completed >= EXECUTIONS, "all to complete", PATIENCE_MS);
      await using ui = await serveDashboard(server, { addr: "127.0.0.1:0", allowActions: true });
      const { looks, problems } = await browse({ url: ui.url, chromium: chromium!, execution: "waits-0" });
      assertEquals(problems, []);
      assert(looks > 40);
    });
  },
});

/** Runs the browser in a process of its own, which may do more than tests may. */
async function browse(settings: Record<string, string>): Promise<{ looks: number; problems: string[] }> {
  const args = ["run", "-A", "--no-lock", new URL("./support/ui_browser.ts", import.meta.url).pathname];
  const command = new Deno.Command(Deno.execPath(), { args: [...args, JSON.stringify(settings)], stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assert(success, `${text}\n${new TextDecoder().decode(stderr)}`);
  return JSON.parse(text.trim().split("\n").at(-1)!);
}

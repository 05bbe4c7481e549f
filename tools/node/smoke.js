// A flow from its start to its end on the installed package alone: no shim, nothing of Deno.

import assert from "node:assert/strict";
import process from "node:process";

assert.equal(typeof globalThis.Deno, "undefined");
const core = await import("@packtrail/core");
const cli = await import("@packtrail/core/cli");
const schema = await import("@packtrail/core/schema");
const testing = await import("@packtrail/core/testing");
const ui = await import("@packtrail/core/ui");
assert.equal(typeof globalThis.Deno, "undefined");
const kinds = [core.createServer, cli.main, schema.flowSchema, testing.runFlow, ui.serveDashboard].map((it) =>
  typeof it
);
assert.deepEqual(kinds.filter((kind) => kind !== "function"), []);

const flow = `
name: order
nodes:
  - {id: check, type: task, invoker: checker}
  - {id: fan, type: fanout, branches: [pack, bill]}
  - {id: pack, type: task, subject: "tasks.pack"}
  - {id: bill, type: task, subject: "tasks.bill"}
  - {id: join, type: fanin, wait_for: [pack, bill]}
  - {id: route, type: choice, rules: [{when: "payload.total > 10", to: approve}, {default: true, to: send}]}
  - {id: approve, type: signal, signal_name: approval}
  - {id: send, type: task, subject: "tasks.send"}
edges:
  - {from: check, to: fan}
  - {from: fan, to: join}
  - {from: join, to: route}
  - {from: approve, to: send}
`;

await testing.withTestServer(async ({ engine, ended }) => {
  let attempts = 0;
  const server = await engine({
    flows: [flow],
    invokers: { checker: ({ payload }) => ({ status: "ok", payload: { ...payload, total: 12 } }) },
  });
  await server.handle("tasks.*", ({ nodeId }) => {
    if (nodeId === "send" && attempts++ === 0) return { status: "ok", payload: { sent: true } };
    return { status: "ok", payload: { by: nodeId } };
  });
  const dashboard = await ui.serveDashboard(server, { addr: "127.0.0.1:0" });
  const id = await server.start("order", { order: 1 });
  await server.signal(id, "approval", { by: "Ada" });
  const { status, payload } = await ended(id);
  assert.deepEqual([status, payload], ["completed", { sent: true }]);
  const page = await fetch(`${dashboard.url}executions/${id}`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /completed/);
  await dashboard.stop();
  assert.equal((await server.history(id)).at(-1).status, "completed");
});

const { bun, node } = process.versions;
console.log(`smoke: a flow ran from its start to its end on ${bun === undefined ? `Node ${node}` : `Bun ${bun}`}`);

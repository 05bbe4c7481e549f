// What a user of the npm package writes in TypeScript: it has to compile strictly, with the package's own types.

import { createServer, defineFlow, type Execution, PacktrailError, serve, type Server } from "@packtrail/core";
import { main } from "@packtrail/core/cli";
import { flowSchema } from "@packtrail/core/schema";
import { runFlow, withTestServer } from "@packtrail/core/testing";
import { dashboard, serveDashboard } from "@packtrail/core/ui";
import { connect } from "@nats-io/transport-node";

const nc = await connect({ servers: "127.0.0.1:4222" });
await using server: Server = await createServer(nc, {
  flows: [{ name: "one", nodes: [{ id: "work", type: "task", invoker: "f" }] }],
  invokers: { f: ({ payload, attempt }) => ({ status: "ok", payload: { payload, attempt } }) },
});
const execution: Execution = await server.get(await server.start("one", { n: 1 }));
const status: "running" | "waiting" | "completed" | "failed" | "cancelled" = execution.status;
// @ts-expect-error a number is no id
await server.get(1);
for await (const event of server.watchEvents()) console.log(event.time.getTime());
await using worker = await serve(nc, "packtrail.tasks.*", ({ payload }) => ({ status: "ok", payload }));
await using ui = await serveDashboard(server);
const code: number = await main([]);

console.log(status, ui.url, code, dashboard, defineFlow, flowSchema, PacktrailError, runFlow, withTestServer, worker);

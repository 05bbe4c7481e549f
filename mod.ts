/**
 * packtrail: a durable workflow engine that embeds in any service and needs nothing but NATS.
 *
 * Describe a flow in YAML or TypeScript, give it invokers, run it: a crash, a redeploy or a dead server loses nothing.
 *
 * @example
 * ```ts
 * import { createServer } from "@packtrail/core";
 * import { connect } from "@nats-io/transport-deno";
 *
 * async function greetings() {
 *   const nc = await connect({ servers: "127.0.0.1:4222" });
 *   const server = await createServer(nc, {
 *     flows: [{ name: "greeting", nodes: [{ id: "greet", type: "task", invoker: "greeter" }] }],
 *     invokers: { greeter: ({ payload }) => ({ status: "ok", payload: { hello: payload } }) },
 *   });
 *   await server.start("greeting", { name: "Ada" });
 *   await server.run();
 * }
 * ```
 *
 * @module
 */

export type { Connection } from "./src/connection.ts";
export type { ExecutionStatus } from "./src/core/state.ts";
export type { Context } from "./src/core/values.ts";
export type { Duration } from "./src/duration.ts";
export type { ReconcileReport } from "./src/engine/reconcile.ts";
export {
  ConflictError,
  type ErrorCode,
  NotFoundError,
  PacktrailError,
  PayloadTooLargeError,
  PermissionError,
  ServerVersionError,
  StateError,
  UnavailableError,
  ValidationError,
  type ValidationIssue,
} from "./src/errors.ts";
export type {
  ChoiceDef,
  EdgeDef,
  FaninDef,
  FanoutDef,
  FlowDef,
  FlowGraph,
  GraphNode,
  NodeDef,
  RetryDef,
  RuleDef,
  SignalDef,
  TaskDef,
} from "./src/flow/mod.ts";
export {
  defineFlow,
  type InvokerKinds,
  type TypedChoice,
  type TypedEdge,
  type TypedFanin,
  type TypedFanout,
  type TypedFlow,
  type TypedInvokerTask,
  type TypedNatsTask,
  type TypedNode,
  type TypedRule,
  type TypedSignal,
  type TypedTask,
  type TypedTaskBase,
} from "./src/flow/define.ts";
export { validateFlow, type ValidateFlowOptions, type ValidFlow } from "./src/flow/valid.ts";
export {
  httpInvoker,
  type HttpInvokerOptions,
  type Invoker,
  type InvokeRequest,
  type InvokerFunction,
  NATS_TASK_KIND,
  type Result,
} from "./src/invoker/mod.ts";
export type { InvocationOutcome, InvocationStats } from "./src/invoker/meter.ts";
export type { Json, JsonObject } from "./src/json.ts";
export { consoleLogger, type Logger } from "./src/logger.ts";
export type { Backlog, FlowBacklog } from "./src/nats/backlog.ts";
export type { Schedule } from "./src/nats/cron.ts";
export type { DeadLetter, DeadLetterSource } from "./src/nats/dead_letters.ts";
export type { ExecutionEvent } from "./src/nats/events.ts";
export {
  type PermissionOptions,
  type Permissions,
  permissionsBlock,
  permissionsFor,
  type Role,
} from "./src/nats/permissions.ts";
export type { TaskRequest, TaskResponse, TaskStatus } from "./src/protocol/mod.ts";
export type { FlowVersion } from "./src/nats/registry.ts";
export { createServer, type Server } from "./src/server.ts";
export type { Observer } from "./src/server/observer.ts";
export type { Branch, Execution, ExecutionWait } from "./src/server/execution.ts";
export { type AsyncWorker, serveAsync, type ServeAsyncOptions } from "./src/server/serve_async.ts";
export type { AsyncInvokerOptions, RetentionOptions, ServerOptions } from "./src/server/options.ts";
export { type Handler, serve, serveNamespaced, type TaskWorker } from "./src/worker/mod.ts";

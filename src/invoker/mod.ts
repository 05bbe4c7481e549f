/**
 * Invokers: what runs the tasks of flows.
 *
 * @module
 */

export { httpInvoker, type HttpInvokerOptions } from "./http.ts";
export { NatsTaskInvoker } from "./nats_task.ts";
export { InvokerRegistry, type InvokerTable, NATS_TASK_KIND, toInvoker } from "./registry.ts";
export type { Invoker, InvokeRequest, InvokerFunction, Result } from "./types.ts";

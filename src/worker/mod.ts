/**
 * Workers over the wire contract of `nats-task`.
 *
 * @module
 */

export { QUEUE_GROUP, serve, serveNamespaced } from "./serve.ts";
export type { Handler, TaskWorker } from "./serving.ts";

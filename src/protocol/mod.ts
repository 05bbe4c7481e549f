/**
 * The wire contract between the engine and `nats-task` workers, in any language: JSON over NATS request/reply.
 *
 * Request: `{"execution_id","node_id","payload","attempt","deadline","generation"}`, the deadline in RFC 3339.
 * Reply: `{"status":"ok|error|retry","payload"?,"error"?}`.
 *
 * @module
 */

export { ProtocolError } from "./errors.ts";
export { decodeTaskRequest, encodeTaskRequest, type TaskRequest } from "./request.ts";
export { decodeTaskResponse, encodeTaskResponse, type TaskResponse, type TaskStatus } from "./response.ts";

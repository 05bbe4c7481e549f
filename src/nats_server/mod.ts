/**
 * NATS servers for development, tests and examples: provisions the binary, starts servers and clusters of them.
 *
 * @module
 */

export { ensureNatsServer } from "./binary.ts";
export { type NatsCluster, type NatsClusterNode, type NatsClusterOptions, startNatsCluster } from "./cluster.ts";
export { NatsServerError, type NatsServerErrorCode, reason } from "./errors.ts";
export { cacheFolder } from "./files.ts";
export { isPortTaken, type NatsServer, type NatsServerOptions, startNatsServer } from "./server.ts";
export { isSupported, MIN_VERSION } from "./version.ts";

/**
 * The connection to NATS, as callers give it.
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";

/** A NATS connection, as `connect` of `@nats-io/transport-deno` or `transport-node` gives it. */
export type Connection = NatsConnection;

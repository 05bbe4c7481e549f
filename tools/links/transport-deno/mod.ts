// Stands in for jsr:@nats-io/transport-deno where JSR cannot be reached: the Node transport has the same API.
export * from "npm:@nats-io/transport-node@3.4.0";
